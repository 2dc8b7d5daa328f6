package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

// TestAJMXMPPortIsPublished from the container's start until its end, over
// restarts of the daemon in order and out of order. P2.
func TestAJMXMPPortIsPublished(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	d := launch(t, settings{"docker.socket": e.Socket()})
	id := e.Run(t, engine.Options{
		Ports: []string{"5555"}, Cmd: []string{"-listen=:5555"},
		Labels: map[string]string{"com.docker.compose.service": "orders"},
	})
	port := d.mapped(id)
	if port.HostPort == 0 || port.Name != "jmxmp" || !strings.HasPrefix(port.URL, "service:jmx:jmxmp://") ||
		!strings.HasSuffix(port.URL, fmt.Sprintf(":%d", port.HostPort)) {
		t.Errorf("port mapping %+v, want JMXMP's with a URL for its host port", port)
	}
	eventually(t, "the mapping in the store", func() bool { return strings.Contains(d.record(), port.URL) })

	d.restart()
	if record := d.record(); !strings.Contains(record, port.URL) {
		t.Errorf("the record after a restart has lost %s: %s", port.URL, record)
	}
	d.kill9()
	d.start()
	if record := d.record(); !strings.Contains(record, port.URL) {
		t.Errorf("the record after a sudden death has lost %s: %s", port.URL, record)
	}
	e.Remove(t, id)
	eventually(t, "the mapping withdrawn", func() bool { return !strings.Contains(d.record(), port.URL) })
}

// mapped waits until a container's JMXMP port is in berth ports ls.
func (d *daemon) mapped(id inventory.ID) api.Portmap {
	d.t.Helper()
	var found api.Portmap
	eventually(d.t, "the JMXMP port in berth ports ls", func() bool {
		list := ask[[]api.Portmap](d, "ports", "ls")
		i := slices.IndexFunc(list, func(p api.Portmap) bool { return p.ID == string(id) && p.Port == 5555 })
		if i >= 0 {
			found = list[i]
		}
		return i >= 0
	})
	return found
}

// record is this host's record in the store, as JSON.
func (d *daemon) record() string {
	d.t.Helper()
	for _, r := range ask[[]api.StoreRecord](d, "store", "ls") {
		if strings.Contains(r.Key, "test-host") {
			text, err := json.Marshal(r.Record)
			if err != nil {
				d.t.Fatal(err)
			}
			return string(text)
		}
	}
	return ""
}
