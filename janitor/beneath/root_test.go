package beneath_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

func TestARootBehindASymlinkIsRefusedWithTheCure(t *testing.T) {
	dir := tempDir(t)
	target := mkdir(t, dir, "real", "logs")
	ok(t, os.Symlink("real", filepath.Join(dir, "link")))
	ok(t, os.Symlink("logs", filepath.Join(dir, "real", "last")))
	tests := map[string]struct{ path, blamed string }{
		"in the middle": {dir + "/link/logs", dir + "/link"},
		"at the end":    {dir + "/real/last", dir + "/real/last"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := beneath.Open(tt.path)
			if !errors.Is(err, beneath.ErrSymlink) {
				t.Fatalf("Open(%q) = %v, want ErrSymlink", tt.path, err)
			}
			for _, want := range []string{tt.blamed, target} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not name %q", err, want)
				}
			}
		})
	}
}

func TestARootMustBeAFolderBelowSlash(t *testing.T) {
	dir := tempDir(t)
	file := write(t, "", dir, "file")
	ok(t, unix.Mkfifo(dir+"/pipe", 0o600))
	tests := map[string]struct {
		path string
		want error // nil: any
	}{
		"slash":    {"/", nil},
		"relative": {"logs", nil},
		"empty":    {"", nil},
		"unclean":  {dir + "/../x", nil},
		"a file":   {file, beneath.ErrNotFolder},
		"a pipe":   {dir + "/pipe", beneath.ErrNotFolder},
		"absent":   {dir + "/absent", unix.ENOENT},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := beneath.Open(tt.path)
			if err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Errorf("Open(%q) = %v, want %v", tt.path, err, tt.want)
			}
		})
	}
}

func TestNothingIsOpenedWhereMountsCannotBeToldApart(t *testing.T) {
	if _, err := beneath.OpenNoWay(tempDir(t)); !errors.Is(err, beneath.ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
}

func TestVerifyNoticesAnotherRoot(t *testing.T) {
	tests := map[string]func(t *testing.T, path string){
		"replaced": func(t *testing.T, path string) {
			ok(t, os.Rename(path, path+".old"))
			mkdir(t, path)
		},
		"mounted over with itself": func(t *testing.T, path string) { mount(t, path, path, "", unix.MS_BIND) },
		"mounted over with tmpfs":  func(t *testing.T, path string) { mount(t, "none", path, "tmpfs", 0) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, dir string, open func(string) *beneath.Root) {
				path := mkdir(t, dir, "root")
				root := open(path)
				ok(t, root.Verify())
				change(t, path)
				err := root.Verify()
				if !errors.Is(err, beneath.ErrReplaced) || !strings.Contains(err.Error(), path) {
					t.Errorf("Verify() = %v, want ErrReplaced and the path", err)
				}
			})
		})
	}
}

func TestVerifyNoticesThatTheRootWasUnmounted(t *testing.T) {
	eachWay(t, func(t *testing.T, dir string, open func(string) *beneath.Root) {
		path := mkdir(t, dir, "root")
		mount(t, "none", path, "tmpfs", 0)
		root := open(path)
		ok(t, root.Verify())
		ok(t, unix.Unmount(path, unix.MNT_DETACH))
		if err := root.Verify(); !errors.Is(err, beneath.ErrReplaced) {
			t.Errorf("unmounted: %v, want ErrReplaced", err)
		}
		mount(t, "none", path, "tmpfs", 0)
		if err := root.Verify(); !errors.Is(err, beneath.ErrReplaced) {
			t.Errorf("mounted anew: %v, want ErrReplaced", err)
		}
	})
}

func TestVerifyNoticesThatTheRootBecameALink(t *testing.T) {
	dir := tempDir(t)
	path := mkdir(t, dir, "root")
	root := must(beneath.Open(path))(t)
	ok(t, os.Rename(path, path+".old"))
	ok(t, os.Symlink(path+".old", path))
	if err := root.Verify(); !errors.Is(err, beneath.ErrSymlink) {
		t.Errorf("got %v, want ErrSymlink", err)
	}
}

func TestWritableTellsReadOnlyFromForbidden(t *testing.T) {
	path := mkdir(t, tempDir(t), "root")
	root := must(beneath.Open(path))(t)
	ok(t, root.Writable())
	ok(t, beneath.ProbeWritable(root))

	ok(t, os.Chmod(path, 0o555))
	without(t, []int{unix.CAP_DAC_OVERRIDE}, func() {
		for name, err := range map[string]error{"faccessat2": root.Writable(), "probe": beneath.ProbeWritable(root)} {
			if !errors.Is(err, unix.EACCES) || errors.Is(err, beneath.ErrReadOnly) {
				t.Errorf("%s without the right: %v, want EACCES", name, err)
			}
		}
	})
	ok(t, root.Writable())

	mount(t, path, path, "", unix.MS_BIND)
	ok(t, unix.Mount("", path, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	readOnly := must(beneath.Open(path))(t)
	if err := readOnly.Writable(); !errors.Is(err, beneath.ErrReadOnly) || !strings.Contains(err.Error(), path) {
		t.Errorf("read-only: %v, want ErrReadOnly and the path", err)
	}
	if err := beneath.ProbeWritable(readOnly); !errors.Is(err, unix.EROFS) {
		t.Errorf("read-only by probe: %v, want EROFS", err)
	}
}
