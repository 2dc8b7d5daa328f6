package cli_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/cli"
)

// told are the commands with an output for people.
var told = map[string]string{
	"status":         "status",
	"ps":             "ps",
	"events":         "events",
	"logs-ls":        "logs ls",
	"logs-plan":      "logs plan",
	"logs-sweep":     "logs sweep",
	"logs-sweep-dry": "logs sweep --dry-run",
	"logs-undo":      "logs undo --last",
	"logs-history":   "logs history",
	"images-ls":      "images ls",
	"images-plan":    "images plan",
	"images-sweep":   "images sweep",
	"images-dry":     "images sweep --dry-run",
	"images-history": "images history",
	"why-image":      "why registry.example/orders:209",
	"why":            "why 4f1c",
	"jobs-ls":        "jobs ls",
	"jobs-run":       "jobs run logs",
	"jobs-history":   "jobs history logs",
	"ports-ls":       "ports ls",
	"ports-service":  "ports ls --service web",
	"ports-all":      "ports ls --all-hosts",
	"ports-sd":       "ports ls --all-hosts --format prom-http-sd",
	"ports-url":      "ports ls --all-hosts --format service-url",
	"reservation":    "reservation",
	"relay-stats":    "relay stats",
	"relay-service":  "relay stats --service orders",
	"relay-tap":      "relay tap",
	"relay-capture":  "relay capture --for 30s",
	"docker0":        "docker0",
	"store-ls":       "store ls",
	"config-show":    "config show",
	"config-sources": "config show --sources",
	"reload":         "reload",
}

func publish(r *rig) {
	r.feed.Publish(api.Event{Time: noon, Type: "container.started", Container: id("4f1c2d3e4a5b"), Service: "orders"})
	r.feed.Publish(api.Event{Time: noon, Type: "logs.removed", Folder: "/var/log/apps/" + hostile, Service: hostile, Bytes: 1 << 30, Message: "its container is gone"})
}

func TestCommandsTellPeople(t *testing.T) {
	r := serve(t)
	publish(r)
	for name, line := range told {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".screen", r.berth(t, line+" --color never", screen(120)).ended(t, 0).stdout)
			piped := r.berth(t, line).ended(t, 0)
			golden(t, name+".piped", piped.stdout)
			if slices.Contains([]string{"logs-plan", "logs-sweep-dry", "images-plan", "images-dry"}, name) { // a plan's summary is beside its text
				golden(t, name+".stderr", piped.stderr)
			} else if piped.stderr != "" {
				t.Errorf("on the standard error: %s", piped.stderr)
			}
		})
	}
}

func TestEmptyHostsAreToldOfInWords(t *testing.T) {
	r := serve(t)
	r.empty, r.status = true, api.Status{Verdict: api.OK, Docker: api.Docker{Socket: "/var/run/docker.sock"}}
	r.sweep, r.undo = api.SweepReport{Plan: api.LogPlan{Hash: "e3b0"}}, api.UndoReport{}
	r.images = api.ImageSweepReport{Plan: api.ImagePlan{Hash: "e3b0"}}
	var all strings.Builder
	for _, line := range []string{"status", "ps", "events", "logs ls", "logs sweep", "logs history", "images ls", "images sweep", "images history", "jobs ls", "jobs history logs", "ports ls", "ports ls --service web", "relay stats", "docker0", "store ls"} {
		all.WriteString("$ berth " + line + "\n" + r.berth(t, line, screen(100)).ended(t, 0).stdout)
	}
	golden(t, "empty", strings.ReplaceAll(all.String(), "\x1b", "␛"))
}

func TestStatusTellsOfEveryTrouble(t *testing.T) {
	r := serve(t)
	r.status = ill()
	golden(t, "status-ill.screen", r.berth(t, "status --color never", screen(100)).ended(t, 0).stdout)
	golden(t, "status-ill.wide", r.berth(t, "status --color never", screen(160)).ended(t, 0).stdout)
	golden(t, "status-ill.piped", r.berth(t, "status").ended(t, 0).stdout)
	golden(t, "status-ill.color", strings.ReplaceAll(r.berth(t, "status", screen(100)).ended(t, 0).stdout, "\x1b", "␛"))
}

func TestDoctorNamesTheCures(t *testing.T) {
	r := serve(t)
	golden(t, "doctor", r.berth(t, "doctor").ended(t, 6).stdout)
	r.checks = r.checks[:1]
	golden(t, "doctor-well", r.berth(t, "doctor").ended(t, 0).stdout)
}

