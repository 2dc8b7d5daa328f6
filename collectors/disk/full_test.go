package disk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/disk"
)

// A real file system that is filled to the last block or inode, and emptied.
func TestADiskWithNothingLeftIsAnEmergency(t *testing.T) {
	tests := map[string]struct {
		fill  func(testing.TB, string)
		empty func(testing.TB, string)
		left  func(disk.Usage) uint64
		says  string
	}{
		"bytes": {
			fill:  fill,
			empty: func(t testing.TB, dir string) { ok(t, os.Truncate(filepath.Join(dir, "filler"), 0)) },
			left:  func(u disk.Usage) uint64 { return u.Avail },
			says:  " is 100.0 % full, 0B left; emergency from 98 %",
		},
		"inodes": {
			fill:  fillInodes,
			empty: removeAll,
			left:  func(u disk.Usage) uint64 { return u.InodesFree },
			says:  " has 100.0 % of its inodes in use, 0 left; emergency from 98 %",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := loop(t, 16, 256)
			w := start(t, func(m *disk.Monitor) { m.Every = 10 * time.Millisecond }, dir)
			until(t, "normal", func() bool { return len(w.States()) == 1 && w.Level(dir) == disk.Normal })
			tt.fill(t, dir)
			until(t, "full", func() bool { return tt.left(w.States()[0].Usage) == 0 })
			if s := w.States()[0]; s.Level != disk.Emergency || s.Reason != dir+tt.says || s.Usage.Worst() != 100 {
				t.Errorf("%v, %q: %+v", s.Level, s.Reason, s.Usage)
			}
			tt.empty(t, dir)
			until(t, "normal again", func() bool { return w.Level(dir) == disk.Normal })
			w.stop()
			if last := w.told()[len(w.told())-1]; last.Level != disk.Normal || !strings.HasPrefix(last.Reason, dir) {
				t.Errorf("was told %+v at last", last)
			}
		})
	}
}
