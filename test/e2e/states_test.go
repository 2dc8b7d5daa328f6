package e2e_test

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

// A scene is one Engine with a container in every state that Docker knows, and
// a log folder for each.
type scene struct {
	*daemon
	engine *engine.Daemon
	mount  string
	states map[inventory.State]inventory.ID
	stay   []folder
	gone   inventory.ID // was removed
	leave  []folder     // its folders, under the short and the whole name
}

func newScene(t *testing.T) *scene {
	t.Helper()
	e := engine.Private(t)
	dead := e.Create(t, engine.Options{})
	half(t, e, dead)
	e.Down(t, syscall.SIGTERM)
	e.Up(t)
	s := &scene{engine: e, daemon: launch(t, settings{"docker.socket": e.Socket(), "logs.grace": "1h"})}
	s.mount = s.daemon.mount("orders")
	s.populate(dead)
	for state, id := range s.states {
		s.stay = append(s.stay, marked(t, filepath.Join(s.mount, id.Short())))
		if state == inventory.Running || state == inventory.Created {
			s.stay = append(s.stay, marked(t, filepath.Join(s.mount, string(id))))
		}
	}
	for _, name := range []string{"current", "0123456789AB", "0123456789abc", "deadbeef"} {
		s.stay = append(s.stay, marked(t, filepath.Join(s.mount, name)))
	}
	s.gone = e.Run(t, logging(s.mount))
	s.leave = []folder{logged(t, s.mount, s.gone), marked(t, filepath.Join(s.mount, string(s.gone)))}
	s.knows(s.gone)
	e.Remove(t, s.gone)
	s.forgets(s.gone)
	return s
}

// populate makes the containers and waits until each is in its state.
func (s *scene) populate(dead inventory.ID) {
	t, e := s.t, s.engine
	crashing := engine.Options{RestartPolicy: "always", Cmd: []string{"-for=0", "-exit=1"}}
	s.states = map[inventory.State]inventory.ID{
		inventory.Created:    e.Create(t, logging(s.mount)),
		inventory.Running:    e.Run(t, logging(s.mount)),
		inventory.Paused:     e.Run(t, logging(s.mount)),
		inventory.Restarting: e.Run(t, crashing),
		inventory.Exited:     e.Run(t, logging(s.mount)),
		inventory.Removing:   e.Create(t, logging(s.mount)),
		inventory.Dead:       dead,
	}
	for _, state := range []inventory.State{inventory.Running, inventory.Paused, inventory.Exited} {
		logged(t, s.mount, s.states[state])
	}
	e.Pause(t, s.states[inventory.Paused])
	t.Cleanup(func() { _ = e.Try("unpause", s.states[inventory.Paused]) }) // a frozen process cannot be killed
	e.Stop(t, s.states[inventory.Exited])
	half(t, e, s.states[inventory.Removing])
	for state, id := range s.states {
		eventually(t, "a container that is "+string(state), func() bool { return stateOf(t, e.Engine, id) == state })
	}
}

// TestOnlyTheRemovedContainersFolderGoes walks one folder through its whole
// life: kept for the grace time, planned, removed, brought back, held. J1, J3,
// J5, J6.
func TestOnlyTheRemovedContainersFolderGoes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	t.Run("nothing goes within the grace time", s.grace)
	t.Run("a sweep does what the plan said", s.apply)
	t.Run("why tells the reason", s.reasons)
	t.Run("undo brings the same folder back", s.undo)
	t.Run("the next sweep keeps what was brought back", s.hold)
	t.Run("the history holds every step", s.history)
	untouched(t, s.stay...)
}

func (s *scene) grace(t *testing.T) {
	if report := s.sweep(); len(report.Removed) > 0 {
		t.Errorf("a sweep within the grace time removed %d folders", len(report.Removed))
	}
	untouched(t, append(s.leave, s.stay...)...)
	s.configure(settings{"logs.grace": "1s"})
	s.run("reload").want(t, exitOK)
	eventually(t, "a plan to remove the folders after the grace time", func() bool { return s.plan().Remove == len(s.leave) })
}

