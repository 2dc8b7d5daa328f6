package janitor_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-dev/berth/janitor"
)

func schedule(t *testing.T, expr string) janitor.Schedule {
	t.Helper()
	s, err := janitor.ParseSchedule(expr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAJobRunsAtEachOfItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		s := &janitor.Scheduler{Log: slog.New(slog.DiscardHandler), Jobs: []janitor.Job{{
			Name: "sweep", Schedule: schedule(t, "0 * * * *"), Splay: 7 * time.Minute,
			Run: func(context.Context, janitor.Options) janitor.Outcome {
				at = append(at, time.Now())
				return janitor.Outcome{Result: "ok"}
			},
		}}}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if len(at) != 24 {
			t.Errorf("ran %d times in a day, want 24", len(at))
		}
		for _, when := range at {
			if when.Minute() != 7 || when.Second() != 0 {
				t.Errorf("ran at %s, want 7 minutes past", when)
			}
		}
	})
}

// I5: a job that hangs delays neither another nor its own bookkeeping.
func TestI5AJobWaitsForNoOtherAndNeverOverlapsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick, overlapping := 0, 0, 0
		s := &janitor.Scheduler{Log: slog.New(slog.DiscardHandler)}
		s.Jobs = []janitor.Job{
			{Name: "slow", Schedule: schedule(t, "* * * * *"), Run: func(ctx context.Context, _ janitor.Options) janitor.Outcome {
				slow++
				overlapping++
				if overlapping > 1 {
					t.Error("slow overlaps itself")
				}
				time.Sleep(150 * time.Second) //nolint:forbidigo // in a bubble of fake time
				overlapping--
				return janitor.Outcome{Result: "failed"}
			}},
			{Name: "quick", Schedule: schedule(t, "* * * * *"), Run: func(context.Context, janitor.Options) janitor.Outcome {
				quick++
				return janitor.Outcome{Result: "ok"}
			}},
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if quick != 60 || slow != 20 {
			t.Errorf("in an hour quick ran %d and slow %d times, want 60 and 20", quick, slow)
		}
		for _, j := range s.States() {
			if j.Running || j.Last == nil || (j.Name == "slow") != (j.Failures > 0) {
				t.Errorf("state after the end: %+v", j)
			}
		}
	})
}

func TestTriggerNamesTheJobsThereAre(t *testing.T) {
	s := &janitor.Scheduler{Jobs: []janitor.Job{{Name: "sweep"}}, Log: slog.New(slog.DiscardHandler)}
	_, err := s.Trigger(t.Context(), "sweap", janitor.Options{})
	if !errors.Is(err, janitor.ErrUnknownJob) || err.Error() != `job "sweap": no such job: there is sweep` {
		t.Errorf("Trigger = %v", err)
	}
}

func TestSplayIsStableAndBelowHalfThePeriod(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hourly, often := schedule(t, "0 * * * *"), schedule(t, "* * * * *")
	seen := map[time.Duration]bool{}
	for _, host := range []string{"i-0a", "i-0b", "i-0c", "i-0d"} {
		d := hourly.Splay(host, "sweep", 10*time.Minute, now)
		if d != hourly.Splay(host, "sweep", 10*time.Minute, now.Add(time.Hour)) || d < 0 || d >= 10*time.Minute {
			t.Errorf("splay of %s is %v", host, d)
		}
		seen[d] = true
		if d := often.Splay(host, "sweep", 10*time.Minute, now); d >= 30*time.Second {
			t.Errorf("splay of a minutely job is %v, want below 30s", d)
		}
	}
	if len(seen) != 4 {
		t.Errorf("four hosts share splays: %v", seen)
	}
}

func TestASchedulesFaultNamesTheExpression(t *testing.T) {
	for _, bad := range []string{
		"", "61 * * * *", "* * * *", "@fortnightly", "TZ=UTC", "TZ= * * * * *", "CRON_TZ=Mars/Olympus 0 * * * *",
		"@every -1h", "@every 1s", "0 0 31 2 *",
	} {
		if _, err := janitor.ParseSchedule(bad); err == nil || !strings.Contains(err.Error(), strconv.Quote(bad)) {
			t.Errorf("ParseSchedule(%q) = %v, want an error that names it", bad, err)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{"0 * * * *", "TZ=UTC", "@every 90m", "0 0 29 2 *", "*/7 1-5 * * mon"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		s, err := janitor.ParseSchedule(expr)
		if err != nil {
			return
		}
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		if next := s.Next(now); !next.After(now) && !next.IsZero() {
			t.Errorf("%q is next due at %s, at %s", expr, next, now)
		}
	})
}

// Nobody waits for a day because the clock was a day ahead when the next run
// was computed.
func TestAClockThatWentBackDelaysNoJob(t *testing.T) {
	s := &janitor.Scheduler{Log: slog.New(slog.DiscardHandler), Jobs: []janitor.Job{{Name: "sweep", Schedule: schedule(t, "0 * * * *")}}}
	noon := time.Date(2026, 11, 23, 12, 30, 0, 0, time.UTC)
	s.Due(noon.Add(24 * time.Hour))
	s.Due(noon)
	if got, want := s.States()[0].Next, noon.Add(30*time.Minute); !got.Equal(want) {
		t.Errorf("next is due at %s, want %s", got, want)
	}
	if due := s.Due(noon.Add(30 * time.Minute)); len(due) != 1 {
		t.Errorf("%d jobs are due on the hour, want 1", len(due))
	}
}
