package images

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// A Lister answers completely or with an error.
type Lister interface {
	// Store lists images, then containers, and what else is wanted.
	Store(ctx context.Context, want inventory.Wanted) (inventory.Store, error)
	List(ctx context.Context) (inventory.Listing, error)
}

// A Remover changes what the Engine has, one thing at a time and never by force.
type Remover interface {
	RemoveName(ctx context.Context, name string) (deleted bool, err error) // of an image; with its last, the image
	AddName(ctx context.Context, id, name string) error
	RemoveContainer(ctx context.Context, id inventory.ID) error
	RemoveVolume(ctx context.Context, name string) error
	RemoveCached(ctx context.Context, id string, unused time.Duration) error // if it was not used for so long
}

// A Clock times pulls.
type Clock interface {
	// Watch says where the Engine keeps its things. It may be called often.
	Watch(root string)
	// Took is how long the pull took that ended at a moment; 0 if nobody knows.
	Took(at time.Time) time.Duration
}

// An Event is something the sweeper did, for people who watch.
type Event struct {
	Type    string // images.removed, images.refused, images.lost
	Object  string
	Message string
	Bytes   int64
}

// Space is how much room the file system of the data root wants.
type Space struct {
	Free   int64 // bytes
	Need   int64 // bytes until it has room enough; 0: it has
	Urgent bool  // it is nearly full
}

// A Sweeper removes what a plan names. Its methods may be called from many
// goroutines; one of them looks or removes at a time.
type Sweeper struct {
	Lister  Lister
	Remover Remover
	Ledger  *usage.Ledger
	Audit   *audit.Log
	Log     *slog.Logger
	Notify  func(Event)      // may be nil
	Now     func() time.Time // nil: time.Now

	Policy    Policy
	Wait      time.Duration                                         // between the loss of an image's names and its deletion; 0: 10 s
	Doubt     func(ctx context.Context, l inventory.Listing) string // why a listing may not be believed (J2); nil: it may
	Space     func(root string) Space                               // nil: there is always room
	Creations func() uint64                                         // how many containers were ever seen being created; nil: nobody counts
	Pulls     Clock                                                 // nil: nobody knows how long they take

	mu    sync.Mutex // held over a look or a sweep; guards the fields below
	plans []choice   // of the last few, newest last
	seen  sight      // the containers, as they were last seen

	once  sync.Once
	bell  chan struct{} // holds a token when the images may have changed
	heard sync.Mutex    // guards pulls
	pulls []pull

	stats counters
}

func (s *Sweeper) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC()
	}
	return time.Now().UTC()
}

func (s *Sweeper) notify(e Event) {
	if s.Notify != nil {
		s.Notify(e)
	}
}

// Options say what a sweep may do.
type Options struct {
	Plan     string // apply only what the plan with this hash names; empty: what is planned now
	DryRun   bool   // plan only
	UntilLow bool   // remove no more than it takes to bring the disk below its low mark
	By       string // who asked, for the audit
}

// An Outcome is what became of one object.
type Outcome struct {
	Kind   Kind
	ID     string
	Name   string
	Code   string
	Reason string
	Bytes  int64
}

// A Report is what a sweep did.
type Report struct {
	Plan      Plan
	DryRun    bool
	Removed   []Outcome
	Refused   []Outcome // planned, and kept after all
	Lost      []Outcome // images removed although a container needed them: never, or Berth is at fault
	Predicted int64     // bytes that what was removed should have set free
	Freed     int64     // bytes that the file system has more than before; others write there too
	Duration  time.Duration
}

// Result sums a report up: ok, blind or partial.
func (r Report) Result() string {
	switch {
	case r.Plan.Blind != "":
		return "blind"
	case len(r.Refused)+len(r.Lost) > 0:
		return "partial"
	default:
		return "ok"
	}
}

// ErrUnknownPlan is a hash that none of the last plans has.
var ErrUnknownPlan = errors.New("no plan of late has this hash: plan again")

