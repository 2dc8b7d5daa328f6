package e2e_test

import (
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A supervisor hears what a daemon tells systemd.
type supervisor struct {
	path string

	mu   sync.Mutex // guards said
	said []string   // every line, in order
}

// supervise listens on a notify socket until the test ends.
func supervise(t *testing.T, path string) *supervisor {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o777); err != nil { // as systemd's is
		t.Fatal(err)
	}
	s := &supervisor{path: path}
	var reading sync.WaitGroup
	reading.Go(func() { s.read(conn) })
	t.Cleanup(func() {
		conn.Close()
		reading.Wait()
	})
	return s
}

func (s *supervisor) read(conn *net.UnixConn) {
	buf := make([]byte, 8<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.said = append(s.said, strings.Split(strings.TrimSpace(string(buf[:n])), "\n")...)
		s.mu.Unlock()
	}
}

// heard reports whether a line, such as READY=1, has been said.
func (s *supervisor) heard(line string) bool { return s.count(line) > 0 }

// count returns how often a line has been said.
func (s *supervisor) count(line string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, l := range s.said {
		if l == line {
			n++
		}
	}
	return n
}

// lines returns everything said so far.
func (s *supervisor) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}

// forget empties the record, before the next process speaks.
func (s *supervisor) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = nil
}
