package dogstatsd_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// streamSink is a server on a unix stream: each frame is its length and its
// bytes.
type stream struct {
	sink
	listener net.Listener
}

func streamSink(t *testing.T) *stream {
	t.Helper()
	s := &stream{sink: sink{t: t, url: "unix://" + filepath.Join(t.TempDir(), "dsd.socket")}}
	s.serve()
	return s
}

func (s *stream) serve() {
	s.t.Helper()
	listener, err := net.Listen("unix", s.url[len("unix://"):])
	if err != nil {
		s.t.Fatal(err)
	}
	s.listener = listener
	s.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conn = conn
			s.mu.Unlock()
			go s.frames(conn)
		}
	}()
}

func (s *stream) frames(conn net.Conn) {
	defer conn.Close()
	for {
		var length [4]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		frame := make([]byte, binary.LittleEndian.Uint32(length[:]))
		if len(frame) > 8192 {
			s.t.Errorf("a frame of %d bytes", len(frame))
			return
		}
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		s.mu.Lock()
		for l := range bytes.Lines(frame) {
			s.lines = append(s.lines, string(bytes.TrimSuffix(l, []byte("\n"))))
		}
		s.mu.Unlock()
	}
}

// restart ends the server and its connections, and begins it anew.
func (s *stream) restart() {
	s.t.Helper()
	_ = s.listener.Close()
	s.close()
	s.serve()
}