func TestHelpShowsEveryCommandWithAnExample(t *testing.T) {
	golden(t, "help", berth(t, []string{"--help"}).ended(t, 0).stdout)
	golden(t, "help-sweep", berth(t, []string{"logs", "sweep", "--help"}).ended(t, 0).stdout)
}

func TestNarrowScreensCutWideColumnsAlone(t *testing.T) {
	r := serve(t)
	for _, width := range []int{0, 20, 110, 140} {
		out := r.berth(t, "logs history --color never", screen(width)).ended(t, 0).stdout
		if !strings.Contains(out, "4f1c2d3e4a5b") || !strings.Contains(out, "1.8GiB") {
			t.Errorf("width %d cuts what it must not:\n%s", width, out)
		}
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); width >= 110 && n > width {
				t.Errorf("width %d: a line of %d: %s", width, n, line)
			}
		}
	}
}

func TestColourIsForScreensOnly(t *testing.T) {
	r := serve(t)
	tests := map[string]struct {
		line  string
		looks []look
		want  bool
	}{
		"piped":               {"status", nil, false},
		"piped, always":       {"status --color always", nil, true},
		"screen":              {"status", []look{screen(80)}, true},
		"screen, never":       {"status --color never", []look{screen(80)}, false},
		"screen, NO_COLOR":    {"status", []look{screen(80), environ("NO_COLOR=1")}, false},
		"screen, no NO_COLOR": {"status", []look{screen(80), environ("NO_COLOR=")}, true},
		"screen, dumb":        {"status", []look{screen(80), environ("TERM=dumb")}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.Contains(r.berth(t, tt.line, tt.looks...).stdout, "\x1b["); got != tt.want {
				t.Errorf("colour: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestQuietPrintsNothing(t *testing.T) {
	r := serve(t)
	publish(r)
	for name, line := range told {
		if out := r.berth(t, line+" -q").ended(t, 0); out.stdout+out.stderr != "" {
			t.Errorf("%s: %s%s", name, out.stdout, out.stderr)
		}
	}
}

// J6: what is piped is the text that the hash is taken over.
func TestJ6DryRunsPrintThePlanByteForByte(t *testing.T) {
	r := serve(t)
	for line, want := range map[string]struct{ text, hash string }{
		"logs plan": {plan().Text, plan().Hash}, "logs sweep --dry-run": {plan().Text, plan().Hash},
		"images plan": {imagePlan().Text, imagePlan().Hash}, "images sweep --dry-run": {imagePlan().Text, imagePlan().Hash},
	} {
		if out := r.berth(t, line).ended(t, 0); out.stdout != want.text || !strings.Contains(out.stderr, want.hash) {
			t.Errorf("berth %s prints\n%s\nand on the standard error\n%s", line, out.stdout, out.stderr)
		}
	}
	if out := r.berth(t, "logs sweep").ended(t, 0).stdout; !strings.HasPrefix(out, plan().Text) {
		t.Errorf("a sweep does not begin with its plan:\n%s", out)
	}
}

func TestDurationsHaveAboutTwoDigits(t *testing.T) {
	tests := map[time.Duration]string{
		-time.Second: "0s", 0: "0s", time.Microsecond: "1ms", 12 * time.Millisecond: "12ms", 999 * time.Millisecond: "999ms",
		time.Second: "1s", 1250 * time.Millisecond: "1.2s", 9999 * time.Millisecond: "9.9s", 48 * time.Second: "48s",
		time.Minute: "1m", 192 * time.Second: "3m12s", 14*time.Minute + 59*time.Second: "14m", time.Hour: "1h", 125 * time.Minute: "2h5m",
		23 * time.Hour: "23h", 24 * time.Hour: "1d", 76 * time.Hour: "3d4h", 400 * 24 * time.Hour: "400d",
	}
	for d, want := range tests {
		if got := cli.Duration(d); got != want {
			t.Errorf("%v shows as %s, want %s", d, got, want)
		}
	}
}

func TestSizesHaveBinaryUnits(t *testing.T) {
	tests := map[int64]string{-1: "", 0: "0B", 1: "1B", 1023: "1023B", 1024: "1KiB", 1536: "1.5KiB", 1932735283: "1.8GiB", 10 << 40: "10TiB", 1<<63 - 1: "8EiB"}
	for n, want := range tests {
		if got := cli.Size(n); got != want {
			t.Errorf("%d shows as %s, want %s", n, got, want)
		}
	}
}
