package agent

import (
	"context"
	"iter"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// errNoRelay is what is answered where there is nothing to look into.
func errNoRelay() error { return api.Conflict("there is no relay: relay.listen is off") }

// RelayTap returns the lines that pass a filter, as they go to the upstream.
func (a *Agent) RelayTap(ctx context.Context, f api.RelayFilter, beat time.Duration) (iter.Seq[api.RelayLine], error) {
	if a.relay == nil {
		return nil, errNoRelay()
	}
	return func(yield func(api.RelayLine) bool) {
		tap := a.relay.Tap(dogstatsd.Filter{Container: f.Container, Service: f.Service, Name: f.Name})
		defer tap.Close()
		silence := time.NewTicker(beat)
		defer silence.Stop()
		for {
			var line api.RelayLine
			select {
			case <-ctx.Done():
				return
			case <-silence.C:
				line.Time = stamp(time.Now())
			case t := <-tap.C:
				silence.Reset(beat)
				line = lineOf(t)
			}
			line.Missed = tap.Missed()
			if !yield(line) {
				return
			}
		}
	}, nil
}

func lineOf(t dogstatsd.Tapped) api.RelayLine {
	line := api.RelayLine{Time: stamp(t.Time), Container: string(t.Container), Service: t.Service, Line: string(t.Bytes)}
	if t.Address.IsValid() {
		line.Address = t.Address.String()
	}
	return line
}
