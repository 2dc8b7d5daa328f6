package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// busiest counts calls by the second, until its result is asked for.
func (f *fleet) busiest(ctx context.Context) (most func() float64) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan float64)
	go func() {
		worst, before, at := 0.0, f.server.calls(ctx), time.Now()
		for sleep(ctx, time.Second); ctx.Err() == nil; sleep(ctx, time.Second) {
			calls, now := f.server.calls(ctx), time.Now()
			if calls == before && worst > 0 {
				continue // it was too busy to say so: two seconds count as two
			}
			worst = max(worst, float64(calls-before)/now.Sub(at).Seconds())
			before, at = calls, now
		}
		ended <- worst
	}()
	return func() float64 { cancel(); return <-ended }
}

// A use is what a server has done since a moment.
type use struct {
	*fleet
	began time.Time
	spent time.Duration
	count int64
}

func (f *fleet) since(ctx context.Context) use {
	return use{f, time.Now(), f.server.cpu(), f.server.calls(ctx)}
}

// cpu is the share of a core, in percent.
func (u use) cpu() float64 {
	return 100 * (u.server.cpu() - u.spent).Seconds() / time.Since(u.began).Seconds()
}

// calls is how many a second there were.
func (u use) calls(ctx context.Context) float64 {
	return float64(u.server.calls(ctx)-u.count) / time.Since(u.began).Seconds()
}

// sleep waits for a time.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// cpuTime is what this process has used: publishers, watcher and a store in it.
func cpuTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
