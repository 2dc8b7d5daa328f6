package main

import (
	"net"
	"os"

	"github.com/DataDog/datadog-go/v5/statsd"
)

// metrics is where counters go: to neither, either or both.
type metrics struct {
	bare   net.Conn       // to $DOGSTATSD
	client *statsd.Client // configured by its own environment
	tag    string
}

// dialMetrics connects to what the environment names. A server that is not
// there is no error: that is UDP.
func dialMetrics() (*metrics, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	m := &metrics{tag: "from:" + host}
	if addr := os.Getenv("DOGSTATSD"); addr != "" {
		if m.bare, err = net.Dial("udp", addr); err != nil {
			return nil, err
		}
	}
	if os.Getenv("DD_AGENT_HOST") != "" {
		m.client, err = statsd.New("", statsd.WithTags([]string{m.tag}))
	}
	return m, err
}

func (m *metrics) any() bool { return m.bare != nil || m.client != nil }

// count sends one count to each.
func (m *metrics) count() {
	if m.bare != nil {
		_, _ = m.bare.Write([]byte("workload.lines:1|c|#" + m.tag))
	}
	if m.client != nil {
		_ = m.client.Incr("workload.counts", nil, 1)
	}
}

func (m *metrics) close() {
	if m.client != nil {
		_ = m.client.Close() // sends what it still has
	}
}
