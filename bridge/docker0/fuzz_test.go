package docker0_test

import (
	"os"
	"testing"

	"github.com/berth-dev/berth/bridge/docker0"
)

// No table of /proc, whatever the kernel, ends the daemon; and what is read has
// a port and an address.
func FuzzParseSockets(f *testing.F) {
	for _, name := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := docker0.ParseSockets(text)
		for _, o := range found {
			if err == nil && !o.Address.IsValid() {
				t.Errorf("%+v has no address", o)
			}
		}
	})
}

// No message, whole or cut, ends the daemon.
func FuzzParseMessages(f *testing.F) {
	f.Add(make([]byte, 8))
	f.Add(append(make([]byte, 16), 8, 0, 3, 0, 'l', 'o', 0, 0))
	f.Add(append(make([]byte, 12), 8, 0, 1, 0, 10, 0, 0, 1))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = docker0.ParseLink(b)
		_ = docker0.ParseAddress(b)
		_ = docker0.ParseRoute(b)
	})
}
