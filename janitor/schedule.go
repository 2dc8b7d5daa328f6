package janitor

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// A Schedule says when a job is due next after a moment. Times are UTC.
type Schedule struct {
	expr string
	cron cron.Schedule
}

// minEvery is the shortest period of "@every": the finest that five fields can
// say.
const minEvery = time.Minute

// ParseSchedule reads a cron expression of five fields, or a descriptor such
// as @hourly or @every 90m. One that never comes due is refused, and so is a
// time zone: its parser would panic on some, and a fleet has one clock.
func ParseSchedule(expr string) (Schedule, error) {
	if strings.Contains(expr, "=") {
		return Schedule{}, fmt.Errorf("schedule %q: a time zone cannot be given: times are UTC", expr)
	}
	parsed, err := cron.ParseStandard(expr)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", expr, err)
	}
	if every, ok := strings.CutPrefix(expr, "@every "); ok {
		if d, err := time.ParseDuration(every); err != nil || d < minEvery {
			return Schedule{}, fmt.Errorf("schedule %q: the shortest period is %s", expr, minEvery)
		}
	}
	s := Schedule{expr, parsed}
	if s.Next(time.Unix(0, 0)).IsZero() {
		return Schedule{}, fmt.Errorf("schedule %q: there is no such day", expr)
	}
	return s, nil
}

// String returns the expression.
func (s Schedule) String() string { return s.expr }

// Next returns the first due moment after t; zero if there is none within five
// years.
func (s Schedule) Next(t time.Time) time.Time { return s.cron.Next(t.UTC()) }

// Splay returns how long after its scheduled moments this host runs a job: the
// same every time, spread evenly over hosts, below limit and below half of the
// schedule's period.
func (s Schedule) Splay(host, job string, limit time.Duration, now time.Time) time.Duration {
	first := s.Next(now)
	limit = min(limit, s.Next(first).Sub(first)/2)
	if limit <= 0 {
		return 0
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s", host, job)
	return time.Duration(h.Sum64() % uint64(limit)).Truncate(time.Millisecond)
}
