package house_test

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// The operators' page of the janitor explains each of its words, names tests
// that exist and keys that can be set.
func TestThePageOfTheJanitorIsTrue(t *testing.T) {
	tr := load(t)
	page := tr.text(t, "janitor/README.md")
	functions, codes := map[string]bool{}, map[string]bool{}
	for _, f := range tr.files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test {
				functions[fn.Name.Name] = true
			}
		}
		if f.path == "janitor/logs/plan.go" || f.path == "janitor/images/plan.go" {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Code") {
					codes[strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)] = true
				}
				return true
			})
		}
	}
	if len(codes) < 35 {
		t.Fatalf("%d words found in janitor/logs/plan.go and janitor/images/plan.go", len(codes))
	}
	for code := range codes {
		if !strings.Contains(page, "\n| `"+code+"` |") {
			t.Errorf("janitor/README.md does not explain %q", code)
		}
	}
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(page, -1) {
		if !functions[m[1]] {
			t.Errorf("janitor/README.md names %s, which is no test", m[1])
		}
	}
	keys := tr.text(t, "packaging/config.md")
	for _, m := range regexp.MustCompile("`((?:logs|disk|images|containers|volumes|build_cache)\\.[a-z_]+)`").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(keys, "| `"+m[1]+"` |") {
			t.Errorf("janitor/README.md names %s, which is no key", m[1])
		}
	}
}