func (s *scene) apply(t *testing.T) {
	printed := s.run("logs", "plan").want(t, exitOK).stdout
	plan := s.plan()
	if !strings.Contains(printed, plan.Text) {
		t.Errorf("berth logs plan prints\n%s\nwhich does not contain the plan's text\n%s", printed, plan.Text)
	}
	if dry := s.sweep("--dry-run"); dry.Plan.Text != plan.Text || dry.Plan.Hash != plan.Hash || len(dry.Removed) > 0 {
		t.Errorf("dry run %s removed %d:\n%s\nwant the plan %s:\n%s", dry.Plan.Hash, len(dry.Removed), dry.Plan.Text, plan.Hash, plan.Text)
	}
	untouched(t, s.leave...)
	s.run("logs", "sweep", "--plan", strings.Repeat("0", len(plan.Hash)), "--json")
	untouched(t, s.leave...) // nothing bears that hash
	report := s.sweep("--plan", plan.Hash)
	if report.Plan.Text != plan.Text || report.Plan.Hash != plan.Hash {
		t.Errorf("applied %s:\n%s\nwant the plan %s:\n%s", report.Plan.Hash, report.Plan.Text, plan.Hash, plan.Text)
	}
	var removed []string
	for _, f := range report.Removed {
		removed = append(removed, f.Path)
	}
	slices.Sort(removed)
	if want := []string{s.leave[0].path, s.leave[1].path}; !slices.Equal(removed, want) {
		t.Errorf("removed %q, want %q", removed, want)
	}
	for _, f := range s.leave {
		if !f.gone() {
			t.Errorf("%s is still in its place", f.path)
		}
	}
	untouched(t, s.stay...)
}

func (s *scene) reasons(t *testing.T) {
	for _, object := range []string{s.gone.Short(), string(s.gone), s.leave[0].path} {
		w := s.why(object)
		if w.Verdict == "" || !slices.ContainsFunc(w.History, func(r api.Record) bool { return r.Action == "removed" && r.Reason != "" && r.Plan != "" }) {
			t.Errorf("why %s: %+v, want a verdict and a removal with its reason and plan", object, w)
		}
	}
	for state, id := range s.states {
		w := s.why(id.Short())
		if w.Verdict == "" || w.Container == nil || len(w.Folders) == 0 {
			t.Errorf("why %s (%s): %+v, want a verdict, the container and its folder", id.Short(), state, w)
			continue
		}
		for _, f := range w.Folders {
			if f.Verdict != "keep" || f.State != "live" || f.Reason == "" {
				t.Errorf("why %s (%s): folder %+v, want it live and kept for a reason", id.Short(), state, f)
			}
		}
	}
}

func (s *scene) undo(t *testing.T) {
	report := ask[api.UndoReport](s.daemon, "logs", "undo", "--last")
	if len(report.Restored) != len(s.leave) || len(report.Failed) > 0 {
		t.Errorf("undo --last: %+v, want %d folders back", report, len(s.leave))
	}
	untouched(t, s.leave...)
}

func (s *scene) hold(t *testing.T) {
	if report := s.sweep(); len(report.Removed) > 0 {
		t.Errorf("the sweep after undo removed %+v again", report.Removed)
	}
	untouched(t, s.leave...)
}

func (s *scene) history(t *testing.T) {
	for _, f := range s.leave {
		var actions []string
		var seq uint64
		for _, r := range s.why(f.path).History {
			if r.Path == f.path {
				actions = append(actions, r.Action)
			}
			if r.Seq <= seq {
				t.Errorf("record %d of %s comes after %d, want oldest first", r.Seq, f.path, seq)
			}
			seq = r.Seq
		}
		if i, j := slices.Index(actions, "removed"), slices.Index(actions, "restored"); i < 0 || j < i {
			t.Errorf("history of %s: %q, want removed, then restored", f.path, actions)
		}
	}
}
