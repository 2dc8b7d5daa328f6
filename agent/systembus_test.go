package agent

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bus starts a D-Bus daemon of its own.
func bus(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bus")
	cmd := exec.CommandContext(t.Context(), "dbus-daemon", "--session", "--nofork", "--print-address", "--address=unix:path="+path)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start dbus-daemon: %v: it comes with Debian's package dbus-daemon", err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return path
}

// A real bus understands the call: it answers what it has, and refuses what
// nobody has.
func TestABusIsAskedInItsOwnWords(t *testing.T) {
	path := bus(t)
	_, err := property(t.Context(), path, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Features")
	if err == nil || !strings.Contains(err.Error(), "no text") {
		t.Errorf("a property that is a list: %v, want that it is no text", err)
	}
	_, err = property(t.Context(), path, "org.freedesktop.systemd1", "/", "a.b", "SystemState")
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a name that nobody has: %v, want a refusal", err)
	}
	if _, err = property(t.Context(), path+"-none", "a.b", "/", "a.b", "c"); err == nil {
		t.Error("no bus is no error")
	}
}

// systemd's answer, as it is on the wire.
func TestTheStateOfTheSystemIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(conn, "OK 0123456789abcdef\r\n")
		_, _ = r.ReadString('\n')
		signal := "l\x04\x01\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"
		hello := "l\x02\x01\x01\x00\x00\x00\x00\x02\x00\x00\x00\x08\x00\x00\x00\x05\x01u\x00\x01\x00\x00\x00"
		state := "l\x02\x01\x01\x11\x00\x00\x00\x03\x00\x00\x00\x08\x00\x00\x00\x05\x01u\x00\x02\x00\x00\x00" + "\x01s\x00\x00\x08\x00\x00\x00stopping\x00"
		_, _ = io.WriteString(conn, hello+signal+state)
		_, _ = io.Copy(io.Discard, r)
	}()
	got, err := property(t.Context(), path, "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "SystemState")
	if err != nil || got != "stopping" {
		t.Errorf("got %q, %v", got, err)
	}
}
