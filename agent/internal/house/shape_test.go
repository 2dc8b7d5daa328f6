package house_test

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// proves I1: the hub has one writer.
func TestOnlyTheWatcherWritesTheInventory(t *testing.T) {
	for _, f := range load(t).files {
		if f.test || within(f.dir, []string{"collectors/inventory", "collectors/docker", "bench/fleet"}) { // the last makes hosts up
			continue
		}
		f.selectors(func(sel *ast.SelectorExpr) {
			if sel.Sel.Name == "Replace" && f.uses("collectors/inventory") && !f.isPackage(sel.X) {
				t.Errorf("%s calls Replace, which may be the inventory's: only collectors/docker writes it (I1)", f.at(sel))
			}
		})
	}
}

// proves I2: whoever deletes never holds the hub, only listings of its own.
func TestTheJanitorNeverReadsTheInventory(t *testing.T) {
	for _, f := range load(t).files {
		if f.test || !within(f.dir, []string{"janitor/..."}) {
			continue
		}
		f.selectors(func(sel *ast.SelectorExpr) {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "inventory" && slices.Contains([]string{"Inventory", "Snapshot", "New"}, sel.Sel.Name) {
				t.Errorf("%s uses inventory.%s: what deletes takes a fresh inventory.Listing (I2)", f.at(sel), sel.Sel.Name)
			}
		})
	}
}

// constructor is a function that makes something for its caller.
var constructor = regexp.MustCompile(`^([Nn]ew|[Oo]pen|[Dd]ial|[Ll]isten|Parse|Load|build)([A-Z].*)?$`)

// proves I3: neither a constructor nor a function of its package that it calls
// by name starts a goroutine.
func TestConstructorsStartNothing(t *testing.T) {
	starts := map[string]string{}  // a function, by folder and name: where it starts a goroutine
	calls := map[string][]string{} // a constructor: itself, and what it calls
	for _, f := range load(t).files {
		if f.test || within(f.dir, []string{"bench", "test/..."}) {
			continue
		}
		f.functions(func(fn *ast.FuncDecl) {
			key, making := f.dir+" "+fn.Name.Name, constructor.MatchString(fn.Name.Name)
			if making {
				calls[key] = append(calls[key], key)
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch {
				case isStart(n) && (making || fn.Recv == nil):
					starts[key] = f.at(n)
				case making:
					if callee := calleeOf(n); callee != "" {
						calls[key] = append(calls[key], f.dir+" "+callee)
					}
				}
				return true
			})
		})
	}
	for maker, reached := range calls {
		for _, key := range reached {
			if at := starts[key]; at != "" {
				t.Errorf("%s starts a goroutine, and the constructor %s leads there: start it in Run (I3)", at, maker)
			}
		}
	}
}

// isStart reports whether a node starts a goroutine: go f(), or group.Go(f).
func isStart(n ast.Node) bool {
	if call, ok := n.(*ast.CallExpr); ok {
		sel, method := call.Fun.(*ast.SelectorExpr)
		return method && sel.Sel.Name == "Go"
	}
	_, ok := n.(*ast.GoStmt)
	return ok
}

// calleeOf returns the name of the function of the same package that a node
// calls; empty if it calls none.
func calleeOf(n ast.Node) string {
	if call, ok := n.(*ast.CallExpr); ok {
		if name, plain := call.Fun.(*ast.Ident); plain {
			return name.Name
		}
	}
	return ""
}

func TestOnlyTheMainPackagesExit(t *testing.T) {
	for _, f := range load(t).files {
		if f.test || within(f.dir, []string{"agent/cmd/berth", "bench/...", "packaging/release", "test/etcdserver", "test/workload"}) {
			continue
		}
		f.selectors(func(sel *ast.SelectorExpr) {
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return
			}
			switch call := x.Name + "." + sel.Sel.Name; call {
			case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "syscall.Exit":
				t.Errorf("%s uses %s: return an error; only agent/cmd/berth ends the process", f.at(sel), call)
			}
		})
	}
}

// selectors calls visit for each x.Name of a file.
func (f file) selectors(visit func(*ast.SelectorExpr)) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			visit(sel)
		}
		return true
	})
}

// uses reports whether a file imports one of our packages.
func (f file) uses(folder string) bool {
	return slices.ContainsFunc(f.syntax.Imports, func(i *ast.ImportSpec) bool {
		return strings.Trim(i.Path.Value, `"`) == module+folder
	})
}

// isPackage reports whether an expression is the name of an imported package.
func (f file) isPackage(x ast.Expr) bool {
	name, ok := x.(*ast.Ident)
	return ok && slices.ContainsFunc(f.syntax.Imports, func(i *ast.ImportSpec) bool {
		return path.Base(strings.Trim(i.Path.Value, `"`)) == name.Name
	})
}
