package storeserver

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/test/tcpproxy"
)

// patience is how long a server may take to answer after its start.
const patience = 60 * time.Second

// A Server is a process that the test may ill-treat.
type Server struct {
	t     testing.TB
	addr  string
	dir   string
	argv  func(data string) []string
	env   []string
	ready func() error
	runs  int // of its data
	cmd   *exec.Cmd
	said  *bytes.Buffer
}

// start makes a server with data of its own and starts it.
func start(t testing.TB, argv func(addr, data string) []string, ready func(addr string) error, env ...string) *Server {
	t.Helper()
	s := &Server{t: t, addr: tcpproxy.Reserve(t), dir: folder(t), env: env}
	s.argv = func(data string) []string { return argv(s.addr, data) }
	s.ready = func() error { return ready(s.addr) }
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// Addr is host:port on loopback, the same for the server's whole life.
func (s *Server) Addr() string { return s.addr }

// Dir is a folder that goes with the test, beside the data.
func (s *Server) Dir() string { return s.dir }

// PID is the server's process; 0 if it does not run.
func (s *Server) PID() int {
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Start starts the server with the data it had and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	data := filepath.Join(s.dir, fmt.Sprint("data", s.runs))
	if err := os.MkdirAll(data, 0o700); err != nil {
		s.t.Fatal(err)
	}
	argv := s.argv(data)
	s.said = &bytes.Buffer{}
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = data, s.said, s.said
	s.cmd.Env = append(os.Environ(), s.env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that panics leaves no server
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("%v: make setup installs it", err)
	}
	deadline := time.Now().Add(patience)
	for err := s.ready(); err != nil; err = s.ready() {
		if time.Now().After(deadline) {
			s.Kill()
			s.t.Fatalf("%s does not answer: %v\n%s", argv[0], err, s.said)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// Kill ends the server at once. Its data stay.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Empty kills the server and starts it without data.
func (s *Server) Empty() {
	s.t.Helper()
	s.Kill()
	s.runs++
	s.Start()
}

// folder is in memory where there is such a place: these tests are about the
// servers' behaviour, and not about the disk below them.
func folder(t testing.TB) string {
	t.Helper()
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "berth-store-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// accepts reports whether somebody listens.
func accepts(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// ask sends some text and returns the beginning of the answer.
func ask(addr, text string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte(text)); err != nil {
		return "", err
	}
	answer := make([]byte, 256)
	n, err := conn.Read(answer)
	return string(answer[:n]), err
}
