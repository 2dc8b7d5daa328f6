package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/berth-dev/berth/"

// A tree is the whole repository, as far as rules are about it.
type tree struct {
	root     string
	packages []pkg
	files    []file
}

// A pkg is what the go command says of a package on this platform.
type pkg struct {
	ImportPath, Dir, Name              string
	Imports, TestImports, XTestImports []string

	path string // from the root; "agent/api"
}

// A file is one Go file, whatever platform it is for.
type file struct {
	path   string // from the root
	dir    string // the folder of path
	test   bool
	lines  int
	syntax *ast.File
	set    *token.FileSet
}

// whole reads the tree, once per test binary.
var whole = sync.OnceValues(read)

// load returns the tree.
func load(t *testing.T) tree {
	t.Helper()
	tr, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func read() (tree, error) {
	mod, err := goCommand("", "env", "GOMOD")
	if err != nil {
		return tree{}, err
	}
	tr := tree{root: filepath.Dir(strings.TrimSpace(string(mod)))}
	if err := tr.list(); err != nil {
		return tree{}, err
	}
	return tr, filepath.WalkDir(tr.root, tr.visit)
}

// list asks the go command for the packages. What does not build is the
// compiler's to report.
func (tr *tree) list() error {
	out, err := goCommand(tr.root, "list", "-e", "-json=ImportPath,Dir,Name,Imports,TestImports,XTestImports", "./...")
	if err != nil {
		return err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the list of packages: %w", err)
		}
		p.path = strings.TrimPrefix(p.ImportPath, module)
		tr.packages = append(tr.packages, p)
	}
}

// visit takes in one Go file.
func (tr *tree) visit(path string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if d.IsDir() {
		if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") && path != tr.root {
			return filepath.SkipDir
		}
		return nil
	}
	if filepath.Ext(path) != ".go" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(tr.root, path)
	tr.files = append(tr.files, file{
		path: rel, dir: filepath.Dir(rel), test: strings.HasSuffix(rel, "_test.go"),
		lines: bytes.Count(text, []byte("\n")), syntax: syntax, set: set,
	})
	return err
}

// text returns a file of the repository.
func (tr tree) text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(tr.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// at is where a node stands, to be clicked on.
func (f file) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.set.Position(n.Pos()).Line)
}

// functions calls visit for each function and method with a body.
func (f file) functions(visit func(*ast.FuncDecl)) {
	for _, d := range f.syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			visit(fn)
		}
	}
}

// within reports whether path is one of the patterns: a folder, or a folder
// with all below it ("janitor/...").
func within(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		base, all := strings.CutSuffix(p, "/...")
		return path == base || all && strings.HasPrefix(path, base+"/")
	})
}

func goCommand(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	var stderr strings.Builder
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out, nil
}
