package api_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/berth-dev/berth/agent/api"
)

func TestListenMakesAFolderAndASocketForOwnerAndGroup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "berth", "b.sock")
	l := listen(t, api.ListenOptions{Path: path, Group: strconv.Itoa(os.Getegid())})
	if len(l.Limited) > 0 {
		t.Errorf("limited: %v", l.Limited)
	}
	for name, want := range map[string]fs.FileMode{filepath.Dir(path): 0o750 | fs.ModeDir, path: 0o660 | fs.ModeSocket} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestListenRefusesASecondDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.sock")
	l := listen(t, api.ListenOptions{Path: path})
	_, err := api.Listen(api.ListenOptions{Path: path})
	running, ok := errors.AsType[*api.Running](err)
	if !ok || running.PID != strconv.Itoa(os.Getpid()) || running.Lock != path+".lock" {
		t.Fatalf("got error %v", err)
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("the first daemon lost its socket: %v", err)
	} else {
		_ = c.Close()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	listen(t, api.ListenOptions{Path: path})
}

func TestListenTakesOverAStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.sock")
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	killed.SetUnlinkOnClose(false)
	_ = killed.Close()
	if err := os.WriteFile(path+".lock", []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := listen(t, api.ListenOptions{Path: path})
	if got := l.Addr().String(); got != path {
		t.Errorf("listens on %s, want %s", got, path)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestListenLeavesAFileThatIsNoSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Listen(api.ListenOptions{Path: path}); err == nil {
		t.Error("a file was replaced")
	}
	if text, err := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("file is now %q, %v", text, err)
	}
}

func TestListenSaysThatAPathIsTooLong(t *testing.T) {
	_, err := api.Listen(api.ListenOptions{Path: filepath.Join(t.TempDir(), strings.Repeat("d", 120), "b.sock")})
	if err == nil || !strings.Contains(err.Error(), "bytes too long for a socket") {
		t.Errorf("got error %v", err)
	}
}

func TestListenWithoutItsGroupSaysSoAndGoesOn(t *testing.T) {
	l := listen(t, api.ListenOptions{Path: filepath.Join(t.TempDir(), "b.sock"), Group: "no-such-group"})
	if len(l.Limited) != 1 || !strings.Contains(l.Limited[0], "groupadd --system no-such-group") {
		t.Errorf("limited: %q", l.Limited)
	}
}

// handed is set in the process that TestListenTakesTheSocketOfSystemd starts.
const handed = "BERTH_TEST_HANDED"

func TestListenTakesTheSocketOfSystemd(t *testing.T) {
	if path := os.Getenv(handed); path != "" {
		l := listen(t, api.ListenOptions{Path: path, Handed: activation.Files(true)})
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "b.sock")
	systemd, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = systemd.Close() }()
	file, err := systemd.File()
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "/bin/sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh",
		os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), handed+"="+path, "LISTEN_FDS=1")
	child.ExtraFiles = []*os.File{file}
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("systemd's socket was replaced or removed: %v", err)
	}
}

func listen(t *testing.T, o api.ListenOptions) *api.Listener {
	t.Helper()
	l, err := api.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