// maxPlans is how many plans can be applied by their hash.
const maxPlans = 16

// A choice is what an earlier plan removes: each object as it was then.
type choice struct {
	hash     string
	objects  map[string]bool
	untilLow bool
}

func keyOf(d Decision) string { return fmt.Sprint(d.Kind, d.ID, d.Names) }

// Plan returns what a sweep would do now; with untilLow, one that removes no more
// than the disk needs.
func (s *Sweeper) Plan(ctx context.Context, untilLow bool) Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plan(ctx, untilLow)
}

func (s *Sweeper) plan(ctx context.Context, untilLow bool) Plan {
	f := s.look(ctx, s.Policy.Cached > 0)
	if untilLow && s.Space != nil {
		space := s.Space(f.Store.Engine.RootDir)
		f.Need, f.Urgent = cmp.Or(space.Need, -1), space.Urgent
	}
	p := MakePlan(f, s.Policy, s.now())
	c := choice{hash: p.Hash(), objects: map[string]bool{}, untilLow: untilLow}
	for _, d := range p.Removals() {
		c.objects[keyOf(d)] = true
	}
	s.plans = append(s.plans, c)
	s.plans = s.plans[max(0, len(s.plans)-maxPlans):]
	s.stats.planned(p)
	return p
}

// look asks the Engine for everything, and tells the ledger. The build cache is
// for plans alone: to list it can cost the Engine much, and the ledger has no use
// for it.
func (s *Sweeper) look(ctx context.Context, cached bool) (f Facts) {
	asked, creations := time.Now(), s.created()
	store, err := s.Lister.Store(ctx, inventory.Wanted{Volumes: s.Policy.Anonymous > 0, Ended: s.Policy.Stopped > 0, Cached: cached})
	if err != nil {
		return Facts{Blind: fmt.Sprintf("Docker cannot be asked: %v", err), Usage: s.Ledger.View()}
	}
	for n := range store.Images {
		store.Images[n] = stripped(store.Images[n])
	}
	f.Store = store
	if s.Pulls != nil {
		s.Pulls.Watch(store.Engine.RootDir)
	}
	s.see(store.Listing, asked, creations)
	if f.Blind = s.doubt(ctx, store.Listing); f.Blind == "" {
		s.Ledger.Listed(store.Images, store.Volumes, store.Taken)
		s.Ledger.Running(store.Containers, store.Taken)
	}
	f.Usage = s.Ledger.View()
	return f
}

// A sight is one look at the containers.
type sight struct {
	root      string    // Docker's data root
	asked     time.Time // when the question was asked
	creations uint64    // that had been heard of by then
	users     map[string]inventory.Container
}

func (s *Sweeper) created() uint64 {
	if s.Creations == nil {
		return 0
	}
	return s.Creations()
}

// see keeps who uses which image, by its ID and by each name that a container
// gives.
func (s *Sweeper) see(l inventory.Listing, asked time.Time, creations uint64) {
	s.seen = sight{l.Engine.RootDir, asked, creations, map[string]inventory.Container{}}
	for _, c := range l.Containers {
		s.seen.users[c.ImageID], s.seen.users[c.Image] = c, c
	}
}

func (s *Sweeper) doubt(ctx context.Context, l inventory.Listing) string {
	if s.Doubt == nil {
		return ""
	}
	return s.Doubt(ctx, l)
}

// Sweep plans and applies. What it does is a subset of the plan it returns
// (J6).
func (s *Sweeper) Sweep(ctx context.Context, o Options) (Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	began := time.Now()
	r := Report{DryRun: o.DryRun}
	named, err := s.named(o.Plan)
	if err != nil {
		return r, err
	}
	if !o.DryRun {
		err = s.recover(ctx)
	}
	r.Plan = s.plan(ctx, o.UntilLow || named != nil && named.untilLow)
	chosen := slices.Clone(r.Plan.Removals())
	if named != nil {
		chosen = slices.DeleteFunc(chosen, func(d Decision) bool { return !named.objects[keyOf(d)] })
	}
	if !o.DryRun && r.Plan.Blind == "" && len(chosen) > 0 {
		a := &applier{Sweeper: s, report: &r, hash: cmp.Or(o.Plan, r.Plan.Hash()), by: o.By}
		err = errors.Join(err, a.apply(ctx, chosen))
	}
	r.Duration = time.Since(began)
	s.stats.swept(r, err)
	s.tell(r)
	return r, err
}

