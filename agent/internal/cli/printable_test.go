package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/cli"
)

// dangerous returns the first character of a text for people that a terminal
// could act on, or that reorders text.
func dangerous(s string) (rune, bool) {
	if !utf8.ValidString(s) {
		return utf8.RuneError, true
	}
	for _, r := range s {
		if r == '\n' {
			continue
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Cf) {
			return r, true
		}
	}
	return 0, false
}

func TestPrintableShowsWhatATerminalWouldActOn(t *testing.T) {
	tests := map[string]string{
		"orders-7 äöü 日本 🚢":  "orders-7 äöü 日本 🚢",
		"":                   "",
		"\x1b[2J":            `\u{1b}[2J`,
		"a\nb\tc\rd\x00":     `a\u{a}b\u{9}c\u{d}d\u{0}`,
		"\x7f\u009b31m":      `\u{7f}\u{9b}31m`,
		"\x9b\xff":           `\x9b\xff`,
		"\u202egnp.exe":      `\u{202e}gnp.exe`,
		"a\u2028b\u2029":     `a\u{2028}b\u{2029}`,
		"\u2066\u200f\ufeff": `\u{2066}\u{200f}\u{feff}`,
		"\U000e0041":         `\u{e0041}`,
	}
	for text, want := range tests {
		if got := cli.Printable(text); got != want {
			t.Errorf("%q shows as %q, want %q", text, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add(hostile)
	f.Add("\xc2\x9b\xe2\x80")
	f.Fuzz(func(t *testing.T, s string) {
		got := cli.Printable(s)
		if r, bad := dangerous(got); bad || strings.Contains(got, "\n") {
			t.Errorf("%q shows as %q with %q in it", s, got, r)
		}
		if again := cli.Printable(got); again != got {
			t.Errorf("%q shows as %q and that as %q", s, got, again)
		}
	})
}

func FuzzJSONKeepsItsMeaning(f *testing.F) {
	f.Add(hostile)
	f.Add("\U000e0041\u009b\x7f")
	f.Fuzz(func(t *testing.T, s string) {
		before, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		after := cli.PrintableJSON(before)
		if r, bad := dangerous(string(after)); bad {
			t.Errorf("%q in %q", r, after)
		}
		var a, b string
		if err := json.Unmarshal(before, &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(after, &b); err != nil || a != b {
			t.Errorf("%q became %q: %v", a, b, err)
		}
	})
}

// FuzzNothingOfATenantReachesTheTerminal: whatever the daemon says, in all
// commands, for screens and pipes, as text, as JSON and as an error.
func FuzzNothingOfATenantReachesTheTerminal(f *testing.F) {
	r := serve(f)
	f.Add(hostile)
	f.Add("\x1b]52;c;\a\u009d\u2069\r\b")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, '\n') {
			s = strings.ReplaceAll(s, "\n", "\r") // our own line ends cannot be told from theirs
		}
		r.taint(s)
		lines := []string{"config check --set " + strings.Join(strings.Fields("x"+s), "")}
		for _, line := range told {
			lines = append(lines, line, line+" --json")
		}
		for _, line := range append(lines, "why "+strings.Join(strings.Fields("x"+s), ""), "doctor", "store get k") {
			for _, looks := range [][]look{nil, {screen(80)}} {
				out := r.berth(t, line+" --color never", looks...)
				if c, bad := dangerous(out.stdout + out.stderr); bad {
					t.Errorf("berth %s: %q in\n%q\n%q", line, c, out.stdout, out.stderr)
				}
			}
		}
	})
}

// taint makes the sample say s wherever it can.
func (s *sample) taint(text string) {
	s.status = ill()
	s.status.Host = api.Host{ID: text, Cluster: text, Address: text}
	s.status.Verdict, s.status.Version = api.Verdict(text), text
	s.status.Reasons, s.status.Limited = []string{text, text}, []string{text}
	s.status.Docker = api.Docker{Socket: text, Blind: text, Version: text, APIVersion: text}
	s.status.Logs.Blind, s.status.Logs.Roots = text, []api.LogRoot{{Path: text, Fault: text}}
	s.status.Store = api.StoreState{Engine: text, Fault: text}
	s.status.Disks = []api.Disk{{Path: text}}
	s.status.Config = api.ConfigState{File: text, Rejected: []api.Fault{{File: text, Key: text, Message: text, Suggestion: text}}, Restart: []string{text}}
	s.status.Jobs = []api.Job{{Name: text, Schedule: text, Last: &api.Run{Result: text, Detail: text}}}
	s.run = api.Run{Job: text, Result: text, Detail: text}
	f := api.Folder{Path: text, Service: text, Container: text, State: text, Verdict: text, Code: text, Reason: text}
	s.sweep = api.SweepReport{Removed: []api.Folder{f, f}, Purged: []api.Folder{f}, Refused: []api.Folder{f}, Fault: text, Plan: api.LogPlan{Hash: text, Text: text, Notes: []string{text}, Folders: []api.Folder{f}}}
	o := api.Object{Kind: text, ID: text, Name: text, Names: []string{text}, Verdict: text, Code: text, Reason: text}
	s.images = api.ImageSweepReport{Removed: []api.Object{o}, Refused: []api.Object{o}, Lost: []api.Object{o}, Fault: text, Plan: api.ImagePlan{Hash: text, Text: text, Objects: []api.Object{o}}}
	s.status.Images.Blind = text
	s.undo = api.UndoReport{Restored: []api.Folder{f}, Failed: []api.Folder{f}}
	s.checks = []api.Check{{Level: text, Subject: text, Message: text, Cure: text}}
	s.feed.Publish(api.Event{Time: time.Unix(0, 0), Type: text, Container: text, Service: text, Folder: text, Message: text})
	s.refused = nil
	if len(text)%2 == 1 {
		s.refused = api.InvalidConfig([]api.Fault{{File: text, Message: text}}, "%s", text)
	}
}
