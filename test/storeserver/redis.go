package storeserver

import (
	"net"
	"strings"
	"testing"
)

// Redis starts a Redis that writes each change to its disk before it answers.
// Extra flags are Redis's.
func Redis(t testing.TB, flags ...string) *Server {
	t.Helper()
	argv := func(addr, data string) []string {
		host, port, _ := net.SplitHostPort(addr)
		return append([]string{
			"redis-server", "--bind", host, "--port", port, "--dir", data, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
		}, flags...)
	}
	return start(t, argv, pongs)
}

// pongs reports whether a Redis has loaded its data: it answers, if only that
// it does not know us.
func pongs(addr string) error {
	text, err := ask(addr, "PING\r\n")
	if err == nil && (strings.HasPrefix(text, "-LOADING") || text == "") {
		err = net.ErrClosed
	}
	return err
}
