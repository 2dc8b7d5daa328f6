package logs

import (
	"fmt"
	"slices"
	"time"
)

// A Limit is how much one sweep may do: what a wrong belief could cost at most
// before somebody notices. Each field may be zero: no limit.
type Limit struct {
	Share int           // percent of all folders, but never fewer than [LeastShare]
	Bytes int64         // one folder may go even if it is larger
	Time  time.Duration // for looking into folders and taking them away
}

// LeastShare is how many folders every sweep may remove.
const LeastShare = 20

// doomed returns the decisions to remove, in the order in which the containers
// went.
func (p Plan) doomed() []*Decision {
	var all []*Decision
	for i := range p.Decisions {
		if d := &p.Decisions[i]; d.Verdict == Remove {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b *Decision) int { return a.Dead.Compare(b.Dead) })
	return all
}

// retain keeps those of the doomed, oldest first, that no limit sends away. No
// root that is short of space retains anything.
func (p Policy) retain(doomed []*Decision, pressure map[string]Pressure, now time.Time) {
	if p.MaxAge == 0 && p.MaxBytes == 0 && p.MaxServiceBytes == 0 {
		return
	}
	type service struct{ root, name string }
	ofRoot, ofService := map[string]int64{}, map[service]int64{}
	for _, d := range doomed {
		ofRoot[d.Root] += d.Bytes
		ofService[service{d.Root, d.Service}] += d.Bytes
	}
	for _, d := range doomed {
		of := service{d.Root, d.Service}
		switch over := d.Dead.Add(p.MaxAge); {
		case pressure[d.Root] >= High:
			d.Reason += "; its space is needed"
		case p.MaxAge > 0 && !now.Before(over):
			d.Reason += fmt.Sprintf("; kept until %s", clock(over))
		case p.MaxBytes > 0 && ofRoot[d.Root] > p.MaxBytes:
			d.Reason += fmt.Sprintf("; dead folders of the root take more than %d bytes", p.MaxBytes)
		case p.MaxServiceBytes > 0 && ofService[of] > p.MaxServiceBytes:
			d.Reason += fmt.Sprintf("; dead folders of the service take more than %d bytes", p.MaxServiceBytes)
		default:
			if p.MaxAge > 0 {
				d.Until = over
			}
			d.keep(CodeRetained, "%s; within the limits of age and size", d.Reason)
			continue
		}
		ofRoot[d.Root] -= d.Bytes
		ofService[of] -= d.Bytes
	}
}

// hold keeps those of the doomed, youngest first, that are too much for one
// sweep over so many folders. In an emergency there is no such thing.
func (l Limit) hold(doomed []*Decision, pressure map[string]Pressure, folders int) {
	most, size := len(doomed), int64(0)
	if l.Share > 0 {
		most = max(LeastShare, (folders*l.Share+99)/100)
	}
	for i, d := range doomed {
		size += d.Bytes
		switch {
		case pressure[d.Root] >= Emergency:
		case i >= most:
			d.keep(CodeLimited, "%s; one sweep removes %d of %d folders", d.Reason, most, folders)
		case i > 0 && l.Bytes > 0 && size > l.Bytes:
			d.keep(CodeLimited, "%s; one sweep removes %d bytes", d.Reason, l.Bytes)
		}
	}
}
