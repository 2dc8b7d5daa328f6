package beneath

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A Kind is what a folder says of an entry without looking at it.
type Kind uint8

// The kinds that matter here. A file system may not tell, and by the time it
// is acted upon an entry may be another.
const (
	Unknown Kind = iota
	Folder
	File
	Other // link, pipe, socket or device
)

// An Entry is one name in a folder.
type Entry struct {
	Name string
	Kind Kind
}

// batchSize is how much of a folder is read at once: a thousand usual names.
const batchSize = 64 << 10

// A batch is what one answer of getdents64 is read into.
type batch struct {
	buf     []byte
	dirents []dirent
	entries []Entry
}

// A dirent is an entry with the inode that the folder says it is.
type dirent struct {
	Entry
	ino uint64
}

// Entries calls visit with the folder's entries, a batch at a time, until the
// end or an error of visit, which it returns. The batch is only valid during
// the call. However many entries there are, the memory taken is one batch.
// What is added or removed meanwhile may be seen or not. A batch is in the order
// of the inodes, which lie side by side on disk: to look at them or to unlink
// them costs a sixth less than in that of the names' hashes.
func (d *Dir) Entries(visit func([]Entry) error) error {
	b := d.tree.batches.Get().(*batch)
	defer d.tree.batches.Put(b)
	if _, err := unix.Seek(d.fd, 0, 0); err != nil {
		return fmt.Errorf("read folder: %w", err)
	}
	for {
		n, err := retry(func() (int, error) { return unix.Getdents(d.fd, b.buf) })
		if err != nil {
			return fmt.Errorf("read folder: %w", err)
		}
		if n == 0 {
			return nil
		}
		if err := visit(b.inOrder(n)); err != nil {
			return err
		}
	}
}

// inOrder returns the entries of an answer of n bytes, sorted by inode.
func (b *batch) inOrder(n int) []Entry {
	b.dirents, b.entries = parseDirents(b.buf[:n], b.dirents[:0]), b.entries[:0]
	slices.SortFunc(b.dirents, func(x, y dirent) int { return cmp.Compare(x.ino, y.ino) })
	for i := range b.dirents {
		b.entries = append(b.entries, b.dirents[i].Entry)
	}
	return b.entries
}

// Offsets in struct linux_dirent64, see getdents64(2).
const (
	direntIno    = 0
	direntReclen = 16
	direntType   = 18
	direntName   = 19
)

// parseDirents appends the entries of one answer of getdents64, without "."
// and ".." and what cannot be a name. A record that does not fit ends it. The
// names are parts of one string: one for each would cost as much again as the
// rest of this.
func parseDirents(b []byte, entries []dirent) []dirent {
	text := string(b)
	for len(b) >= direntName {
		size := int(binary.NativeEndian.Uint16(b[direntReclen:]))
		if size < direntName || size > len(b) {
			break
		}
		name, _, _ := strings.Cut(text[direntName:size], "\x00")
		if IsName(name) {
			entries = append(entries, dirent{Entry{name, kind(b[direntType])}, binary.NativeEndian.Uint64(b[direntIno:])})
		}
		b, text = b[size:], text[size:]
	}
	return entries
}

func kind(t byte) Kind {
	switch t {
	case unix.DT_DIR:
		return Folder
	case unix.DT_REG:
		return File
	case unix.DT_UNKNOWN:
		return Unknown
	default:
		return Other
	}
}

func kindOf(mode uint32) Kind {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return Folder
	case unix.S_IFREG:
		return File
	default:
		return Other
	}
}
