package process_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/process"
)

func TestTheCgroupNamesTheContainer(t *testing.T) {
	tests := map[string]struct {
		text string
		want map[string]string
	}{
		"version 2, systemd":         {"0::/system.slice/docker-" + string(one) + ".scope\n", map[string]string{"": "/system.slice/docker-" + string(one) + ".scope"}},
		"a folder inside":            {"0::/docker/" + string(one) + "/init.scope\n", map[string]string{"": "/docker/" + string(one)}},
		"version 1, ECS":             {"9:cpu,cpuacct:/ecs/t/" + string(one) + "\n4:memory:/ecs/t/" + string(one) + "\n1:name=systemd:/\n", map[string]string{"cpu": "/ecs/t/" + string(one), "cpuacct": "/ecs/t/" + string(one), "memory": "/ecs/t/" + string(one)}},
		"another's":                  {"0::/docker/" + string(two) + "\n", map[string]string{}},
		"seen from another cgroup":   {"0::/../" + string(one) + "\n", map[string]string{"": "/../" + string(one)}},
		"nonsense":                   {"\n0\n0:\n::" + string(one)[:60], map[string]string{}},
		"the host's":                 {"0::/init.scope\n", map[string]string{}},
		"a container in a container": {"0::/docker/" + string(two) + "/docker/" + string(one) + "\n", map[string]string{"": "/docker/" + string(two) + "/docker/" + string(one)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, process.FoldersOf(tt.text, one)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzStart(f *testing.F) {
	f.Add([]byte("42 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"))
	f.Add([]byte("42 (x"))
	f.Fuzz(func(t *testing.T, stat []byte) {
		if since, ok := process.ParseStart(stat); since < 0 || !ok && since != 0 {
			t.Errorf("%q began %v after the boot, %v", stat, since, ok)
		}
	})
}

func TestTheStartIsRead(t *testing.T) {
	since, ok := process.ParseStart([]byte("42 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"))
	if want := 47110 * time.Millisecond; !ok || since != want {
		t.Errorf("got %v, %v, want %v", since, ok, want)
	}
}
