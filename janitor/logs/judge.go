package logs

import (
	"errors"
	"fmt"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/ledger"
)

// Facts are everything that a plan is made from.
type Facts struct {
	Folders   []Folder              // scanned before the listing was asked for (J1)
	Listed    []inventory.Container // every container, in whatever state
	Processes map[inventory.ID]int  // containers that the process table knows (J3)
	Ledger    ledger.View
	Measured  map[string]Measured // by path: those that were looked into
	Pressure  map[string]Pressure // by root; those without any may be missing
	Blind     string              // why none of this may be believed; empty if it may (J2)
	Notes     []string
}

// Measured is what a look into one folder showed.
type Measured struct {
	Usage beneath.Usage
	Open  string // the process that has a file of it open; empty: none seen
	Err   error  // why it could not be looked into
}

// A judge decides about one folder: each rule either has the last word or
// leaves it to the next. All but the last keep it.
type judge struct {
	facts  Facts
	living living
	policy Policy
	now    time.Time
}

func (j *judge) decide(d *Decision) {
	if len(j.facts.Measured) > 0 {
		if m, ok := j.facts.Measured[d.Path()]; ok && m.Err == nil {
			d.Bytes, d.Files, d.Written = m.Usage.Bytes, m.Usage.Files, m.Usage.Written
		}
	}
	if !j.listed(d) && !j.blind(d) && !j.process(d) && !j.gone(d) && !j.held(d) && !j.measured(d) {
		d.Verdict = Remove
	}
}

func (d *Decision) keep(code, format string, args ...any) bool {
	d.Verdict, d.Code, d.Reason = Keep, code, fmt.Sprintf(format, args...)
	return true
}

func (j *judge) listed(d *Decision) bool {
	state, ok := j.living.listed[d.Name]
	if ok {
		d.Verdict, d.Code, d.Reason = Keep, CodeListed, "its container is "+string(state)
	}
	return ok
}

func (j *judge) blind(d *Decision) bool {
	return j.facts.Blind != "" && d.keep(CodeBlind, "%s", j.facts.Blind)
}

func (j *judge) process(d *Decision) bool {
	p, ok := j.living.running[d.Name]
	return ok && d.keep(CodeProcess, "process %d runs in container %s, which Docker does not list", p.pid, p.container.Short())
}

// gone keeps the folder until its container has been gone for the grace time,
// or, if nobody ever saw it, until the folder is old.
func (j *judge) gone(d *Decision) bool {
	entries := j.facts.Ledger.Named(d.Name)
	if len(entries) == 0 {
		return j.neverSeen(d)
	}
	var last ledger.Entry
	for _, e := range entries {
		if e.Gone.IsZero() {
			return d.keep(CodeMissing, "container %s is absent from Docker's list, but nothing says that it was removed", e.ID.Short())
		}
		if !e.Gone.Before(last.Gone) {
			last = e
		}
	}
	if until := last.Gone.Add(j.policy.Grace); j.now.Before(until) {
		d.Until = until
		return d.keep(CodeGrace, "its container was %s at %s; kept until %s", how(last), clock(last.Gone), clock(until))
	}
	d.Dead = last.Gone
	d.Code, d.Reason = CodeGone, fmt.Sprintf("its container was %s at %s", how(last), clock(last.Gone))
	return false
}

func (j *judge) neverSeen(d *Decision) bool {
	changed := d.Identity.Born
	if changed.Before(d.Changed) {
		changed = d.Changed
	}
	if until := changed.Add(j.policy.UnknownGrace); j.now.Before(until) {
		d.Until = until
		return d.keep(CodeUnknown, "no container of this name was ever seen here; kept until %s", clock(until))
	}
	d.Dead = changed
	d.Code, d.Reason = CodeNeverSeen, "no container of this name was ever seen here"
	return false
}

func (j *judge) held(d *Decision) bool {
	until := j.facts.Ledger.Holds[d.Path()]
	if !j.now.Before(until) {
		return false
	}
	d.Until = until
	return d.keep(CodeHeld, "it was restored; kept until %s", clock(until))
}

// measured keeps what could not be looked into and what is not quiet.
func (j *judge) measured(d *Decision) bool {
	m, ok := j.facts.Measured[d.Path()]
	switch {
	case !ok:
		return d.keep(CodeUnmeasured, "it has not been looked into")
	case errors.Is(m.Err, beneath.ErrMount):
		return d.keep(CodeMount, "%v", m.Err)
	case m.Err != nil:
		return d.keep(CodeUnreadable, "%v", m.Err)
	}
	if m.Open != "" {
		return d.keep(CodeOpen, "%s has a file of it open", m.Open)
	}
	if until := d.Written.Add(j.quiet(d.Code)); j.now.Before(until) {
		d.Until = until
		return d.keep(CodeWritten, "something in it changed at %s; kept until %s", clock(d.Written), clock(until))
	}
	d.Reason += fmt.Sprintf("; last change %s, %d files, %d bytes", clock(d.Written), d.Files, d.Bytes)
	if m.Usage.Truncated {
		d.Reason += " at least"
	}
	return false
}

// quiet is how long nothing may have changed in a folder. One whose container
// was never seen may be that of an engine that nobody told us of.
func (j *judge) quiet(code string) time.Duration {
	if code == CodeNeverSeen {
		return max(j.policy.UnknownGrace, j.policy.Grace)
	}
	return j.policy.Grace
}

func how(e ledger.Entry) string {
	if e.How == ledger.Removed {
		return "removed"
	}
	return "found missing"
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
