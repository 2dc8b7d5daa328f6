package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/internal/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shown is the path that stands for every test's file in golden texts.
const shown = "/etc/berth/berth.yaml"

// checks judge the two kinds of text that other packages parse.
func checks() config.Checks {
	return config.Checks{
		Schedule: func(s string) error {
			if len(strings.Fields(s)) != 5 {
				return errors.New("a schedule has five fields")
			}
			return nil
		},
		Pattern: func(s string) error {
			if !strings.Contains(s, "{id}") {
				return errors.New("{id} is missing")
			}
			return nil
		},
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// file returns the path of a new file with this text.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "berth.yaml")
	write(t, path, text)
	return path
}

func load(t *testing.T, s config.Sources) config.Loaded {
	t.Helper()
	s.Checks = checks()
	l, err := config.Load(s)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return l
}

// refuse returns the text of the faults.
func refuse(t *testing.T, s config.Sources) string {
	t.Helper()
	s.Checks = checks()
	_, err := config.Load(s)
	bad, ok := errors.AsType[*config.Invalid](err)
	if !ok || len(bad.Faults) == 0 {
		t.Fatalf("got error %v, want faults", err)
	}
	text := err.Error()
	if s.File != "" {
		text = strings.ReplaceAll(text, s.File, shown)
	}
	return text
}

// golden compares with a file, which -update rewrites.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-file +now); -update rewrites it:\n%s", path, diff)
	}
}
