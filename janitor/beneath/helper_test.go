package beneath_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// eachWay runs a test once for each way a kernel may allow, with a fresh
// folder to be the root.
func eachWay(t *testing.T, f func(t *testing.T, path string, open func(string) *beneath.Root)) {
	t.Helper()
	for name, open := range beneath.Ways() {
		t.Run(name, func(t *testing.T) {
			f(t, tempDir(t), func(path string) *beneath.Root {
				t.Helper()
				return must(open(path))(t)
			})
		})
	}
}

// tempDir is t.TempDir without symbolic links in its path.
func tempDir(t *testing.T) string {
	t.Helper()
	return must(filepath.EvalSymlinks(t.TempDir()))(t)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := any(v).(interface{ Close() error }); ok {
			t.Cleanup(func() { c.Close() })
		}
		return v
	}
}

func mkdir(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	ok(t, os.MkdirAll(path, 0o755))
	return path
}

func write(t *testing.T, content string, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	ok(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mount mounts for the length of the test.
func mount(t *testing.T, source, target, kind string, flags uintptr) {
	t.Helper()
	ok(t, unix.Mount(source, target, kind, flags, ""))
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) })
}

// deep makes a chain of folders, all of the same name, with a file in the last.
func deep(t *testing.T, top string, levels int) {
	t.Helper()
	fd := must(unix.Open(top, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0))(t)
	for range levels {
		ok(t, unix.Mkdirat(fd, "d", 0o755))
		next, err := unix.Openat(fd, "d", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		ok(t, err)
		unix.Close(fd)
		fd = next
	}
	file, err := unix.Openat(fd, "file", unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o644)
	ok(t, err)
	_, err = unix.Write(file, []byte("deep"))
	ok(t, err)
	unix.Close(file)
	unix.Close(fd)
}
