package house_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/internal/cli"
)

// sentence is the end of one.
var sentence = regexp.MustCompile(`[.:!?](\s|$)`)

func TestEachPackageSaysWhatItIsFor(t *testing.T) {
	tr := load(t)
	said := map[string]int{}
	for _, f := range tr.files {
		said[f.dir] += len(sentence.FindAllString(f.syntax.Doc.Text(), -1))
	}
	for _, p := range tr.packages {
		if said[p.path] < 2 {
			t.Errorf("%s does not say what it is for: write doc.go with what it does, how it is used and what always holds", p.path)
		}
	}
}

// The tree in ARCHITECTURE.md has a line for every folder that has Go files.
func TestTheArchitectureShowsEachPackage(t *testing.T) {
	tr := load(t)
	architecture := tr.text(t, "ARCHITECTURE.md")
	for _, p := range tr.packages {
		if name := filepath.Base(p.path) + "/"; !strings.Contains(architecture, name) {
			t.Errorf("ARCHITECTURE.md does not show %s: add %q to its tree", p.path, name)
		}
	}
}

// A text is short enough to be read.
func TestTextsStayShort(t *testing.T) {
	tr := load(t)
	for name, limit := range map[string]int{"README.md": 150, "ARCHITECTURE.md": 250, "CONTRIBUTING.md": 60} {
		if lines := strings.Count(tr.text(t, name), "\n"); lines > limit {
			t.Errorf("%s has %d lines, and the limit is %d: say less, or say it beside the code", name, lines, limit)
		}
	}
	for _, f := range tr.files {
		if f.lines > 400 {
			t.Errorf("%s has %d lines, and the limit is 400: find the second subject in it and give it a file", f.path, f.lines)
		}
	}
}

// The commands that texts name are there.
func TestTheTextsNameCommandsThatExist(t *testing.T) {
	tr := load(t)
	named := regexp.MustCompile("`berth ((?:[a-z][a-z0-9]* ?)+)")
	root := cli.New(cli.Env{})
	for _, text := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "packaging/README.md", "systemd/README.md", "janitor/README.md"} {
		for _, m := range named.FindAllStringSubmatch(tr.text(t, text), -1) {
			words := strings.Fields(m[1])
			if c, rest, err := root.Find(words); err != nil || c.HasSubCommands() && len(rest) > 0 {
				t.Errorf("%s names berth %s, which is no command: correct the text, or add the command", text, m[1])
			}
		}
	}
}

// Nothing is left for later where only its author would look, and no test
// steps aside. The words are in two parts so that this file passes.
func TestNothingIsLeftForLater(t *testing.T) {
	tr := load(t)
	unfinished := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|\b[tb]\.Sk` + `ip(Now|f)?\(`)
	texts := map[string]bool{".go": true, ".sh": true, ".md": true, ".yml": true, ".yaml": true, "": true}
	err := filepath.WalkDir(tr.root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "testdata"):
			return filepath.SkipDir
		case !d.Type().IsRegular() || !texts[filepath.Ext(path)]:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for n, line := range strings.Split(string(text), "\n") {
			if found := unfinished.FindString(line); found != "" {
				t.Errorf("%s:%d has %q: do it, or open an issue; a test that cannot run fails and says what it lacks", strings.TrimPrefix(path, tr.root+"/"), n+1, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
