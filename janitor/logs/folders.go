package logs

import (
	"context"
	"strings"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
)

// A Removed is a folder in the yard.
type Removed struct {
	Outcome
	Removed time.Time
	Purging bool // partly deleted; it cannot be restored
}

// Yard returns what was removed and not yet deleted, orphans included.
func (s *Sweeper) Yard() []Removed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.removed()
}

func (s *Sweeper) removed() []Removed {
	var all []Removed
	for _, g := range s.ground {
		if g.yard == nil {
			continue
		}
		for _, stone := range g.yard.Stones() {
			out := grave{g, stone}.outcome(CodeRestorable, "removed at "+clock(stone.Buried)+" under plan "+stone.Plan)
			out.Until = s.due(stone)
			switch {
			case stone.Orphan != "":
				out.Code, out.Reason, out.Until = CodeOrphan, stone.Orphan, time.Time{}
				out.Path = g.Path + "/.berth/tombstones/" + stone.Name
			case stone.Purging:
				out.Reason = "partly deleted: the rest is deleted at the next try"
			}
			all = append(all, Removed{out, stone.Buried, stone.Purging})
		}
	}
	return all
}

// A RootState is one configured root and why it cannot be swept.
type RootState struct {
	Root
	Fault string // empty if it can
}

// RootStates looks at every root.
func (s *Sweeper) RootStates() []RootState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	states := make([]RootState, 0, len(s.ground))
	for _, g := range s.ground {
		states = append(states, RootState{g.Root, g.fault})
	}
	return states
}

// A Story is all that is known of one container or folder.
type Story struct {
	Decisions []Decision
	Removed   []Removed
	History   []audit.Record // oldest first
	Blind     string
}

// maxHistory bounds what Why tells.
const maxHistory = 200

// Why tells all that is known of a folder, given by its path, or of a
// container's folders, given by at least four digits of its ID.
func (s *Sweeper) Why(ctx context.Context, object string) (Story, error) {
	history, err := s.Audit.Find(object, maxHistory)
	if err != nil {
		return Story{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := MakePlan(s.look(ctx), s.Policy, s.now())
	story := Story{History: history, Blind: p.Blind}
	for _, d := range p.Decisions {
		if about(object, d.Path(), d.Name) {
			story.Decisions = append(story.Decisions, d)
		}
	}
	for _, r := range s.removed() {
		if about(object, r.Path, r.Container) {
			story.Removed = append(story.Removed, r)
		}
	}
	return story, nil
}

func about(object, path, name string) bool {
	if strings.HasPrefix(object, "/") {
		return object == path
	}
	return means(object, name)
}
