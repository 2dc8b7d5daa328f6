package logs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/logs"
)

// procTree makes a process table: process 1, and one for each pair of a cgroup
// and a command line.
func procTree(t *testing.T, processes ...[2]string) string {
	t.Helper()
	proc := t.TempDir()
	for n, p := range append([][2]string{{"0::/init.scope\n", "/sbin/init\x00"}}, processes...) {
		comm, _, _ := strings.Cut(p[1], "\x00")
		comm = filepath.Base(comm)
		for name, text := range map[string]string{
			"cgroup": p[0], "cmdline": p[1], "comm": comm[:min(len(comm), 15)] + "\n",
		} {
			path := filepath.Join(proc, fmt.Sprint(n+1), name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return proc
}

// J3: whatever drives the cgroups, a container's processes and its shim name it.
func TestJ3TheProcessTableNamesTheContainers(t *testing.T) {
	one, two := id(1), id(2)
	tests := map[string]struct {
		cgroup, cmdline string
		want            []inventory.ID
	}{
		"cgroup v1":                 {fmt.Sprintf("12:pids:/docker/%s\n1:name=systemd:/docker/%s\n", one, one), "app\x00", []inventory.ID{one}},
		"cgroup v2 by systemd":      {fmt.Sprintf("0::/system.slice/docker-%s.scope\n", one), "app\x00", []inventory.ID{one}},
		"cgroup v2 by itself":       {fmt.Sprintf("0::/docker/%s\n", one), "app\x00", []inventory.ID{one}},
		"ECS":                       {fmt.Sprintf("4:memory:/ecs/9781c248/%s\n", one), "app\x00", []inventory.ID{one}},
		"from another namespace":    {fmt.Sprintf("0::/../../docker/%s\n", one), "app\x00", []inventory.ID{one}},
		"systemd in a container":    {fmt.Sprintf("0::/docker/%s/init.scope\n", one), "systemd\x00", []inventory.ID{one}},
		"a container in another":    {fmt.Sprintf("0::/docker/%s/docker/%s\n", one, two), "app\x00", []inventory.ID{one, two}},
		"a shim":                    {"0::/system.slice/docker.service\n", fmt.Sprintf("/usr/bin/containerd-shim-runc-v2\x00-namespace\x00moby\x00-id\x00%s\x00-address\x00/run\x00", one), []inventory.ID{one}},
		"a shim of old":             {"0::/\n", fmt.Sprintf("docker-containerd-shim\x00%s\x00/var/run/docker/libcontainerd/%s\x00docker-runc\x00", one, one), []inventory.ID{one}},
		"somebody else":             {"0::/user.slice\n", "sleep\x00" + string(one) + "\x00", nil},
		"digits that are too many":  {fmt.Sprintf("0::/docker/%s0\n", one), "app\x00", nil},
		"an ID that goes on":        {fmt.Sprintf("0::/docker/%sg\n0::/docker/x%s\n", one, one), "app\x00", nil},
		"no end of line":            {"0::/docker/" + string(one), "app\x00", []inventory.ID{one}},
		"hierarchies without end":   {strings.Repeat("1:name=one:/\n", 5000) + "0::/docker/" + string(one) + "\n", "app\x00", []inventory.ID{one}},
		"digits that are too few":   {fmt.Sprintf("0::/docker/%s\n", one[:63]), "app\x00", nil},
		"a cgroup that is not text": {"0::/\xff\xfe\x00/" + string(one) + "\n", "app\x00", []inventory.ID{one}},
	}
	for name, tt := range tests {
		found, err := logs.ScanProcesses(procTree(t, [2]string{tt.cgroup, tt.cmdline}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: found %v, want %v", name, got, tt.want)
		}
	}
}

func TestAProcessThatEndsMeanwhileIsNoFault(t *testing.T) {
	proc := procTree(t, [2]string{"0::/docker/" + string(id(1)) + "\n", "app\x00"})
	if err := os.Mkdir(filepath.Join(proc, "77"), 0o755); err != nil {
		t.Fatal(err)
	}
	found, err := logs.ScanProcesses(proc)
	if diff := cmp.Diff(map[inventory.ID]int{id(1): 2}, found); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// J2: a process table that hides something is no witness.
func TestJ2AProcessTableThatHidesIsNoWitness(t *testing.T) {
	for name, spoil := range map[string]func(proc string) error{
		"process 1 is hidden":  func(proc string) error { return os.RemoveAll(filepath.Join(proc, "1")) },
		"there is no table":    os.RemoveAll,
		"a cgroup is not read": func(proc string) error { return swapForFolder(filepath.Join(proc, "2/cgroup")) },
		"a shim is not read":   func(proc string) error { return swapForFolder(filepath.Join(proc, "2/cmdline")) },
	} {
		proc := procTree(t, [2]string{"0::/\n", "containerd-shim-runc-v2\x00"})
		if err := spoil(proc); err != nil {
			t.Fatal(err)
		}
		if found, err := logs.ScanProcesses(proc); err == nil {
			t.Errorf("%s: found %v, want an error", name, found)
		}
	}
}

// swapForFolder makes a file that cannot be read, by root either.
func swapForFolder(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.Mkdir(path, 0o755)
}

func TestTheRealProcessTableCanBeRead(t *testing.T) {
	if _, err := logs.ScanProcesses("/proc"); err != nil {
		t.Error(err)
	}
}

// A file is found by what it is, whatever it is called by now.
func TestAnOpenFileIsFoundByItsInode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path+".1", &st); err != nil {
		t.Fatal(err)
	}
	inodes := map[beneath.Inode]string{{Dev: st.Dev, Ino: st.Ino}: "it", {Dev: st.Dev, Ino: 1}: "another"}
	open, _ := logs.OpenFiles("/proc", inodes)
	if diff := cmp.Diff(map[string]int{"it": os.Getpid()}, open); diff != "" {
		t.Error(diff)
	}
}
