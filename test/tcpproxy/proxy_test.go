package tcpproxy_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/berth-dev/berth/test/tcpproxy"
)

// echo is a server that says everything twice: once by itself.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

// ask sends a line and waits for it to come back.
func ask(t *testing.T, conn net.Conn, patience time.Duration) error {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte("well?\n")); err != nil {
		return err
	}
	_, err := bufio.NewReader(conn).ReadString('\n')
	return err
}

func dial(t *testing.T, p *tcpproxy.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAProxyIsTransparentUntilToldOtherwise(t *testing.T) {
	p := tcpproxy.New(t, echo(t))
	conn := dial(t, p)
	if err := ask(t, conn, 10*time.Second); err != nil {
		t.Fatal(err)
	}

	p.Set(tcpproxy.Faults{Delay: 100 * time.Millisecond})
	began := time.Now()
	if err := ask(t, conn, 10*time.Second); err != nil || time.Since(began) < 200*time.Millisecond {
		t.Errorf("delayed: %v after %s", err, time.Since(began))
	}

	p.Set(tcpproxy.Faults{Hang: true})
	for name, conn := range map[string]net.Conn{"old": conn, "new": dial(t, p)} {
		if err := ask(t, conn, 200*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("half open, %s: got %v, want nothing", name, err)
		}
	}
	p.Set(tcpproxy.Faults{})
	if err := ask(t, conn, 10*time.Second); err != nil {
		t.Errorf("well again: %v", err)
	}

	p.Set(tcpproxy.Faults{Refuse: true})
	if err := ask(t, conn, 10*time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("cut: got %v, want an end", err)
	}
	if conn, err := net.Dial("tcp", p.Addr()); err == nil {
		_ = conn.Close()
		t.Error("a connection was accepted while all are refused")
	}
	p.Set(tcpproxy.Faults{})
	if err := ask(t, dial(t, p), 10*time.Second); err != nil {
		t.Errorf("after the cut: %v", err)
	}
}
