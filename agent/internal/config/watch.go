package config

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"time"
)

// A Watcher says when the content of the configuration file has become another
// one, however that came about: written in place, renamed over, removed and
// made anew, a symbolic link on the way turned elsewhere, the folder replaced.
// A file that is gone has no content: nothing is said until it is back.
//
// It sleeps until the kernel reports a change. Only where the folder cannot be
// watched does it read the file from time to time.
type Watcher struct {
	File    string
	Digest  [sha256.Size]byte // of the content in force, as in [Loaded]; zero: none
	Log     *slog.Logger
	Changed func() // called by Run, one call at a time

	Quiet time.Duration // how long a burst of changes must be over; 0: 500 ms
	Poll  time.Duration // between two looks where nothing can be watched; 0: 1 min
}

// Run watches until ctx is cancelled, and then returns nil.
func (w *Watcher) Run(ctx context.Context) error {
	t := &trail{file: w.File}
	defer t.close()
	seen := sight{digest: w.Digest}
	for {
		poll := w.follow(t, &seen)
		w.look(&seen)
		if !t.wait(ctx, cmp.Or(w.Quiet, 500*time.Millisecond), poll) {
			return nil
		}
	}
}

// A sight is what the last look has shown.
type sight struct {
	digest [sha256.Size]byte // of the last content that could be read
	blind  string            // why no folder is watched; empty while one is
	fault  string            // why the file could not be read; empty if it could
}

// follow watches the folders that now lead to the file. Where that cannot be
// done it returns when to look again instead; else 0.
func (w *Watcher) follow(t *trail, seen *sight) time.Duration {
	err := t.follow()
	if err == nil {
		seen.blind = ""
		return 0
	}
	poll := cmp.Or(w.Poll, time.Minute)
	if seen.blind != err.Error() {
		seen.blind = err.Error()
		w.Log.Warn("watch configuration", "file", w.File, "err", err, "retry", poll)
	}
	return poll
}

// look calls Changed if the file has another content than at the last look.
func (w *Watcher) look(seen *sight) {
	text, err := readFile(w.File)
	if err != nil {
		never := errors.Is(err, fs.ErrNotExist) && seen.digest == [sha256.Size]byte{}
		if !never && seen.fault != err.Error() {
			w.Log.Warn("read configuration", "file", w.File, "err", err)
		}
		seen.fault = err.Error()
		return
	}
	seen.fault = ""
	if digest := sha256.Sum256(text); digest != seen.digest {
		seen.digest = digest
		w.Changed()
	}
}
