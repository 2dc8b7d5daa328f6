package logs

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Verdict is what a plan says of a folder.
type Verdict string

// The verdicts.
const (
	Keep   Verdict = "keep"
	Remove Verdict = "remove"
)

// Why a folder is kept or removed. The words are stable.
const (
	CodeBlind      = "blind"       // nothing may be removed now
	CodeListed     = "listed"      // Docker lists its container, in whatever state
	CodeProcess    = "process"     // a process of its container is there, though Docker does not list it
	CodeMissing    = "missing"     // its container is absent from the listing, and that is not certain yet
	CodeGrace      = "grace"       // its container has not been gone for long enough
	CodeUnknown    = "unknown"     // its container was never seen here, and it is too young for that
	CodeHeld       = "held"        // it was restored
	CodeWritten    = "written"     // something in it changed not long ago
	CodeOpen       = "open"        // a process has a file of it open
	CodeMount      = "mount"       // another file system is mounted inside
	CodeUnreadable = "unreadable"  // it could not be looked into
	CodeUnmeasured = "unmeasured"  // it has not been looked into
	CodeRetained   = "retained"    // its container is gone, and the limits of age and size let it stay
	CodeLimited    = "limited"     // it would go, and one sweep removes only so much
	CodeGone       = "gone"        // its container is gone
	CodeNeverSeen  = "never-seen"  // its container was never seen here, and it is old
	CodeRestorable = "restorable"  // it was removed and can be restored
	CodeOrphan     = "orphan"      // it lies in the yard, and nobody knows why
	CodeSwapped    = "swapped"     // it became another folder while it was removed
	CodeAlive      = "alive"       // its container turned up after all
	CodeFailed     = "failed"      // the system refused
	CodeOperator   = "operator"    // somebody asked for it
	CodeWindow     = "window-over" // it could be restored for long enough
	CodePressure   = "pressure"    // its space was needed before that
)

// A Decision is what a plan says of one folder, and why.
type Decision struct {
	Folder
	Verdict Verdict
	Code    string
	Reason  string    // a sentence; times in it are absolute
	Bytes   int64     // on disk; -1: not measured
	Files   int64     // -1: not measured
	Written time.Time // newest change of anything in it; zero: not measured
	Until   time.Time // when the verdict may become another; zero: nobody knows
	Dead    time.Time // when its container went or, if nobody saw it, the last change; zero: not dead
}

// A Plan is what a sweep would do, with a reason for every folder.
type Plan struct {
	Decisions []Decision // sorted by path
	Blind     string     // why nothing may be removed; empty if it may
	Notes     []string   // what was left alone without being a folder of a container
	Unlimited bool       // the limits of one sweep were lifted
}

// Removals returns the folders to remove.
func (p Plan) Removals() []Decision {
	var all []Decision
	for _, d := range p.Decisions {
		if d.Verdict == Remove {
			all = append(all, d)
		}
	}
	return all
}

// Text is the plan as a dry run prints it and as it is hashed: a line for every
// folder whose container Docker does not list. The folders of listed containers
// are left out: they are not in question, and they change all the time. The
// same facts give the same bytes.
func (p Plan) Text() string {
	var b strings.Builder
	if p.Blind != "" {
		fmt.Fprintf(&b, "blind  %s\n", p.Blind)
	}
	for _, d := range p.Decisions {
		if d.Code == CodeListed || d.Code == CodeBlind {
			continue
		}
		fmt.Fprintf(&b, "%-6s %q inode %d: %s: %s\n", d.Verdict, d.Path(), d.Identity.Ino, d.Code, d.Reason)
	}
	return b.String()
}

// Hash names the plan: the first 12 hexadecimal digits of the SHA-256 of its
// text.
func (p Plan) Hash() string {
	sum := sha256.Sum256([]byte(p.Text()))
	return hex.EncodeToString(sum[:])[:12]
}

// A Policy says when a folder goes.
type Policy struct {
	Grace        time.Duration // after the container went, and after the last write
	UnknownGrace time.Duration // the same for a folder whose container was never seen, counted from its birth

	// Without the next three a dead folder goes when its grace is over. With any
	// of them it stays for as long as none of those that are set sends it away.
	MaxAge          time.Duration // since the container went; 0: off
	MaxBytes        int64         // of all dead folders of a root, oldest go first; 0: off
	MaxServiceBytes int64         // of those of one service; 0: off

	Limit Limit
}

// MakePlan decides about every folder. It is a pure function: the same facts,
// policy and time give the same plan.
func MakePlan(f Facts, p Policy, now time.Time) Plan {
	plan := Plan{Blind: f.Blind, Notes: f.Notes, Decisions: make([]Decision, 0, len(f.Folders))}
	j := judge{facts: f, living: f.living(), policy: p, now: now}
	for _, folder := range f.Folders {
		d := Decision{Folder: folder, Verdict: Keep, Bytes: -1, Files: -1}
		j.decide(&d)
		plan.Decisions = append(plan.Decisions, d)
	}
	slices.SortFunc(plan.Decisions, func(a, b Decision) int {
		return cmp.Or(cmp.Compare(a.Root, b.Root), cmp.Compare(a.Rel, b.Rel))
	})
	p.retain(plan.doomed(), f.Pressure, now)
	p.Limit.hold(plan.doomed(), f.Pressure, len(plan.Decisions))
	plan.Unlimited = p.Limit == Limit{}
	return plan
}
