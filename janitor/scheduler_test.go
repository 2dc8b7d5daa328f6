package janitor_test

import (
	"context"
	"errors"
	"log/slog"
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
				time.Sleep(150 * time.Second)
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
	if _, err := janitor.ParseSchedule("61 * * * *"); err == nil {
		t.Error("minute 61 was taken")
	}
}