// named returns what the plan with this hash removes; nil for an empty hash.
func (s *Sweeper) named(hash string) (*choice, error) {
	if hash == "" {
		return nil, nil
	}
	i := slices.IndexFunc(s.plans, func(c choice) bool { return c.hash == hash })
	if i < 0 {
		return nil, fmt.Errorf("plan %s: %w", hash, ErrUnknownPlan)
	}
	c := s.plans[i]
	return &c, nil
}

// tell tells the log and people how a sweep went.
func (s *Sweeper) tell(r Report) {
	if r.DryRun {
		return
	}
	if r.Plan.Blind != "" {
		s.Log.Info("swept images", "result", r.Result(), "reason", r.Plan.Blind)
		return
	}
	if r.Plan.Unread != "" {
		s.Log.Warn("list build cache", "err", r.Plan.Unread)
	}
	s.Log.Info("swept images", "result", r.Result(), "removed", len(r.Removed), "refused", len(r.Refused),
		"predicted_bytes", r.Predicted, "freed_bytes", r.Freed, "took", r.Duration)
	for _, o := range r.Lost {
		s.Log.Error("image was removed under a container", "image", o.Name, "reason", o.Reason)
	}
}

// A Story is all that is known of one object.
type Story struct {
	Decisions []Decision
	Entries   []usage.Entry
	History   []audit.Record
	Blind     string
}

// maxHistory is how many records of the audit a story has at most.
const maxHistory = 100

// Why tells what a sweep would do with the objects that somebody calls by a
// name, an ID or its first digits, and what was done with them.
func (s *Sweeper) Why(ctx context.Context, object string) (Story, error) {
	var story Story
	p := s.Plan(ctx, false)
	story.Blind = p.Blind
	subjects := map[string]bool{}
	for _, d := range p.Decisions {
		if means(object, d.ID, d.Names) {
			story.Decisions = append(story.Decisions, d)
			subjects[idOf(d)] = true
		}
	}
	for _, e := range s.Ledger.View().Images {
		if means(object, e.ID, e.Names) {
			story.Entries = append(story.Entries, e)
			subjects[digits(e.ID)] = true
		}
	}
	slices.SortFunc(story.Entries, func(a, b usage.Entry) int { return b.Came().Compare(a.Came()) })
	if inventory.IsHex(object) && len(object) >= minPrefix {
		subjects = map[string]bool{object: true}
	} else if isCachedID(object) {
		subjects[object] = true
	}
	for subject := range subjects {
		found, err := s.Audit.Find(subject, maxHistory, string(Image), string(Container), string(Volume), string(Cached))
		if err != nil {
			return Story{}, err
		}
		story.History = append(story.History, found...)
	}
	slices.SortFunc(story.History, func(a, b audit.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	story.History = story.History[max(0, len(story.History)-maxHistory):]
	return story, nil
}

// minPrefix is how many digits of an ID an operator must give.
const minPrefix = 4

// means reports whether an operator who says object means what has this ID and
// these names.
func means(object, id string, names []string) bool {
	_, digits, isDigest := strings.Cut(id, ":")
	if !isDigest {
		digits = id
	}
	if object == id || isCachedID(id) && len(object) >= len("123456789012") && strings.HasPrefix(id, object) || len(object) >= minPrefix && inventory.IsHex(object) && strings.HasPrefix(digits, object) {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return name == object || usage.Repository(name) == object
	})
}
