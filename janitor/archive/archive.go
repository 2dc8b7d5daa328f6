package archive

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// ErrNoRoom is wrapped by the error of an archive that the disk has no room
// for.
var ErrNoRoom = errors.New("no room for the archive")

// A Folder receives archives. It may be used from several goroutines.
type Folder struct{ path string }

// part is how a file ends that is not complete.
const part = ".part"

// Open makes the folder if it is not there, and removes what a crash has left
// incomplete. It must be a folder that nobody but its owner, us, can write to.
func Open(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return nil, fmt.Errorf("open archive %s: %w", path, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return nil, fmt.Errorf("open archive %s: not a folder", path)
	case int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0:
		return nil, fmt.Errorf("open archive %s: others can write to it: chown %d and chmod go-w", path, os.Geteuid())
	}
	left, err := filepath.Glob(filepath.Join(path, "*", "*"+part))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return &Folder{path}, nil
}

// Meta is what a folder was.
type Meta struct {
	Service   string
	Container string    // 12 or 64 digits
	Removed   time.Time // from its place
	Bytes     int64     // on disk; what the archive takes at worst
}

// Saved is what became of a folder.
type Saved struct {
	Path    string
	SHA256  string // of the file, in hexadecimal
	Bytes   int64  // of the file
	Files   int64  // in it: everything that is not a folder
	Skipped int64  // entries that are not in it
	Reason  string // of the first of those; empty: nothing was skipped
}

// Save writes the folder into a file. Room is asked before the first byte, with
// what the file takes at worst, and then every few MiB, with 0; its error ends
// the archive. Whatever the error, nothing incomplete stays behind.
func (f *Folder) Save(ctx context.Context, dir *beneath.Dir, m Meta, room func(bytes int64) error) (Saved, error) {
	if err := room(m.Bytes + m.Bytes/1000 + 1<<20); err != nil {
		return Saved{}, fmt.Errorf("archive: %w: %w", ErrNoRoom, err)
	}
	folder := filepath.Join(f.path, word(m.Service, "none"))
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return Saved{}, fmt.Errorf("archive: %w", err)
	}
	name := fmt.Sprintf("%s-%s.tar.gz", m.Removed.UTC().Format("20060102T150405.000Z"), word(m.Container, "folder"))
	path := filepath.Join(folder, name)
	file, err := os.OpenFile(path+part, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return Saved{}, fmt.Errorf("archive: %w", err)
	}
	w := &writer{ctx: ctx, file: file, sum: sha256.New(), room: room}
	saved, err := w.save(dir, word(m.Container, "folder"))
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = unix.Renameat2(unix.AT_FDCWD, path+part, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	}
	if err == nil {
		err = sync(folder)
	}
	if err != nil {
		_ = os.Remove(path + part)
		return Saved{}, fmt.Errorf("archive %s: %w", path, err)
	}
	saved.Path, saved.SHA256, saved.Bytes = path, hex.EncodeToString(w.sum.Sum(nil)), w.written
	return saved, nil
}

func sync(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// word is a name that tenants chose, as one that can stand in any path, shell
// and message.
func word(s, none string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, s)
	s = strings.TrimLeft(s, ".-")
	if s == "" {
		return none
	}
	return s[:min(len(s), 100)]
}

// A writer is the file of one archive, below tar and gzip.
type writer struct {
	ctx     context.Context
	file    *os.File
	sum     hash.Hash
	room    func(int64) error
	written int64
	asked   int64 // written when room was last asked
}

// askEvery is how much is written between two questions for room, in bytes.
const askEvery = 8 << 20

func (w *writer) Write(b []byte) (int, error) {
	if w.written-w.asked >= askEvery {
		w.asked = w.written
		if err := w.room(0); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrNoRoom, err)
		}
	}
	n, err := w.file.Write(b)
	w.written += int64(n)
	w.sum.Write(b[:n])
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		err = fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return n, err
}

// save packs a folder under a name.
func (w *writer) save(dir *beneath.Dir, name string) (Saved, error) {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return Saved{}, err
	}
	p := newPacker(w.ctx, z)
	if err := p.pack(dir, name); err != nil {
		return Saved{}, err
	}
	return p.saved, errors.Join(p.tar.Close(), z.Close())
}
