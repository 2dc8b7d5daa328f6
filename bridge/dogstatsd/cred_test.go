package dogstatsd_test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// passcred is a unix datagram server that asks the kernel who sent each.
func passcred(t *testing.T) (url string, next func() (pid int32, text string)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dsd.socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }); err != nil {
		t.Fatal(err)
	}
	return "unixgram://" + path, func() (int32, string) {
		t.Helper()
		body, oob := make([]byte, 8192), make([]byte, 64)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, m, _, _, err := conn.ReadMsgUnix(body, oob)
		if err != nil {
			t.Fatal(err)
		}
		control, err := unix.ParseSocketControlMessage(oob[:m])
		if err != nil || len(control) != 1 {
			t.Fatalf("%d control messages, %v", len(control), err)
		}
		cred, err := unix.ParseUnixCredentials(&control[0])
		if err != nil {
			t.Fatal(err)
		}
		return cred.Pid, string(body[:n])
	}
}

// The kernel tells the server the process of the container, as if that had sent
// the datagram itself. Once the process has ended its lines say it themselves.
func TestTheServerSeesTheContainersProcess(t *testing.T) {
	url, next := passcred(t)
	process := exec.Command("sleep", "600")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	}
	defer kill()
	r := start(t, dogstatsd.Options{Settings: dogstatsd.Settings{Upstreams: []string{url}, Mode: dogstatsd.Auto}})
	if s := r.Stats(); s.Mode != dogstatsd.Cred {
		t.Fatalf("the mode is %s (%s): this test needs CAP_SYS_ADMIN, run it as root", s.Mode, s.Why)
	}
	one, two := container(1), container(2)
	one.PID = process.Process.Pid
	r.Origins([]dogstatsd.Origin{one, two})
	c := r.client(home(1))
	for range 100 {
		c.send("a:1|c|#x:y")
	}
	pid, text := next()
	if want := strings.Repeat("a:1|c|#x:y\n", 100); int(pid) != one.PID || text != want {
		t.Errorf("process %d sent %d bytes, want %d to have sent %d", pid, len(text), one.PID, len(want))
	}
	r.client(home(2)).send("b:1|c") // its process is not known
	if _, text := next(); text != "b:1|c"+suffix(2)+"\n" {
		t.Errorf("without a process the line is %q", text)
	}
	kill() // and nobody has told the relay yet
	c.send("c:1|c")
	if _, text := next(); text != "c:1|c"+suffix(1)+"\n" {
		t.Errorf("after the process's end the line is %q", text)
	}
	began := time.Now()
	c.send("d:1|c|T1656581400")
	if _, text := next(); !strings.HasPrefix(text, "d:1") || time.Since(began) > 90*time.Millisecond {
		t.Errorf("%q came after %v", text, time.Since(began))
	}
	if got := r.balanced(); got.Total.Delivered != 103 {
		t.Error(fmt.Sprint(got.Total))
	}
}
