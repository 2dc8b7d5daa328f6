package storeserver

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// DynamoDB starts AWS's own DynamoDB for a single machine, which needs Java.
func DynamoDB(t testing.TB) *Server {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	lib := filepath.Join(cache, "berth-test", "dynamodb-local", "lib")
	if _, err := os.Stat(lib); err != nil {
		t.Fatalf("%v: make setup fetches it", err)
	}
	argv := func(addr, data string) []string {
		_, port, _ := net.SplitHostPort(addr)
		return []string{
			"java", "-Xmx256m", "-Djava.library.path=" + lib, "-cp", lib + "/*",
			"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-port", port, "-dbPath", data, "-sharedDb", "-disableTelemetry",
		}
	}
	return start(t, argv, func(addr string) error {
		text, err := ask(addr, "GET / HTTP/1.0\r\n\r\n")
		if err == nil && !strings.HasPrefix(text, "HTTP/") {
			err = net.ErrClosed
		}
		return err
	})
}
