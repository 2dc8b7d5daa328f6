package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/internal/config"
)

// FuzzLoad holds that any file gives a configuration or at least one fault,
// and that a configuration is shown as a file that gives the same one and that
// the schema takes.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "1h", "logs.grace=1h")
	}
	for _, s := range []string{"", everything, "---\n---\n", "\xef\xbb\xbfa: 1", "a: &a [*a]", "logs:\n\tx", "logs: {grace: 1d1h}", "relay: {upstream: a}", "host: {id: '\x1b'}"} {
		f.Add(s, "[a]", "x")
	}
	schema, dir := compiled(f), f.TempDir()
	f.Fuzz(func(t *testing.T, text, variable, flag string) {
		path := filepath.Join(dir, "berth.yaml")
		write(t, path, text)
		s := config.Sources{File: path, Checks: checks(), Env: []string{"BERTH_METRICS_TAGS=" + variable}, Set: []string{flag}}
		if _, err := config.Load(s); err != nil {
			mustBeFaults(t, err)
		}
		l, err := config.Load(config.Sources{File: path, Checks: checks()})
		if err != nil {
			mustBeFaults(t, err)
			return
		}
		if err := validate(t, schema, text); err != nil {
			t.Errorf("the schema refuses what is valid: %v", err)
		}
		shown := l.Show()
		if strings.Contains(shown, "***") {
			return
		}
		write(t, path, shown)
		again := load(t, config.Sources{File: path})
		if changed, restart := config.Diff(l.Config, again.Config); len(changed)+len(restart) > 0 {
			t.Errorf("shown differently: %v %v", changed, restart)
		}
	})
}

func mustBeFaults(t *testing.T, err error) {
	t.Helper()
	bad, ok := errors.AsType[*config.Invalid](err)
	if !ok || len(bad.Faults) == 0 {
		t.Fatalf("got %#v, want faults", err)
	}
	for _, f := range bad.Faults {
		if f.Message == "" || f.File == "" {
			t.Errorf("an empty fault: %#v", f)
		}
	}
}
