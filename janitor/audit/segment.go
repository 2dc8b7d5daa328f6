package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/journal"
)

// room is set aside on disk ahead of what is written, so that the janitor can
// account for what it deletes on a disk that is full: some thousand records.
const room = 1 << 20

// A segment is one file of the audit.
type segment struct {
	*journal.File
	file     *os.File
	reserved int64 // bytes
}

func openSegment(path string) (*segment, error) {
	file, err := kernel.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &segment{File: journal.New(file), file: file}, nil
}

// reserve keeps room ahead. Not every file system can, and a full one cannot
// any more: that is no fault.
func (s *segment) reserve() {
	if s.Size()+room/2 < s.reserved {
		return
	}
	s.reserved = s.Size() + room
	_ = kernel.Fallocate(int(s.file.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, s.reserved)
}

func segmentName(first uint64) string { return fmt.Sprintf("audit-%012d.log", first) }

// segments returns the names of the files, oldest first.
func (l *Log) segments() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(l.dir, "audit-*.log"))
	for i, p := range paths {
		paths[i] = filepath.Base(p)
	}
	slices.Sort(paths)
	return paths, err
}

// resume opens the newest segment and finds the end of the chain: there, or
// before it where a crash came between a new segment and its first record.
func (l *Log) resume(names []string) error {
	if len(names) == 0 {
		return l.begin(segmentName(1))
	}
	for i, name := range slices.Backward(names) {
		s, err := openSegment(filepath.Join(l.dir, name))
		if err != nil {
			return err
		}
		if err := l.read(s); err != nil {
			return errors.Join(err, s.Close())
		}
		if i == len(names)-1 {
			l.file = s
		} else if err := s.Close(); err != nil {
			return err
		}
		if l.seq > 0 {
			break
		}
	}
	l.file.reserve()
	return nil
}

// read takes the end of the chain from a segment.
func (l *Log) read(s *segment) error {
	var oldest, newest []byte
	_, err := s.Replay(func(b []byte) error {
		if newest = b; oldest == nil {
			oldest = b
		}
		return nil
	})
	if err == nil && newest != nil {
		var first, last Record
		err = errors.Join(json.Unmarshal(oldest, &first), json.Unmarshal(newest, &last))
		l.began, l.seq, l.last = first.Time, last.Seq, hash(newest)
	}
	return err
}

// begin makes a segment and uses it. The name of it is on disk when it returns:
// without that a synced record could be lost with its file.
func (l *Log) begin(name string) error {
	s, err := openSegment(filepath.Join(l.dir, name))
	if err != nil {
		return err
	}
	dir, err := os.Open(l.dir)
	if err == nil {
		err = errors.Join(kernel.Fsync(int(dir.Fd())), dir.Close())
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	l.file, l.began = s, time.Time{}
	l.file.reserve()
	return nil
}

// full reports whether a segment has all that it should have. It also ends by
// time, so that old records go on a host where little happens.
func (l *Log) full(now time.Time) bool {
	return l.file.Size() >= SegmentSize || !l.began.IsZero() && now.Sub(l.began) > MaxAge/MaxSegments
}

// rotate begins a new segment if this one is full, and drops old ones: first,
// for that may make the room that the new one needs. Where it cannot begin one,
// this one goes on for a while.
func (l *Log) rotate(now time.Time) error {
	if !l.full(now) {
		return nil
	}
	dropped := l.drop(now)
	old := l.file
	if err := l.begin(segmentName(l.seq + 1)); err != nil {
		if old.Size() < 2*SegmentSize {
			return nil
		}
		return errors.Join(err, dropped)
	}
	return errors.Join(dropped, old.Close())
}

// drop removes the segments that are too old or too many, with one to come, and
// what belongs to them first.
func (l *Log) drop(now time.Time) error {
	names, err := l.segments()
	for i, name := range names[:max(0, len(names)-1)] {
		path := filepath.Join(l.dir, name)
		info, statErr := os.Stat(path)
		if statErr == nil && (i <= len(names)-MaxSegments || now.Sub(info.ModTime()) > MaxAge) {
			_ = kernel.Unlinkat(unix.AT_FDCWD, indexPath(path), 0) // there may be none
			err = errors.Join(err, kernel.Unlinkat(unix.AT_FDCWD, path, 0))
		}
	}
	return err
}
