package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/cli"
)

func TestJSONIsTheAPIsOwn(t *testing.T) {
	r := serve(t)
	client := api.NewClient(r.socket, patience)
	tests := map[string]func() (any, error){
		"status":            func() (any, error) { return client.Status(t.Context()) },
		"ps":                func() (any, error) { return client.Containers(t.Context(), "") },
		"logs ls":           func() (any, error) { return client.LogFolders(t.Context(), false) },
		"logs plan":         func() (any, error) { return client.LogPlan(t.Context(), false) },
		"logs sweep":        func() (any, error) { return client.LogSweep(t.Context(), api.SweepRequest{}) },
		"logs undo --last":  func() (any, error) { return client.LogUndo(t.Context(), api.UndoRequest{Last: true}) },
		"logs history":      func() (any, error) { return client.LogHistory(t.Context(), 50) },
		"images ls":         func() (any, error) { return client.Images(t.Context()) },
		"images plan":       func() (any, error) { return client.ImagePlan(t.Context(), false) },
		"images sweep":      func() (any, error) { return client.ImageSweep(t.Context(), api.ImageSweepRequest{}) },
		"images history":    func() (any, error) { return client.ImageHistory(t.Context(), 50) },
		"why 4f1c":          func() (any, error) { return client.Why(t.Context(), "4f1c") },
		"jobs ls":           func() (any, error) { return client.Jobs(t.Context()) },
		"jobs run logs":     func() (any, error) { return client.RunJob(t.Context(), "logs", false) },
		"jobs history logs": func() (any, error) { return client.JobRuns(t.Context(), "logs") },
		"ports ls":          func() (any, error) { return client.Portmaps(t.Context()) },
		"reservation":       func() (any, error) { return client.Reservation(t.Context()) },
		"store ls":          func() (any, error) { return client.Records(t.Context()) },
		"config show":       func() (any, error) { return client.Config(t.Context()) },
		"reload":            func() (any, error) { return client.Reload(t.Context()) },
	}
	for line, ask := range tests {
		t.Run(line, func(t *testing.T) {
			for _, empty := range []bool{false, true} {
				r.empty = empty
				answer, err := ask()
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(answer)
				if err != nil {
					t.Fatal(err)
				}
				got := r.berth(t, line+" --json", screen(40)).ended(t, 0).stdout
				if diff := cmp.Diff(decoded(t, string(text)), decoded(t, got)); diff != "" {
					t.Error(diff)
				}
				if strings.Contains(got, "null") {
					t.Errorf("null in %s", got)
				}
			}
		})
	}
	if got := decoded(t, r.berth(t, "ports ls --service none --json").ended(t, 0).stdout); cmp.Diff([]any{}, got) != "" {
		t.Errorf("ports of no service: %v", got)
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// start runs a command until it is stopped, and returns what it prints.
func (r *rig) start(t *testing.T, line string, looks ...look) (out *buffer, stop func() int) {
	t.Helper()
	out = &buffer{}
	ctx, cancel := context.WithCancel(t.Context())
	env := cli.Env{Stdout: out, Stderr: out}
	for _, l := range looks {
		l(&env)
	}
	ended := make(chan int, 1)
	go func() { ended <- cli.Main(ctx, append([]string{"--socket", r.socket}, strings.Fields(line)...), env) }()
	return out, func() int { cancel(); return <-ended }
}

func TestEventsFollowUntilInterrupted(t *testing.T) {
	r := serve(t)
	publish(r)
	out, stop := r.start(t, "events --follow --json --since 1")
	r.feed.Publish(api.Event{Type: "container.exited"})
	eventually(t, "two events", func() bool { return strings.Count(out.String(), "\n") == 2 })
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(out.String()) {
		var e api.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Seq < 2 {
			t.Errorf("%v: %s", err, line)
		}
	}
}

func TestEventsTellHowManyWereMissed(t *testing.T) {
	r := serve(t)
	for range 1030 {
		r.feed.Publish(api.Event{Type: "test"})
	}
	if out := r.berth(t, "events").ended(t, 0).stdout; !strings.HasPrefix(out, "… 6 events are no longer remembered\n") {
		t.Errorf("got %.200s", out)
	}
}

func TestWatchShowsTheStatusAgainAndAgain(t *testing.T) {
	r := serve(t)
	out, stop := r.start(t, "status --watch", screen(100))
	eventually(t, "two frames", func() bool { return strings.Count(out.String(), "\x1b[H") >= 2 })
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if frame := out.String(); !strings.HasPrefix(frame, "\x1b[H") || !strings.Contains(frame, "\x1b[K\n") || !strings.HasSuffix(frame, "\x1b[J") {
		t.Errorf("got %q", frame)
	}
	piped, stop := r.start(t, "status --watch --json")
	eventually(t, "a line", func() bool { return strings.Contains(piped.String(), "\n") })
	if code := stop(); code != 0 || strings.Count(piped.String(), "\n") > 2 {
		t.Errorf("exit code %d, %s", code, piped)
	}
}

func TestWatchOutlivesTheDaemon(t *testing.T) {
	away := &rig{newSample(), t.TempDir() + "/b.sock"}
	for _, as := range []string{"", " --json"} {
		out, stop := away.start(t, "status --watch"+as)
		eventually(t, "word of the absence", func() bool { return strings.Contains(out.String(), "nobody listens") })
		if code := stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
	}
}

func TestShellsAreOfferedWhatTheDaemonKnows(t *testing.T) {
	r := serve(t)
	tests := map[string][]string{
		"why":                 {"4f1c2d3e4a5b", "5e0d00000000", "6f6f00000000", "9a2000000000", "cafe"},
		"logs undo":           {"cafe"},
		"jobs run":            {"images", "logs"},
		"jobs history":        {"images", "logs"},
		"ports ls --service":  {"orders", "web"},
		"store get":           {"hosts/i-0abc123"},
		"why 4f1c":            {},
		"logs sweep --plan":   {},
		"completion":          {"bash", "fish", "powershell", "zsh"},
		"status --color":      {"always", "auto", "never"},
		"jobs run --dry-run ": {"images", "logs"},
	}
	for line, want := range tests {
		t.Run(line, func(t *testing.T) {
			args := slices.Concat([]string{"__complete", "--socket", r.socket}, strings.Fields(line), []string{""})
			out := berth(t, args).ended(t, 0).stdout
			if c, bad := dangerous(strings.ReplaceAll(out, "\t", " ")); bad {
				t.Errorf("%q in %q", c, out)
			}
			got := []string{}
			for l := range strings.Lines(out) {
				if word, _, _ := strings.Cut(strings.TrimSpace(l), "\t"); !strings.HasPrefix(word, ":") {
					got = append(got, word)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("offered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShellsAreOfferedNothingWithoutADaemon(t *testing.T) {
	away := t.TempDir() + "/b.sock"
	for _, line := range []string{"why", "logs undo", "jobs run", "store get", "ports ls --service"} {
		args := slices.Concat([]string{"__complete", "--socket", away}, strings.Fields(line), []string{""})
		if out := berth(t, args).ended(t, 0).stdout; out != ":4\n" {
			t.Errorf("%s: %q", line, out)
		}
	}
}

func TestEveryShellHasItsScript(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := berth(t, []string{"completion", shell}).ended(t, 0).stdout; !strings.Contains(out, "berth") {
			t.Errorf("%s: %q", shell, out)
		}
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	root := cli.New(cli.Env{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}})
	todo := slices.Clone(root.Commands())
	for len(todo) > 0 {
		c := todo[0]
		todo = append(todo[1:], c.Commands()...)
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has no example or no summary", c.CommandPath())
		}
	}
}
