package janitor

import "time"

// Due is the scheduler's step, for a test that turns the clock back.
func (s *Scheduler) Due(now time.Time) []Job { return s.due(now) }
