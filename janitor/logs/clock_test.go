package logs_test

import (
	"strings"
	"testing"
	"time"
)

// J2: a clock that went back is a reason to wait, and none to wait for ever.
func TestJ2AClockThatWentBackMakesTheSweepBlindForAWhile(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	r.later(48 * time.Hour)
	r.list()
	r.later(-36 * time.Hour)
	if report := r.sweep(); !strings.Contains(report.Plan.Blind, "the clock went back") {
		t.Errorf("blind is %q", report.Plan.Blind)
	}
	r.stays(path, "the clock went back")
	r.later(r.sweeper.Settle)
	if report := r.sweep(); report.Plan.Blind != "" {
		t.Errorf("after a while it is still blind: %s", report.Plan.Blind)
	}
	r.goes(path)
}
