package logs

import (
	"context"
	"slices"
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
		pressure := s.pressure(g)
		for _, stone := range g.yard.Stones() {
			out := grave{g, g.yard, stone, CodeRestorable}.outcome(CodeRestorable, "removed at "+clock(stone.Buried)+" under plan "+stone.Plan)
			out.Until = s.due(stone, pressure)
			switch {
			case stone.Orphan != "":
				out.Code, out.Reason, out.Until = CodeOrphan, stone.Orphan, time.Time{}
				out.Path = g.Path + "/.berth/tombstones/" + stone.Name
			case stone.Purging:
				out.Reason = "partly deleted: the rest is deleted at the next try"
			case !stone.Confirmed:
				out.Code, out.Reason, out.Until = CodeFailed, "it goes back when its place is free", time.Time{}
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

// RootStates looks at every root. It does not wait for a sweep: during one it
// returns what was seen last.
func (s *Sweeper) RootStates() []RootState {
	if s.mu.TryLock() {
		s.open()
		s.mu.Unlock()
	}
	if seen := s.states.Load(); seen != nil {
		return slices.Clone(*seen)
	}
	states := make([]RootState, 0, len(s.Roots))
	for _, r := range s.Roots {
		states = append(states, RootState{Root: r})
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
	story := Story{History: history}
	if folders, notes := s.scan(ctx, func(f Folder) bool { return about(object, f.Path(), f.Name) }); len(folders) > 0 {
		p := MakePlan(s.examine(ctx, folders, notes, candidates), s.Policy, s.now())
		story.Decisions, story.Blind = p.Decisions, p.Blind
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
