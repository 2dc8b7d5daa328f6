package stats

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
)

// A Sample is one value at one moment. Counts hold the total since the start;
// the reporter sends the difference.
type Sample struct {
	Name  string // one of the table's
	Value float64
	Tags  []string // key:value
}

// A Reporter sends samples at an interval.
type Reporter struct {
	Addr     string // host:port, or unix:///path
	Prefix   string // put before every name, with its dot
	Tags     []string
	Interval time.Duration // 0: 10 s
	Gather   func() []Sample
	Log      *slog.Logger

	sent map[string]float64 // totals of the counts as last sent
}

const defaultInterval = 10 * time.Second

// Run gathers and sends until ctx is cancelled, and once more then, so that
// the last counts are not lost. A receiver that is away is not an error: UDP
// does not tell, and metrics are never worth a stop.
func (r *Reporter) Run(ctx context.Context) error {
	interval := r.Interval
	if interval <= 0 {
		interval = defaultInterval
	}
	client, err := r.dial(interval)
	if err != nil {
		r.Log.Warn("metrics are not sent", "addr", r.Addr, "err", err)
		<-ctx.Done()
		return nil
	}
	defer client.Close()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		r.send(client)
		select {
		case <-ctx.Done():
			r.send(client)
			return nil
		case <-tick.C:
		}
	}
}

// dial makes a client that wakes up only when it is told to: its own flush
// loops run far apart, because send flushes.
func (r *Reporter) dial(interval time.Duration) (*statsd.Client, error) {
	client, err := statsd.New(r.Addr,
		statsd.WithNamespace(r.Prefix),
		statsd.WithTags(r.Tags),
		statsd.WithBufferFlushInterval(10*interval),
		statsd.WithAggregationInterval(10*interval),
		statsd.WithoutTelemetry(),
		statsd.WithoutOriginDetection(),
	)
	if err != nil {
		return nil, fmt.Errorf("dial dogstatsd %s: %w", r.Addr, err)
	}
	return client, nil
}

func (r *Reporter) send(client *statsd.Client) {
	if r.sent == nil {
		r.sent = map[string]float64{}
	}
	kinds := kinds()
	for _, s := range r.Gather() {
		switch kinds[s.Name] {
		case Gauge:
			_ = client.Gauge(s.Name, s.Value, s.Tags, 1)
		case Count:
			r.count(client, s)
		default:
			r.Log.Error("metric is not in the table", "metric", s.Name)
		}
	}
	_ = client.Flush()
}

// count sends what was added since the last time. Fractions are kept back
// until they make a whole, since dogstatsd counts are whole numbers.
func (r *Reporter) count(client *statsd.Client, s Sample) {
	key := s.Name + "|" + strings.Join(s.Tags, ",")
	added := int64(s.Value - r.sent[key])
	if added <= 0 {
		return
	}
	r.sent[key] += float64(added)
	_ = client.Count(s.Name, added, s.Tags, 1)
}

func kinds() map[string]Kind {
	kinds := map[string]Kind{}
	for _, m := range Metrics() {
		kinds[m.Name] = m.Kind
	}
	return kinds
}
