package kernel_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// reads are what the rest of the janitor may call by itself: what changes
// nothing on disk. Openat is among them where it does not create.
var reads = []string{
	"os.Getenv", "os.Geteuid", "os.Getpid", "os.IsNotExist", "os.Lstat", "os.NewFile", "os.Open", "os.ReadDir", "os.ReadFile", "os.Stat",
	"unix.Close", "unix.Faccessat2", "unix.Flock", "unix.Fstat", "unix.Fstatat", "unix.Fstatfs", "unix.Getdents",
	"unix.Lstat", "unix.Mkdev", "unix.Open", "unix.Openat", "unix.Openat2", "unix.Read", "unix.Seek", "unix.Stat", "unix.Statfs", "unix.Statx",
	"syscall.Stat",
}

// J5: a crash is tried at every system call only if there are no others.
func TestWhatChangesTheDiskIsCalledHereAlone(t *testing.T) {
	set, seen := token.NewFileSet(), 0
	for _, path := range sources(t) {
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && changes(set, path, call) {
				t.Errorf("%s: call it by way of package kernel, or add it to reads if it changes nothing", set.Position(call.Pos()))
			}
			return true
		})
	}
	if seen < 30 {
		t.Errorf("%d files: that is not all of the janitor", seen)
	}
}

// sources are the files of the packages on the way to a deletion.
func sources(t *testing.T) (all []string) {
	t.Helper()
	for _, folder := range []string{"audit", "beneath", "journal", "ledger", "logs", "tombstone"} {
		paths, err := filepath.Glob("../../" + folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if !strings.HasSuffix(path, "_test.go") {
				all = append(all, path)
			}
		}
	}
	return all
}

// changes reports whether a call may change what is on disk, or sets a hook.
func changes(set *token.FileSet, path string, call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	text := source(set, call)
	if x, ok := sel.X.(*ast.Ident); ok {
		switch name := x.Name + "." + sel.Sel.Name; {
		case x.Name == "kernel":
			return sel.Sel.Name == "Intercept"
		case strings.Contains(text, "O_CREAT"):
			return true
		case slices.Contains([]string{"os", "unix", "syscall"}, x.Name):
			return !slices.Contains(reads, name)
		}
	}
	switch sel.Sel.Name { // of an *os.File
	case "Sync", "WriteAt", "WriteString", "Chmod", "Chown", "ReadFrom":
		return len(call.Args) < 2 && !strings.HasPrefix(text, "text.ReadFrom") // a bytes.Buffer
	case "Truncate":
		return !strings.Contains(text, "time.")
	case "Write":
		return filepath.Base(filepath.Dir(path)) == "journal"
	}
	return false
}

func source(set *token.FileSet, n ast.Node) string {
	var b strings.Builder
	_ = printer.Fprint(&b, set, n)
	return b.String()
}

func TestAHookSeesEachCallAndSpeaksForIt(t *testing.T) {
	dir := t.TempDir()
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	calls := map[string]func() error{
		"openat2": func() error { _, err := kernel.Openat2(fd, "file", &unix.OpenHow{}); return err },
		"openat":  func() error { _, err := kernel.Openat(fd, "made", unix.O_CREAT, 0o600); return err },
		"openat by path": func() error {
			_, err := kernel.OpenFile(filepath.Join(dir, "made too"), os.O_CREATE, 0o600)
			return err
		},
		"renameat2":       func() error { return kernel.Renameat2(fd, "file", fd, "as", 0) },
		"unlinkat":        func() error { return kernel.Unlinkat(fd, "as", 0) },
		"mkdirat":         func() error { return kernel.Mkdirat(fd, "sub", 0o700) },
		"mkdirat by path": func() error { return kernel.MkdirAll(filepath.Join(dir, "a/b"), 0o700) },
		"linkat":          func() error { return kernel.Linkat(fd, "made", "link") },
		"write":           func() error { return kernel.Write(file, []byte("text")) },
		"ftruncate":       func() error { return kernel.Ftruncate(int(file.Fd()), 1) },
		"fallocate":       func() error { return kernel.Fallocate(int(file.Fd()), 0, 0, 1) },
		"fsync":           func() error { return kernel.Fsync(fd) },
		"fdatasync":       func() error { return kernel.Fdatasync(int(file.Fd())) },
	}
	order := []string{
		"openat2", "openat", "openat by path", "renameat2", "unlinkat", "mkdirat", "mkdirat by path",
		"linkat", "write", "ftruncate", "fallocate", "fsync", "fdatasync",
	}
	refused := errors.New("refused")
	for _, name := range order {
		var seen kernel.Call
		stop := kernel.Intercept(t, func(c kernel.Call, _ func() error) error { seen = c; return refused })
		if err := calls[name](); !errors.Is(err, refused) || !strings.HasPrefix(name, seen.Name) {
			t.Errorf("%s: the hook saw %+v, and the caller got %v", name, seen, err)
		}
		stop()
		if err := calls[name](); err != nil {
			t.Errorf("%s without a hook: %v", name, err)
		}
	}
}

// What was opened before the hook refused it does not stay open.
func TestARefusedOpenLeavesNoDescriptor(t *testing.T) {
	before := descriptors(t)
	kernel.Intercept(t, func(_ kernel.Call, do func() error) error { return errors.Join(do(), errors.New("refused")) })
	for range 10 {
		_, _ = kernel.Openat(unix.AT_FDCWD, "/", unix.O_RDONLY, 0)
		_, _ = kernel.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{})
		_, _ = kernel.OpenFile("/", os.O_RDONLY, 0)
	}
	if now := descriptors(t); now > before+5 {
		t.Errorf("%d descriptors are open, and there were %d", now, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestThereIsOneHookAtATime(t *testing.T) {
	pass := func(_ kernel.Call, do func() error) error { return do() }
	stop := kernel.Intercept(t, pass)
	second := &fake{T: t}
	kernel.Intercept(second, pass)
	if second.said == "" {
		t.Error("a second hook replaced the first")
	}
	stop()
	kernel.Intercept(t, pass)
}

// A fake is a test that fails without ending.
type fake struct {
	*testing.T
	said string
}

func (f *fake) Fatal(args ...any) { f.said = fmt.Sprint(args...) }

func BenchmarkACallWithoutAHook(b *testing.B) {
	fd, err := unix.Open(b.TempDir(), unix.O_DIRECTORY|unix.O_RDONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = unix.Unlinkat(fd, "none", 0)
		}
	})
	b.Run("by way of kernel", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = kernel.Unlinkat(fd, "none", 0)
		}
	})
}
