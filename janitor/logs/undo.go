package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// A Selector says what to restore: exactly one of its fields is set.
type Selector struct {
	Object string // leading digits of a container's ID, at least 4, or the path of a folder
	Last   bool   // everything that the newest sweep removed
	Plan   string // everything that was removed under the plan with this hash
}

// What a selector can be refused for.
var (
	ErrNothing   = errors.New("nothing to restore")
	ErrAmbiguous = fmt.Errorf("%w: more than one container is meant", ErrNothing)
)

// Restore brings removed folders back: the same inodes at the same places. A
// folder that was restored is kept for UnknownGrace, whatever its container is.
func (s *Sweeper) Restore(ctx context.Context, sel Selector, by string) (restored, failed []Outcome, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	chosen, err := s.choose(sel)
	if err != nil {
		return nil, nil, err
	}
	var records []audit.Record
	for _, g := range chosen {
		out := g.outcome(CodeOperator, "restored by "+by)
		if err := errors.Join(ctx.Err(), s.bringBack(g)); err != nil {
			out.Code, out.Reason = CodeFailed, err.Error()
			failed = append(failed, out)
			continue
		}
		out.Until = s.now().Add(s.Policy.UnknownGrace)
		restored = append(restored, out)
		records = append(records, g.ground.record(audit.Restored, g.stone, CodeOperator, out.Reason, by))
		s.tell("logs.restored", out)
	}
	s.stats.add(func(t *Stats) { t.Restored += uint64(len(restored)) })
	s.tally()
	return restored, failed, s.write(records)
}

// bringBack holds the folder first: restored and not held, the next sweep
// would take it again. Where it cannot go back the hold is what it was: a folder
// that was restored to this place before may rest on it. For that one it never
// becomes shorter, not even until a crash is over.
func (s *Sweeper) bringBack(g grave) error {
	path := g.ground.Path + "/" + g.stone.Rel
	held, until := s.Ledger.View().Holds[path], s.now().Add(s.Policy.UnknownGrace)
	if held.After(until) {
		until = held // the clock went back
	}
	if err := s.Ledger.Hold(path, until); err != nil {
		return err
	}
	err := g.ground.yard.Restore(g.stone)
	if err == nil || errors.Is(err, tombstone.ErrUnsynced) {
		return err
	}
	return errors.Join(err, s.Ledger.Hold(path, held))
}

func (s *Sweeper) choose(sel Selector) ([]grave, error) {
	all := s.restorable()
	newest := ""
	for _, g := range all {
		if g.stone.Name > newest {
			newest = g.stone.Name
		}
	}
	var last string
	for _, g := range all {
		if g.stone.Name == newest {
			last = g.stone.Plan
		}
	}
	var chosen []grave
	for _, g := range all {
		switch {
		case sel.Last && g.stone.Plan == last,
			sel.Plan != "" && g.stone.Plan == sel.Plan,
			sel.Object != "" && g.is(sel.Object):
			chosen = append(chosen, g)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNothing, couldBe(all))
	}
	if sel.Object != "" && slices.ContainsFunc(chosen, func(g grave) bool { return g.short() != chosen[0].short() }) {
		return nil, fmt.Errorf("%w: %s", ErrAmbiguous, couldBe(chosen))
	}
	return chosen, nil
}

// restorable returns the stones that can go back, those among them that a
// sweep could not put back itself.
func (s *Sweeper) restorable() []grave {
	var all []grave
	for _, g := range s.ground {
		if g.yard == nil {
			continue
		}
		for _, stone := range g.yard.Stones() {
			if stone.Rel != "" && !stone.Purging {
				all = append(all, grave{g, g.yard, stone, CodeRestorable})
			}
		}
	}
	return all
}

// short is what a container has in common with every name of its folders.
func (g grave) short() string { return inventory.ID(g.stone.Container).Short() }

// is reports whether an operator who says object means this stone.
func (g grave) is(object string) bool {
	if strings.HasPrefix(object, "/") {
		return object == g.ground.Path+"/"+g.stone.Rel
	}
	return means(object, g.stone.Container)
}

// minPrefix is how many digits of an ID an operator must give.
const minPrefix = 4

// means reports whether digits that an operator gave name a container: some
// or all of the folder name's, or more of them.
func means(object, name string) bool {
	if len(object) < minPrefix {
		return false
	}
	return strings.HasPrefix(name, object) || strings.HasPrefix(object, name)
}

// couldBe lists what an operator could have meant.
func couldBe(all []grave) string {
	if len(all) == 0 {
		return "no removed folder is left"
	}
	names := make([]string, 0, 5)
	for _, g := range all[:min(len(all), 5)] {
		names = append(names, fmt.Sprintf("%s (%s)", g.stone.Container, g.stone.Service))
	}
	more := ""
	if len(all) > 5 {
		more = fmt.Sprintf(" and %d more", len(all)-5)
	}
	return "what can be restored is " + strings.Join(names, ", ") + more
}
