package docker

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// blobPrefix begins the names of the files in which the classic image store
// keeps a blob from the first byte to the end of its unpacking (moby,
// distribution/pull_v2.go).
const blobPrefix = "GetImageBlob"

// A PullClock times pulls. Docker tells when one ends; when it began shows in
// the folder where blobs arrive. Pulls that overlap count as one that began with
// the first of them. With the containerd image store nothing shows.
type PullClock struct {
	Log *slog.Logger

	mu     sync.Mutex // guards the fields below
	notify *fsnotify.Watcher
	folder os.FileInfo     // that is watched; nil: none
	coming map[string]bool // blobs that are on their way
	began  time.Time       // when the first of those came, or of those before, if there are none
	ended  time.Time       // when the last of those before had gone
}

// Run follows the folder until ctx ends.
func (c *PullClock) Run(ctx context.Context) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil { // nothing depends on it
		c.Log.Warn("time pulls", "err", err)
		<-ctx.Done()
		return nil
	}
	c.mu.Lock()
	c.notify, c.coming = notify, map[string]bool{}
	c.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			c.mu.Lock()
			c.notify, c.folder = nil, nil
			c.mu.Unlock()
			return notify.Close()
		case e := <-notify.Events:
			c.note(e, time.Now())
		case err := <-notify.Errors:
			c.Log.Warn("time pulls", "err", err) // events were lost: begin anew
			c.mu.Lock()
			c.coming, c.began = map[string]bool{}, time.Time{}
			c.mu.Unlock()
		}
	}
}

func (c *PullClock) note(e fsnotify.Event, now time.Time) {
	if !strings.HasPrefix(filepath.Base(e.Name), blobPrefix) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case e.Has(fsnotify.Create):
		if len(c.coming) == 0 {
			c.began = now
		}
		c.coming[e.Name] = true
	case e.Has(fsnotify.Remove), e.Has(fsnotify.Rename):
		delete(c.coming, e.Name)
		c.ended = now
	}
}

// settling is how long after its last blob a pull ends at most.
const settling = 5 * time.Second

// Watch makes sure that the blobs of the Engine with this data root are seen. An
// Engine that starts makes the folder anew.
func (c *PullClock) Watch(root string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := filepath.Join(root, "tmp")
	folder, err := os.Stat(path)
	if c.notify == nil || err != nil || c.folder != nil && os.SameFile(folder, c.folder) {
		return
	}
	for _, old := range c.notify.WatchList() {
		_ = c.notify.Remove(old) // it may be gone
	}
	if err := c.notify.Add(path); err != nil {
		c.Log.Debug("time pulls", "err", err) // unprivileged: nobody knows how long they take
		return
	}
	c.folder = folder
	c.coming, c.began = map[string]bool{}, time.Time{}
}

// Took is how long the pull took that ended at a moment; 0 if nobody knows.
func (c *PullClock) Took(at time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	over := len(c.coming) == 0
	if c.began.IsZero() || !c.began.Before(at) || over && at.Sub(c.ended) > settling {
		return 0 // nothing came for it
	}
	took := at.Sub(c.began)
	if over {
		c.began = time.Time{}
	}
	return took
}
