package e2e_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/engine"
)

// TestTheScheduleSweepsByItself: a folder goes when its time has come and is
// purged when its undo window ends, and nobody has asked for it.
func TestTheScheduleSweepsByItself(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	d := launch(t, settings{"docker.socket": e.Socket(), "logs.schedule": "* * * * *", "logs.undo": "1s"})
	mount := d.mount("orders")
	live, dead := e.Create(t, engine.Options{}), e.Create(t, engine.Options{})
	stays, goes := marked(t, filepath.Join(mount, live.Short())), marked(t, filepath.Join(mount, dead.Short()))
	d.knows(live, dead)
	e.Remove(t, dead)
	eventually(t, "the folder gone", goes.gone)
	var actions []string
	eventually(t, "the folder purged", func() bool {
		actions = nil
		for _, r := range d.why(goes.path).History {
			actions = append(actions, r.Action)
		}
		return slices.Contains(actions, "purged")
	})
	if !slices.Contains(actions, "removed") {
		t.Errorf("history %q, want removed among it", actions)
	}
	untouched(t, stays)
	job := ask[[]api.Job](d, "jobs", "ls")[0]
	if job.Runs == 0 || job.Last == nil || job.Last.By != "schedule" {
		t.Errorf("job %+v, want runs by the schedule", job)
	}
}

// TestAJobCanBeRunByHand: once for show, and once in earnest, which everybody
// who watches is told of.
func TestAJobCanBeRunByHand(t *testing.T) {
	t.Parallel()
	d := launch(t, settings{"logs.unknown_grace": "0s"})
	f := marked(t, filepath.Join(d.mount("orders"), deadID))
	if run := ask[api.Run](d, "jobs", "run", "logs", "--dry-run"); !run.DryRun || run.Result != "ok" {
		t.Errorf("dry run of the job: %+v", run)
	}
	untouched(t, f)
	if run := ask[api.Run](d, "jobs", "run", "logs"); run.DryRun || run.Result != "ok" || !f.gone() {
		t.Errorf("run of the job: %+v; folder gone: %v", run, f.gone())
	}
	events := d.run("events", "--json").want(t, exitOK).stdout
	if !strings.Contains(events, `"logs.removed"`) || !strings.Contains(events, f.path) {
		t.Errorf("no logs.removed of %s in the events:\n%s", f.path, events)
	}
	ask[api.UndoReport](d, "logs", "undo", deadID)
	untouched(t, f)
}

// TestEveryQuestionHasAnAnswer for people and for programs.
func TestEveryQuestionHasAnAnswer(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	d := launch(t, settings{"docker.socket": e.Socket()})
	id := e.Create(t, engine.Options{Name: "berth-e2e-" + e.RunLabel()})
	d.knows(id)
	for _, question := range []string{
		"status", "ps", "events", "logs ls", "logs plan", "logs history", "why " + id.Short(), "jobs ls", "jobs history logs",
		"ports ls", "reservation", "store ls", "config show", "doctor", "version",
	} {
		args := strings.Fields(question)
		people, programs := d.run(args...), d.run(append(args, "--json")...)
		for _, r := range []result{people, programs} {
			if r.code != exitOK && (args[0] != "doctor" || r.code != exitDegraded) {
				t.Errorf("berth %s: exit code %d: %s", strings.Join(r.args, " "), r.code, r.stderr)
			}
		}
		said := people.stdout + people.stderr // a plan's own bytes, which may be none, stand alone on stdout
		if strings.TrimSpace(said) == "" || strings.ContainsRune(said, '\x1b') {
			t.Errorf("berth %s says to a pipe: %q", question, said)
		}
		for dec := json.NewDecoder(strings.NewReader(programs.stdout)); dec.More(); {
			var value any
			if err := dec.Decode(&value); err != nil {
				t.Errorf("berth %s --json: %v in %q", question, err, programs.stdout)
				break
			}
		}
	}
}
