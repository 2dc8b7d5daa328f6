package usage

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/journal"
)

// A Move is an image on its way out: its names are taken away, and given back
// if somebody turns out to want it.
type Move struct {
	ID    string   `json:"id"`
	Names []string `json:"names,omitempty"` // that it had, tags first
	Done  bool     `json:"done,omitempty"`  // it is removed, or has its names back
}

// Move notes moves, or their ends, and returns once that is on disk.
func (l *Ledger) Move(moves ...Move) error {
	if len(moves) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	records := make([]any, len(moves))
	for n := range moves {
		r := record{Move: &moves[n]}
		l.apply(r)
		records[n] = r
	}
	if l.file == nil {
		return nil
	}
	defer l.file.Reserve(room)
	if err := l.file.Write(records...); err != nil {
		return fmt.Errorf("note names of images: %w", err)
	}
	return nil
}

// Moves returns the moves that have not ended, sorted by ID.
func (l *Ledger) Moves() []Move {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Move
	for _, id := range slices.Sorted(maps.Keys(l.moves)) {
		all = append(all, l.moves[id])
	}
	return all
}

// tidy writes the journal anew, without what is forgotten, once it has grown.
func (l *Ledger) tidy() error {
	if l.file.Size() < l.compactAt {
		return nil
	}
	err := l.compact()
	l.compactAt = max(compactSize, 2*l.file.Size())
	return err
}

func (l *Ledger) compact() error {
	next := l.path + ".next"
	if err := kernel.Unlinkat(unix.AT_FDCWD, next, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	fresh, err := journal.Open(next)
	if err != nil {
		return err
	}
	l.forget()
	err = fresh.Write(l.records()...)
	if err == nil {
		err = kernel.Renameat2(unix.AT_FDCWD, next, unix.AT_FDCWD, l.path, 0)
	}
	if err != nil {
		return errors.Join(err, fresh.Close(), kernel.Unlinkat(unix.AT_FDCWD, next, 0))
	}
	old := l.file
	l.file = fresh
	dir, err := os.Open(filepath.Dir(l.path))
	if err != nil {
		return errors.Join(err, old.Close())
	}
	return errors.Join(kernel.Fsync(int(dir.Fd())), dir.Close(), old.Close())
}

// forget lets go of what has been gone for long, counted from the newest thing
// that is known.
func (l *Ledger) forget() {
	var newest int64
	for _, e := range l.images {
		newest = max(newest, e.Seen.Unix(), e.Used.Unix(), e.Gone.Unix())
	}
	old := func(unix int64) bool { return newest-unix > int64(memory.Seconds()) }
	maps.DeleteFunc(l.images, func(_ string, e Entry) bool { return !e.Gone.IsZero() && old(e.Gone.Unix()) })
	maps.DeleteFunc(l.families, func(_ string, f Family) bool { return old(f.Ran.Unix()) })
	maps.DeleteFunc(l.volumes, func(_ string, v Mounted) bool { return old(max(v.Seen.Unix(), v.Used.Unix())) })
	l.view = nil
}

// records says in the fewest records what the ledger knows.
func (l *Ledger) records() []any {
	var all []any
	for _, id := range slices.Sorted(maps.Keys(l.images)) {
		e := l.images[id]
		all = append(all, record{Image: &e})
	}
	for _, name := range slices.Sorted(maps.Keys(l.families)) {
		f := l.families[name]
		all = append(all, record{Family: &f})
	}
	for _, name := range slices.Sorted(maps.Keys(l.volumes)) {
		v := l.volumes[name]
		all = append(all, record{Volume: &v})
	}
	for _, id := range slices.Sorted(maps.Keys(l.moves)) {
		m := l.moves[id]
		all = append(all, record{Move: &m})
	}
	return all
}
