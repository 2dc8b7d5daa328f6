package dogstatsd_test

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-dev/berth/test/dogstatsd"
)

const payload = "a:1|c|#x:y,z|c:ci-1\nb:2|g\nno line\n\n"

func TestAReceiverCountsWhatComes(t *testing.T) {
	for _, network := range []string{"udp", "unixgram", "unix"} {
		t.Run(network, func(t *testing.T) {
			r := dogstatsd.Listen(t, dogstatsd.Options{Network: network, Address: place(t, network), Keep: true, Buffer: 1 << 16})
			conn := dial(t, r, network)
			send(t, conn, network, payload)
			send(t, conn, network, "a:1|c")
			r.Wait(t, "two datagrams", func(c dogstatsd.Counts) bool { return c.Datagrams == 2 })
			c := r.Counts()
			if c.Messages != 4 || c.Errors != 1 || c.LastError == nil || c.Unended != 1 || c.Bytes != len(payload)+5 {
				t.Errorf("counted %+v", c)
			}
			if c.ByName["a"] != 2 || c.ByTag["x:y"] != 1 || c.ByTag["z"] != 1 || c.ByContainer["ci-1"] != 1 {
				t.Errorf("counted %+v", c)
			}
			if got := r.Datagrams(); len(got) != 2 || got[0].Payload != payload {
				t.Errorf("kept %+v", got)
			}
		})
	}
}

func TestAReceiverSeesWhoSends(t *testing.T) {
	for _, network := range []string{"unixgram", "unix"} {
		t.Run(network, func(t *testing.T) {
			r := dogstatsd.Listen(t, dogstatsd.Options{Network: network, Address: place(t, network), Credentials: true})
			send(t, dial(t, r, network), network, "a:1|c\n")
			r.Wait(t, "a message of this process", func(c dogstatsd.Counts) bool { return c.ByPID[os.Getpid()] == 1 })
		})
	}
}

func TestAReceiverComesBackWhereItWas(t *testing.T) {
	for _, network := range []string{"udp", "unixgram", "unix"} {
		t.Run(network, func(t *testing.T) {
			r := dogstatsd.Listen(t, dogstatsd.Options{Network: network, Address: place(t, network)})
			before := r.Address()
			r.Stop()
			if conn, err := net.Dial(network, before); err == nil && network != "udp" {
				conn.Close()
				t.Error("somebody listens after Stop")
			}
			r.Start(t)
			send(t, dial(t, r, network), network, "a:1|c\n")
			r.Wait(t, "a message", func(c dogstatsd.Counts) bool { return c.Messages == 1 })
			if r.Address() != before {
				t.Errorf("it was at %s, and is at %s", before, r.Address())
			}
		})
	}
}

func TestAReceiverHangsUntilItIsRoused(t *testing.T) {
	r := dogstatsd.Listen(t, dogstatsd.Options{Network: "udp", Delay: time.Hour})
	conn := dial(t, r, "udp")
	send(t, conn, "udp", "a:1|c\n")
	r.Wait(t, "the first", func(c dogstatsd.Counts) bool { return c.Messages == 1 })
	send(t, conn, "udp", "a:1|c\n")
	r.Slow(0)
	r.Wait(t, "the second", func(c dogstatsd.Counts) bool { return c.Messages == 2 })
}

func TestAFrameThatIsTooLongEndsItsConnection(t *testing.T) {
	r := dogstatsd.Listen(t, dogstatsd.Options{Network: "unix", Address: place(t, "unix")})
	conn := dial(t, r, "unix")
	if _, err := conn.Write(binary.LittleEndian.AppendUint32(nil, 8193)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still there")
	}
}

// place is short enough for a unix socket, whose path has 107 bytes at most.
func place(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		return ""
	}
	dir, err := os.MkdirTemp("", "dsd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "dsd.socket")
}

func dial(t *testing.T, r *dogstatsd.Receiver, network string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, r.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func send(t *testing.T, conn net.Conn, network, payload string) {
	t.Helper()
	if network == "unix" {
		payload = string(binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))) + payload
	}
	if _, err := conn.Write([]byte(payload)); err != nil {
		t.Fatal(err)
	}
}
