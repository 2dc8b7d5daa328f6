package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/dogstatsd"
	receiver "github.com/berth-dev/berth/test/dogstatsd"
)

func TestTheDoctorReadsTheAgentsOptions(t *testing.T) {
	tests := map[string]struct {
		mode  dogstatsd.Mode
		text  string
		level string
	}{
		"set":                 {dogstatsd.Cred, "api_key: x\ndogstatsd_origin_detection: true # for tags\n", checkOK},
		"not set":             {dogstatsd.Cred, "api_key: x\n", checkWarn},
		"commented out":       {dogstatsd.Field, "# dogstatsd_origin_detection_client: true\n", checkWarn},
		"another's":           {dogstatsd.Inode, "dogstatsd_origin_detection: true\n", checkWarn},
		"the client's":        {dogstatsd.Inode, "dogstatsd_origin_detection_client: \"true\"\n", checkOK},
		"switched off":        {dogstatsd.Field, "dogstatsd_origin_detection_client: false\n", checkWarn},
		"tags need no option": {dogstatsd.Tags, "", checkOK},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "datadog.yaml")
			if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			var d diagnosis
			checkMode(dogstatsd.Stats{Mode: tt.mode}, file, &d)
			if len(d) != 1 || d[0].Level != tt.level {
				t.Errorf("got %+v, want level %s", d, tt.level)
			}
		})
	}
	var d diagnosis
	if checkMode(dogstatsd.Stats{Mode: dogstatsd.Cred}, "/does/not/exist", &d); d[0].Level != checkOK || !strings.Contains(d[0].Message, "cannot be read") {
		t.Errorf("without a file: %+v", d)
	}
}

func TestTheDoctorKnocksAtTheUpstream(t *testing.T) {
	for _, network := range []string{"udp", "unixgram", "unix"} {
		address := ""
		if network != "udp" {
			address = filepath.Join(t.TempDir(), "d.sock")
		}
		r := receiver.Listen(t, receiver.Options{Network: network, Address: address})
		url := network + "://" + r.Address()
		var d diagnosis
		if checkUpstream(api.RelayOutlet{URL: url}, &d); d[0].Level != checkOK {
			t.Errorf("%s while it listens: %+v", url, d[0])
		}
		r.Stop()
		d = nil
		if checkUpstream(api.RelayOutlet{URL: url}, &d); d[0].Level != checkFail {
			t.Errorf("%s when it is gone: %+v", url, d[0])
		}
	}
}
