package api_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
)

// Set in the processes that the tests of rights start.
const (
	target = "BERTH_TEST_SOCKET"
	verb   = "BERTH_TEST_EXPECT" // allowed or refused
)

// nobody is a user without rights.
const nobody = 65534

// operators is a group that no test machine has members of.
const operators = 424242

func TestOperateTakesRootOrTheOperatorGroup(t *testing.T) {
	if os.Getenv(target) != "" {
		operateAsChild(t)
		return
	}
	if os.Geteuid() != 0 { // others cannot be impersonated; the daemon's own user is tested below
		return
	}
	tests := map[string]struct {
		cred   syscall.Credential
		expect string
	}{
		"root":                    {syscall.Credential{}, "allowed"},
		"a stranger":              {syscall.Credential{Uid: nobody, Gid: nobody}, "refused"},
		"a member, by main group": {syscall.Credential{Uid: nobody, Gid: operators}, "allowed"},
		"a member, by other group": {
			syscall.Credential{Uid: nobody, Gid: nobody, Groups: append(many(100), operators)}, "allowed",
		},
	}
	r := serve(t, func(s *api.Server) { s.OperatorGroup = strconv.Itoa(operators) })
	r.open(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestOperateTakesRootOrTheOperatorGroup$")
			child.Dir = "/"
			child.Env = append(os.Environ(), target+"="+r.socket, verb+"="+tt.expect)
			child.SysProcAttr = &syscall.SysProcAttr{Credential: &tt.cred}
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	for _, want := range []string{"msg=operate peer_uid=65534", "method=POST path=/v1/jobs/logs/run", "result=403", "result=200"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, r.log)
		}
	}
}

// operateAsChild asks as whoever this process is.
func operateAsChild(t *testing.T) {
	client := api.NewClient(os.Getenv(target), patience)
	if _, err := client.Status(t.Context()); err != nil {
		t.Errorf("read: %v", err)
	}
	_, err := client.RunJob(t.Context(), "logs", true)
	if os.Getenv(verb) == "allowed" {
		if err != nil {
			t.Errorf("operate: %v", err)
		}
		return
	}
	problem, ok := errors.AsType[*api.Problem](err)
	if !ok || problem.Status != http.StatusForbidden || !strings.Contains(problem.Detail, "group "+strconv.Itoa(operators)) {
		t.Errorf("operate: got %v, want a refusal that names the group", err)
	}
}

func TestTheDaemonsOwnUserOperates(t *testing.T) {
	r := serve(t)
	if _, err := r.RunJob(t.Context(), "logs", false); err != nil {
		t.Error(err)
	}
	if os.Geteuid() != 0 {
		return
	}
	home := shared(t)
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestTheDaemonsOwnUserOperates$")
	child.Dir = "/"
	child.Env = append(os.Environ(), "TMPDIR="+home)
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCallersInsideContainersOnlyRead(t *testing.T) {
	id := strings.Repeat("4f1c", 16)
	tests := map[string]struct{ cgroup, says string }{
		"v2, systemd":     {"0::/system.slice/docker-" + id + ".scope\n", "container 4f1c4f1c4f1c"},
		"v1, ECS":         {"4:memory:/ecs/0123456789abcdef/" + id + "\n1:name=systemd:/ecs/x/" + id + "\n", "container 4f1c4f1c4f1c"},
		"host":            {"0::/user.slice/user-0.slice/session-1.scope\n", ""},
		"process is gone": {"", "cannot be told"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			proc := t.TempDir()
			if tt.cgroup != "" {
				write(t, filepath.Join(proc, strconv.Itoa(os.Getpid()), "cgroup"), tt.cgroup)
			}
			r := serve(t, func(s *api.Server) { s.Proc = proc })
			if _, err := r.Status(t.Context()); err != nil {
				t.Errorf("read: %v", err)
			}
			_, err := r.LogSweep(t.Context(), api.SweepRequest{})
			if tt.says == "" {
				if err != nil {
					t.Errorf("operate: %v", err)
				}
				return
			}
			if !errors.Is(err, api.Forbidden("")) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("operate: got %v, want a refusal that says %q", err, tt.says)
			}
		})
	}
}

// open lets every user of the machine reach the socket.
func (r *rig) open(t *testing.T) {
	t.Helper()
	for dir := filepath.Dir(r.socket); dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(r.socket, 0o666); err != nil {
		t.Fatal(err)
	}
}

// shared makes a folder that every user of the machine can reach.
func shared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for up := dir; up != filepath.Clean(os.TempDir()); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// many returns n groups, more than the kernel answers at the first asking.
func many(n int) []uint32 {
	var groups []uint32
	for i := range n {
		groups = append(groups, uint32(500000+i))
	}
	return groups
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
