package house_test

import (
	"go/ast"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// A tag is how an invariant is cited: one letter of the list in
	// ARCHITECTURE.md and one digit.
	tagged = regexp.MustCompile(`\b[JIRPCD][1-9]\b`)
	// A definition is an item of a list: "- J1 (folders first): a folder may …".
	defined = regexp.MustCompile(`(?m)^\s*- ([JIRPCD][1-9]) \(([^)]+)\):`)
)

// definitions returns the name of each invariant by its tag, and for each tag
// the packages whose doc.go claims it.
func (tr tree) definitions(t *testing.T) (names map[string]string, claims map[string][]string) {
	t.Helper()
	names, claims = map[string]string{}, map[string][]string{}
	note := func(where, text string) {
		for _, m := range defined.FindAllStringSubmatch(text, -1) {
			tag, name := m[1], m[2]
			if known, twice := names[tag]; twice && known != name {
				t.Errorf("%s calls %s %q, elsewhere it is %q: use one name, or another tag", where, tag, name, known)
			}
			names[tag] = name
		}
	}
	note("ARCHITECTURE.md", tr.text(t, "ARCHITECTURE.md"))
	for _, f := range tr.files {
		if filepath.Base(f.path) != "doc.go" {
			continue
		}
		note(f.path, f.syntax.Doc.Text())
		for _, m := range defined.FindAllStringSubmatch(f.syntax.Doc.Text(), -1) {
			claims[m[1]] = append(claims[m[1]], f.dir)
		}
	}
	return names, claims
}

func TestEachInvariantIsDefinedWhereItIsCited(t *testing.T) {
	tr := load(t)
	names, _ := tr.definitions(t)
	listed := tr.text(t, "ARCHITECTURE.md")
	for tag, name := range names {
		if !strings.Contains(listed, tag+" ("+name+"):") {
			t.Errorf("ARCHITECTURE.md has no item %q: add it to its list of invariants", "- "+tag+" ("+name+"):")
		}
	}
	for _, f := range tr.files {
		for _, c := range f.syntax.Comments {
			for _, tag := range tagged.FindAllString(c.Text(), -1) {
				if names[tag] == "" {
					t.Errorf("%s cites %s, which is defined nowhere: write \"- %s (its name): …\" under # Invariants in a doc.go", f.at(c), tag, tag)
				}
			}
		}
	}
}

// A test proves an invariant by naming it: in its own name, or in a comment on
// it or inside it.
func TestEachInvariantThatIsClaimedHasATest(t *testing.T) {
	tr := load(t)
	_, claims := tr.definitions(t)
	proved := map[string]bool{}
	for _, f := range tr.files {
		if !f.test {
			continue
		}
		f.functions(func(fn *ast.FuncDecl) {
			if !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Fuzz") {
				return
			}
			for _, tag := range tagged.FindAllString(f.said(fn), -1) {
				proved[tag] = true
			}
		})
	}
	for _, tag := range slices.Sorted(maps.Keys(claims)) {
		if !proved[tag] {
			t.Errorf("%s is claimed by %v and no test names it: put \"// proves %s\" above the test that would fail without it", tag, claims[tag], tag)
		}
	}
}

// said is what a test says of itself: its name with the digits set apart, its
// comments, and the names of its subtests.
func (f file) said(fn *ast.FuncDecl) string {
	text := fn.Name.Name + " " + fn.Doc.Text()
	for _, c := range f.syntax.Comments {
		if c.Pos() > fn.Pos() && c.End() < fn.End() {
			text += " " + c.Text()
		}
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok {
			text += " " + lit.Value
		}
		return true
	})
	return text
}
