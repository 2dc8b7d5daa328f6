package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A trail watches the folders in which a change can make a path lead to
// something else: the folder of the file, and that of every symbolic link on
// the way. It is a folder that is watched and never a file, because a watch on
// a file stays with the old one when another is renamed over it.
type trail struct {
	file   string
	notify *fsnotify.Watcher
	steps  steps // what was watched last
}

// steps are, by folder, the names in it that matter.
type steps map[string][]string

// maxSteps is more than the kernel follows.
const maxSteps = 255

// stepsTo finds the folders and names that lead to a path. They end at the
// first name that does not exist.
func stepsTo(path string) (steps, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find folder of %s: %w", path, err)
	}
	found, folder, rest := steps{}, "/", strings.Split(path, "/")
	for range maxSteps {
		if len(rest) == 0 {
			return found, nil
		}
		name := rest[0]
		rest = rest[1:]
		full := filepath.Join(folder, name)
		info, err := os.Lstat(full)
		switch {
		case name == "" || name == "." || name == "..":
			folder = full
		case err == nil && info.Mode()&os.ModeSymlink != 0:
			found[folder] = append(found[folder], name)
			target, err := os.Readlink(full)
			if err != nil {
				return found, nil // changed under our hands: the watch will tell
			}
			if filepath.IsAbs(target) {
				folder = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
		case err == nil && len(rest) > 0 && info.IsDir():
			folder = full
		default:
			found[folder] = append(found[folder], name)
			return found, nil
		}
	}
	return nil, fmt.Errorf("follow %s: %w", path, syscall.ELOOP)
}

// follow watches what leads to the file now, and nothing else. It is done once
// the way has not changed while the watches were set.
func (t *trail) follow() error {
	if t.notify == nil {
		notify, err := fsnotify.NewWatcher()
		if err != nil {
			return fmt.Errorf("watch folders: %w", err)
		}
		t.notify = notify
	}
	for range 10 {
		want, err := stepsTo(t.file)
		if err != nil {
			return err
		}
		if err := t.watch(want); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		} else if now, again := stepsTo(t.file); err == nil && again == nil && maps.EqualFunc(want, now, slices.Equal) {
			return nil
		}
	}
	return fmt.Errorf("watch folder of %s: it keeps changing", t.file)
}

// watch sets the watches. Adding one that is there already renews it, should
// the folder be another one under the same name.
func (t *trail) watch(want steps) error {
	for _, folder := range t.notify.WatchList() {
		if _, wanted := want[folder]; !wanted {
			_ = t.notify.Remove(folder) // gone by itself if it fails
		}
	}
	t.steps = want
	for folder := range want {
		if err := t.notify.Add(folder); err != nil {
			return fmt.Errorf("watch folder %s: %w", folder, err)
		}
	}
	return nil
}

// wait returns true when the way to the file, or the file, may have changed
// and has then been left alone for the time quiet, or after poll, if that is
// not 0. It returns false once ctx is cancelled.
func (t *trail) wait(ctx context.Context, quiet, poll time.Duration) bool {
	var events <-chan fsnotify.Event
	var lost <-chan error
	if t.notify != nil {
		events, lost = t.notify.Events, t.notify.Errors
	}
	var over, late, again <-chan time.Time
	if poll > 0 {
		again = time.After(poll)
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case <-late:
			return true
		case <-again:
			return true
		case <-lost: //nolint:errcheck // events were dropped, and any of them may have been ours
		case e := <-events:
			if !t.matters(e.Name) {
				continue
			}
		}
		over = time.After(quiet)
		if late == nil {
			late = time.After(10 * quiet)
		}
	}
}

// matters reports whether an event is about a name on the way. One about a
// folder itself always is.
func (t *trail) matters(name string) bool {
	names, inFolder := t.steps[filepath.Dir(name)]
	_, isFolder := t.steps[name]
	return isFolder || !inFolder || slices.Contains(names, filepath.Base(name))
}

// close ends the watches and the goroutine behind them.
func (t *trail) close() {
	if t.notify != nil {
		_ = t.notify.Close() // nothing is left to be done about it
	}
}
