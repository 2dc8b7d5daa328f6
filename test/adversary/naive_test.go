package adversary_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// The canaries can die: a deleter that looks at each path before it acts on it,
// as scripts and filepath.Walk do, is led out of the root.
func TestADeleterThatFollowsPathsKillsCanaries(t *testing.T) {
	w := newWorld(t)
	defer w.clear()
	b := w.battle(func(r *rand.Rand) {
		for range 40 {
			if p, ok := w.prey(r); ok {
				w.naive(p.path)
				w.lost(p)
			}
		}
	})
	t.Logf("%d hostile acts, %d folders deleted, canaries touched: %q", w.acts(), b.rounds, b.touched)
	if len(b.touched) == 0 {
		t.Error("no canary was touched: the attacks are too weak to prove anything")
	}
}

// lost closes a borrowed descriptor.
func (w *world) lost(p prey) { _ = os.NewFile(uintptr(p.fd), p.path).Close() }

// naive deletes a tree by its paths.
func (w *world) naive(path string) {
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	if info.IsDir() {
		entries, _ := os.ReadDir(path)
		for _, e := range entries {
			w.naive(filepath.Join(path, e.Name()))
		}
	}
	_ = os.Remove(path)
}
