package config_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/internal/config"
)

func TestWatcherSeesEveryWayToChangeAFile(t *testing.T) {
	tests := map[string]func(t *testing.T, path string, text string){
		"written in place": write,
		"renamed over it": func(t *testing.T, path, text string) {
			write(t, path+".new", text)
			ok(t, os.Rename(path+".new", path))
		},
		"renamed over it from another folder, as by sed -i and editors": func(t *testing.T, path, text string) {
			other := filepath.Join(t.TempDir(), "x")
			write(t, other, text)
			ok(t, os.Rename(path, path+"~"))
			ok(t, os.Rename(other, path))
			ok(t, os.Remove(path+"~"))
		},
		"removed and made anew": func(t *testing.T, path, text string) {
			ok(t, os.Remove(path))
			write(t, path, text)
		},
		"written in pieces": func(t *testing.T, path, text string) {
			f, err := os.Create(path)
			ok(t, err)
			for _, b := range []byte(text) {
				_, err := f.Write([]byte{b})
				ok(t, err)
			}
			ok(t, f.Close())
		},
		"linked over it": func(t *testing.T, path, text string) {
			other := filepath.Join(t.TempDir(), "x")
			write(t, other, text)
			ok(t, os.Symlink(other, path+".new"))
			ok(t, os.Rename(path+".new", path))
		},
		"the folder removed and made anew": func(t *testing.T, path, text string) {
			ok(t, os.RemoveAll(filepath.Dir(path)))
			ok(t, os.Mkdir(filepath.Dir(path), 0o700))
			write(t, path, text)
		},
		"the folder renamed and another in its place": func(t *testing.T, path, text string) {
			dir := filepath.Dir(path)
			ok(t, os.Mkdir(dir+".new", 0o700))
			write(t, filepath.Join(dir+".new", filepath.Base(path)), text)
			ok(t, os.Rename(dir, fmt.Sprintf("%s.old.%d", dir, len(text))))
			ok(t, os.Rename(dir+".new", dir))
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "berth")
			ok(t, os.Mkdir(dir, 0o700))
			path := filepath.Join(dir, "berth.yaml")
			write(t, path, "first")
			w := watch(t, path)
			w.settle()
			for _, text := range []string{"second", "the third", "and the fourth"} {
				change(t, path, text)
				w.expect(text)
			}
		})
	}
}

func TestWatcherSeesASwapOfTheFolderBehindALink(t *testing.T) {
	dir := t.TempDir() // berth.yaml -> ..data/berth.yaml, ..data -> ..1
	path := filepath.Join(dir, "berth.yaml")
	version := func(n string) {
		ok(t, os.Mkdir(filepath.Join(dir, ".."+n), 0o700))
		write(t, filepath.Join(dir, ".."+n, "berth.yaml"), n)
		ok(t, os.Symlink(".."+n, filepath.Join(dir, "..data_tmp")))
		ok(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	version("1")
	ok(t, os.Symlink("..data/berth.yaml", path))
	w := watch(t, path)
	w.settle()
	version("2")
	w.expect("2")
	ok(t, os.RemoveAll(filepath.Join(dir, "..1")))
	version("3")
	w.expect("3")
	w.expectNone()
}

func TestWatcherSeesAnEditOfALinksTarget(t *testing.T) {
	target, dir := filepath.Join(t.TempDir(), "real.yaml"), t.TempDir()
	write(t, target, "first")
	ok(t, os.Symlink(target, filepath.Join(dir, "hop")))
	path := filepath.Join(dir, "berth.yaml")
	ok(t, os.Symlink("./../"+filepath.Base(dir)+"/hop", path))
	w := watch(t, path)
	w.settle()
	write(t, target, "second")
	w.expect("second")
	ok(t, os.Remove(filepath.Join(dir, "hop")))
	write(t, filepath.Join(dir, "hop"), "third")
	w.expect("third")
}

func TestWatcherWaitsForAFileAndFoldersThatDoNotExistYet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "etc", "berth", "berth.yaml")
	w := watch(t, path)
	w.expectNone()
	ok(t, os.MkdirAll(filepath.Dir(path), 0o700))
	w.expectNone()
	write(t, path, "first")
	w.expect("first")
	ok(t, os.RemoveAll(filepath.Dir(filepath.Dir(path))))
	w.expectNone()
	ok(t, os.MkdirAll(filepath.Dir(path), 0o700))
	write(t, path, "second")
	w.expect("second")
}

func TestWatcherSeesWhatChangedBeforeItRan(t *testing.T) {
	path := file(t, "newer")
	watch(t, path, func(w *config.Watcher) { w.Digest = sha256.Sum256([]byte("older")) }).expect("newer")
}

func TestWatcherSaysNothingWhileTheContentIsTheSame(t *testing.T) {
	path := file(t, "first")
	w := watch(t, path)
	w.settle()
	write(t, path+".new", "settled")
	ok(t, os.Rename(path+".new", path))
	ok(t, os.Chtimes(path, time.Now(), time.Now()))
	write(t, filepath.Join(filepath.Dir(path), "other.yaml"), "another file")
	w.expectNone()
	ok(t, os.Remove(path))
	w.expectNone()
	write(t, path, "settled")
	w.expectNone()
	write(t, path, "second")
	w.expect("second")
}

func TestWatcherTellsABurstOnce(t *testing.T) {
	path := file(t, "first")
	w := watch(t, path, func(w *config.Watcher) { w.Quiet = 500 * time.Millisecond })
	w.settle()
	for i := range 50 {
		write(t, path, fmt.Sprint(i))
	}
	if got := <-w.changed; got != "49" {
		t.Errorf("the first word is of %q, want the last content", got)
	}
	w.expectNone()
}

func TestWatcherIsNotHeldUpByANoisyNeighbour(t *testing.T) {
	path := file(t, "first")
	w := watch(t, path)
	w.settle()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { // touches the file itself, so that every event matters
		defer close(done)
		for ctx.Err() == nil {
			_ = os.Chtimes(path, time.Now(), time.Now())
			runtime.Gosched()
		}
	}()
	write(t, path, "second")
	w.expect("second")
	cancel()
	<-done
}

func TestWatcherReadsFromTimeToTimeWhereNothingCanBeWatched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "berth.yaml")
	ok(t, os.Symlink("berth.yaml", path)) // leads to itself
	var log lockedBuffer
	w := watch(t, path, func(w *config.Watcher) {
		w.Poll, w.Log = 20*time.Millisecond, slog.New(slog.NewTextHandler(&log, nil))
	})
	w.expectNone()
	ok(t, os.Remove(path))
	write(t, path, "first")
	w.expect("first")
	w.stop()
	if n := strings.Count(log.String(), "watch configuration"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, log.String())
	}
}

func TestWatcherWorksAgainOnceTheFileCanBeRead(t *testing.T) {
	path := file(t, "first")
	w := watch(t, path)
	w.settle()
	ok(t, os.Remove(path))
	ok(t, syscall.Mkfifo(path, 0o600)) // would hang whoever opens it
	w.expectNone()
	ok(t, os.Remove(path))
	write(t, path, "second")
	w.expect("second")
}
