package e2e_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/berth-dev/berth/test/engine"
)

// TestMetricsReachTheReceiver: over UDP, under the prefix, with no name that
// is not in the table.
func TestMetricsReachTheReceiver(t *testing.T) {
	t.Parallel()
	receiver := receive(t)
	e := engine.Default(t)
	d := launch(t, settings{
		"docker.socket": e.Socket(), "logs.undo": "0s", "logs.unknown_grace": "0s",
		"metrics.dogstatsd": receiver.addr, "metrics.tags": []string{"env:test"},
	})
	id := e.Create(t, engine.Options{})
	d.knows(id)
	f, err := mark(filepath.Join(d.mount("orders"), deadID), 3)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a sweep that frees something", func() bool { return d.sweep().Freed > 0 })
	if !f.gone() {
		t.Errorf("%s is still there", f.path)
	}
	d.stop() // the last report is sent at the end
	for _, name := range []string{
		"containers", "docker.connected", "logs.sweeps", "logs.removed", "logs.purged", "logs.freed_bytes",
		"config.generation", "store.up", "process.rss_bytes",
	} {
		eventually(t, "metric "+name, func() bool { return slices.Contains(receiver.names(), "berth."+name) })
	}
	table := metricTable(t)
	for _, name := range receiver.names() {
		if !slices.Contains(table, strings.TrimPrefix(name, "berth.")) {
			t.Errorf("metric %q is not in the table %q", name, table)
		}
	}
	for _, line := range receiver.lines() {
		if !strings.Contains(line, "env:test") {
			t.Errorf("metric without the configured tag: %s", line)
		}
	}
}

// A receiver is a dogstatsd that keeps what it gets.
type receiver struct {
	addr string

	mu  sync.Mutex // guards got
	got []string   // one metric each, as sent
}

func receive(t *testing.T) *receiver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{addr: conn.LocalAddr().String()}
	var reading sync.WaitGroup
	reading.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.got = append(r.got, strings.Split(strings.TrimSpace(string(buf[:n])), "\n")...)
			r.mu.Unlock()
		}
	})
	t.Cleanup(func() { conn.Close(); reading.Wait() })
	return r
}

func (r *receiver) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// names are the names received, sorted, each once.
func (r *receiver) names() []string {
	var names []string
	for _, line := range r.lines() {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// metricTable reads the names of the product's table from its source: it is
// internal to the agent.
func metricTable(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../agent/internal/stats/metrics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, isValue := n.(*ast.ValueSpec); isValue {
			for _, v := range spec.Values {
				if literal, isLiteral := v.(*ast.BasicLit); isLiteral && literal.Kind == token.STRING {
					name, _ := strconv.Unquote(literal.Value)
					names = append(names, name)
				}
			}
		}
		return true
	})
	return names
}
