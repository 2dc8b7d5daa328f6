package usage

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/journal"
)

const (
	memory      = 90 * 24 * time.Hour // how long what is gone is remembered
	grain       = time.Hour           // how far the file may be behind for what is in use all the time
	compactSize = 4 << 20             // bytes of the journal from which it is written anew
	room        = 1 << 20             // bytes set aside for what comes next, so that it can be written on a full disk
)

// A record is one line of the journal: the newest word on one subject.
type record struct {
	Image  *Entry   `json:"image,omitempty"`
	Family *Family  `json:"family,omitempty"`
	Volume *Mounted `json:"volume,omitempty"`
	Move   *Move    `json:"move,omitempty"`
}

// A Ledger may be used from many goroutines.
type Ledger struct {
	mu        sync.Mutex // guards the fields below
	path      string
	file      *journal.File // nil: nothing is written
	compactAt int64         // size of the file
	bad       int
	images    map[string]Entry
	families  map[string]Family
	volumes   map[string]Mounted
	moves     map[string]Move
	written   map[string]time.Time    // Used or Ran as the file has it, by subject
	known     map[inventory.ID]string // containers of the newest listing, and their images
	first     bool                    // no listing of containers has been seen since the start
	view      *View                   // of the state as it is; nil: it has changed since
	err       error                   // of the last write; nil once one succeeds
}

// New returns a ledger that is kept in memory only.
func New() *Ledger {
	return &Ledger{
		compactAt: compactSize, first: true,
		images: map[string]Entry{}, families: map[string]Family{}, volumes: map[string]Mounted{}, moves: map[string]Move{},
		written: map[string]time.Time{}, known: map[inventory.ID]string{},
	}
}

// Open opens or makes the ledger at path.
func Open(path string) (*Ledger, error) {
	l := New()
	l.path = path
	file, err := journal.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open ledger of images: %w", err)
	}
	l.file = file
	l.bad, err = file.Replay(func(b []byte) error {
		var r record
		if err := json.Unmarshal(b, &r); err != nil {
			return err
		}
		l.apply(r)
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger of images: %w", err), l.file.Close())
	}
	l.err = l.tidy() // on a full disk the old file goes on
	l.file.Reserve(room)
	return l, nil
}

// Close closes the file.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// Err is why the last write failed; nil once one succeeds.
func (l *Ledger) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// View returns what the ledger knows now.
func (l *Ledger) View() View {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.view == nil {
		l.view = &View{maps.Clone(l.images), maps.Clone(l.families), maps.Clone(l.volumes)}
	}
	return *l.view
}

// apply takes one record into the state. The caller holds mu.
func (l *Ledger) apply(r record) {
	l.view = nil
	switch {
	case r.Image != nil:
		l.images[r.Image.ID] = *r.Image
		l.written[r.Image.ID] = r.Image.Used
	case r.Family != nil:
		l.families[r.Family.Name] = *r.Family
		l.written["family "+r.Family.Name] = r.Family.Ran
	case r.Volume != nil:
		l.volumes[r.Volume.Name] = *r.Volume
		l.written["volume "+r.Volume.Name] = r.Volume.Used
	case r.Move != nil && r.Move.Done:
		delete(l.moves, r.Move.ID)
	case r.Move != nil:
		l.moves[r.Move.ID] = *r.Move
	}
}

// note applies records and leaves it to the kernel when they reach the disk: to
// lose the last makes an image less used by an hour at most, or younger. The
// caller holds mu.
func (l *Ledger) note(records []any) {
	if len(records) == 0 {
		return
	}
	for _, r := range records {
		l.apply(r.(record))
	}
	if l.file == nil {
		return
	}
	if l.err = l.file.Append(records...); l.err == nil {
		l.err = l.tidy()
		l.file.Reserve(room)
	}
}

