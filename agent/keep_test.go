package agent

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// systemd's end of the notifications is a socket like any other.
func TestDescriptorsAreHandedToSystemd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	t.Setenv("NOTIFY_SOCKET", path)
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "kept"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	k := newKeeper()
	if err := k.keep("relay-ring-0", int(file.Fd())); err != nil {
		t.Fatal(err)
	}
	text, rights := make([]byte, 200), make([]byte, 200)
	n, m, _, _, err := systemd.ReadMsgUnix(text, rights)
	if err != nil {
		t.Fatal(err)
	}
	if want := "FDSTORE=1\nFDPOLL=0\nFDNAME=relay-ring-0"; string(text[:n]) != want {
		t.Errorf("systemd is told %q, want %q", text[:n], want)
	}
	if got := received(t, rights[:m]); !os.SameFile(stat(t, got), stat(t, file)) {
		t.Error("systemd got another file")
	}
	if err := k.unkeep("relay-ring-0"); err != nil {
		t.Fatal(err)
	}
	if n, m, _, _, _ = systemd.ReadMsgUnix(text, rights); m != 0 || string(text[:n]) != "FDSTOREREMOVE=1\nFDNAME=relay-ring-0" {
		t.Errorf("systemd is told %q", text[:n])
	}
}

func received(t *testing.T, rights []byte) *os.File {
	t.Helper()
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("%d descriptors, %v", len(fds), err)
	}
	file := os.NewFile(uintptr(fds[0]), "received")
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func stat(t *testing.T, f *os.File) os.FileInfo {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestWithoutSystemdNobodyIsTold(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := newKeeper().keep("x", 0); err != nil {
		t.Error(err)
	}
}
