package images

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// A Kind is what a decision is about.
type Kind string

// The kinds.
const (
	Image     Kind = "image"
	Container Kind = "container" // stopped
	Volume    Kind = "volume"    // anonymous
	Cached    Kind = "build-cache"
)

// A Verdict is what a plan says of an object.
type Verdict string

// The verdicts.
const (
	Keep   Verdict = "keep"
	Remove Verdict = "remove"
)

// Why an object is kept or removed. The words are stable.
const (
	CodeBlind    = "blind"    // nothing may be removed now
	CodeInUse    = "in-use"   // a container, in whatever state, is made from it or names it
	CodeYoung    = "young"    // pulled or first seen within the last hour
	CodePinned   = "pinned"   // images.keep or the label berth.keep names it
	CodeNewest   = "newest"   // one of the newest of its repository
	CodeFamily   = "family"   // a task family that ran not long ago names it
	CodeUsed     = "used"     // used, or pulled and never used, not long ago
	CodeECS      = "ecs"      // the ECS agent's own
	CodeOff      = "off"      // objects of its kind are not removed here
	CodeRunning  = "running"  // a container that is not stopped
	CodeShared   = "shared"   // an image has the same files: removing it would free nothing
	CodeParent   = "parent"   // another record of the build cache that stays is built on it
	CodeEngine   = "engine"   // a record of the build cache that the Engine keeps for itself
	CodeNamed    = "named"    // a volume that somebody gave a name, a driver or options
	CodeEnough   = "enough"   // there is room enough without it
	CodeUnused   = "unused"   // not used for long enough
	CodeDangling = "dangling" // the same, and nothing names it
	CodeStopped  = "stopped"  // a container that ended long enough ago
	CodePressure = "pressure" // its space is needed before its time
	CodeRaced    = "raced"    // somebody wanted it while it was removed
	CodeFailed   = "failed"   // the Engine refused
	CodeLost     = "lost"     // a container was made from an image that is removed
)

// A Decision is what a plan says of one object, and why.
type Decision struct {
	Kind    Kind
	ID      string   // an image's, a container's, a cached record's, or a volume's name
	Names   []string // an image's references or a container's names; may be none
	Verdict Verdict
	Code    string
	Reason  string    // a sentence; times in it are absolute
	Bytes   int64     // that become free, after what the plan removes before it
	Size    int64     // of all of it, what it shares with others included
	Used    time.Time // last use; zero: never
	Until   time.Time // when the verdict may become another; zero: nobody knows
	Worth   float64   // seconds of pulling that keeping it is expected to save within the horizon
}

// Name is what people call the object.
func (d Decision) Name() string {
	switch {
	case len(d.Names) > 0:
		return d.Names[0]
	case d.Kind == Volume || d.Kind == Cached:
		return d.ID
	default:
		return inventory.ShortImageID(d.ID)
	}
}

// Facts are everything that a plan is made from.
type Facts struct {
	Store  inventory.Store
	Usage  usage.View
	Blind  string // why none of this may be believed; empty if it may (J2)
	Need   int64  // bytes that are wanted free; 0: whatever may go goes; below: there is room enough
	Urgent bool   // the disk is nearly full: images go that are only too young to be unused
}

// A Policy says what goes.
type Policy struct {
	MinAge     time.Duration // since the last use
	Dangling   time.Duration // the same for what nothing names
	Keep       []string      // patterns of images that always stay, see [path.Match]
	KeepNewest int           // images of each repository that always stay
	Stopped    time.Duration // how long after its end a container goes; 0: never
	Anonymous  time.Duration // how long after its last use an anonymous volume goes; 0: never
	Cached     time.Duration // the same for a record of the build cache
}

// A Plan is what a sweep would do, with a reason for every object.
type Plan struct {
	Decisions []Decision // what goes, in that order; then what stays, sorted by kind and name
	Blind     string     // why nothing may be removed; empty if it may
	Unread    string     // why nothing is said about the build cache; empty if it was listed or is not wanted
	Need      int64      // see [Facts]
	Frees     int64      // bytes that all removals together set free
}

// Removals returns what goes, in order.
func (p Plan) Removals() []Decision {
	n := slices.IndexFunc(p.Decisions, func(d Decision) bool { return d.Verdict != Remove })
	if n < 0 {
		n = len(p.Decisions)
	}
	return p.Decisions[:n:n]
}

// Text is the plan as a dry run prints it and as it is hashed: a line for every
// object but those that are in use. The same facts give the same bytes.
func (p Plan) Text() string {
	var b strings.Builder
	if p.Blind != "" {
		fmt.Fprintf(&b, "blind  %s\n", p.Blind)
	}
	for _, d := range p.Decisions {
		switch d.Code {
		case CodeInUse, CodeRunning, CodeECS, CodeOff, CodeBlind:
			continue
		}
		fmt.Fprintf(&b, "%-6s %s %s %q %d bytes: %s: %s\n", d.Verdict, d.Kind, d.ID, d.Names, d.Bytes, d.Code, d.Reason)
	}
	return b.String()
}

// Hash names the plan: the first 12 hexadecimal digits of the SHA-256 of its
// text.
func (p Plan) Hash() string {
	sum := sha256.Sum256([]byte(p.Text()))
	return hex.EncodeToString(sum[:])[:12]
}

// MakePlan decides about every object. It is a pure function: the same facts,
// policy and time give the same plan.
func MakePlan(f Facts, p Policy, now time.Time) Plan {
	j := newJudge(f, p, now)
	var images, others []Decision
	for _, c := range f.Store.Containers {
		others = append(others, j.container(c))
	}
	for _, v := range f.Store.Volumes {
		others = append(others, j.volume(v))
	}
	others = append(others, j.cached()...)
	for _, i := range f.Store.Images {
		images = append(images, j.image(i))
	}
	plan := Plan{Blind: f.Blind, Need: f.Need, Unread: f.Store.Unread}
	order := newOrder(f, now)
	for _, d := range others {
		if d.Verdict == Remove {
			plan.Frees += d.Bytes
		}
	}
	need := f.Need
	if need > 0 && plan.Frees > 0 {
		need = cmp.Or(max(need-plan.Frees, 0), -1) // 0 would be all that may go
	}
	going, staying := order.choose(images, need)
	for _, d := range others {
		if d.Verdict == Remove {
			plan.Decisions = append(plan.Decisions, d)
		} else {
			staying = append(staying, d)
		}
	}
	slices.SortFunc(staying, func(a, b Decision) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.ID, b.ID))
	})
	plan.Decisions = slices.Concat(plan.Decisions, going, staying)
	for _, d := range going {
		plan.Frees += d.Bytes
	}
	return plan
}