// Listed takes in a complete listing of the images, and of the volumes if they
// were asked for.
func (l *Ledger) Listed(images []inventory.Image, volumes []inventory.Volume, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at = at.UTC()
	var records []any
	here := map[string]bool{}
	for _, i := range images {
		here[i.ID] = true
		e, ok := l.images[i.ID]
		before := e
		if !ok || !e.Gone.IsZero() {
			e.ID, e.Seen, e.Gone = i.ID, at, time.Time{}
		}
		if e.Size = i.Size; len(i.Names()) > 0 {
			e.Names = slices.Sorted(slices.Values(i.Names()))
		}
		if !ok || !before.Gone.IsZero() || before.Size != e.Size || !slices.Equal(before.Names, e.Names) {
			records = append(records, record{Image: &e})
		}
	}
	for id, e := range l.images {
		if e.Gone.IsZero() && !here[id] {
			e.Gone, e.InUse = at, false
			records = append(records, record{Image: &e})
		}
	}
	for _, v := range volumes {
		if _, ok := l.volumes[v.Name]; !ok && v.Anonymous {
			records = append(records, record{Volume: &Mounted{Name: v.Name, Seen: at}})
		}
	}
	l.note(records)
}

// Running takes in a complete listing of the containers.
func (l *Ledger) Running(containers []inventory.Container, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at = at.UTC()
	var records []any
	known, users := make(map[inventory.ID]string, len(containers)), map[string]bool{}
	families, volumes := map[string]Family{}, map[string]bool{}
	for _, c := range containers {
		known[c.ID], users[c.ImageID] = c.ImageID, true
		if _, ok := l.known[c.ID]; !ok {
			records = append(records, l.start(c, at)...)
		}
		if f := FamilyOf(c); f != "" && c.State.Up() {
			families[f] = Family{f, names(families[f].Refs, c.Image), at}
		}
		for _, m := range c.Mounts {
			volumes[m.Volume] = true
		}
	}
	l.known, l.first = known, false
	records = append(records, l.touch(users, at)...)
	for name, f := range families {
		due := at.Sub(l.written["family "+name]) >= grain || !slices.Equal(f.Refs, l.families[name].Refs)
		if l.families[name] = f; due {
			records = append(records, record{Family: &f})
		}
	}
	for name := range volumes {
		if v, ok := l.volumes[name]; ok {
			v.Used = at
			if l.volumes[name] = v; at.Sub(l.written["volume "+name]) >= grain {
				records = append(records, record{Volume: &v})
			}
		}
	}
	l.view = nil
	l.note(records)
}

// start takes in a container that the listing before lacked. After a start of
// Berth that is all of them, and only those younger than the last word on their
// image are news.
func (l *Ledger) start(c inventory.Container, at time.Time) []any {
	e, ok := l.images[c.ImageID]
	if !ok {
		e = Entry{ID: c.ImageID, Seen: at}
	}
	if l.first && !c.Created.After(e.Used) {
		return nil
	}
	e.note(c.Service, c.Created.UTC())
	e.InUse, e.Used = true, at
	l.images[e.ID] = e
	return []any{record{Image: &e}}
}

// touch notes which images are used at a moment. What the file has as being in
// use was so until now, or until nobody knows when: that is now as well.
func (l *Ledger) touch(users map[string]bool, at time.Time) []any {
	var records []any
	for id, e := range l.images {
		used := users[id]
		if !used && !e.InUse {
			continue
		}
		due := used != e.InUse || at.Sub(l.written[id]) >= grain
		e.Used, e.InUse = at, used
		if l.images[id] = e; due {
			records = append(records, record{Image: &e})
		}
	}
	return records
}

// Pulled takes in that a pull of an image, given by one of its names or its ID,
// has ended, and how long it took; 0: not known. An image that is not known yet
// is noted with the listing that follows.
func (l *Ledger) Pulled(name string, at time.Time, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, e := range l.images {
		if id != name && !slices.Contains(e.Names, name) || !e.Gone.IsZero() {
			continue
		}
		if e.Pulled = at.UTC(); took > 0 {
			e.Pull = took
		}
		l.note([]any{record{Image: &e}})
	}
}

// FamilyOf is the task family of a container, without its revision; outside ECS
// its service, if that is more than the name of its image.
func FamilyOf(c inventory.Container) string {
	family, _, _ := strings.Cut(c.Family, ":")
	return cmp.Or(family, c.Service)
}

func names(all []string, name string) []string {
	if !slices.Contains(all, name) {
		all = append(all, name)
		slices.Sort(all)
	}
	return all
}
