package beneath

import (
	"encoding/binary"
	"fmt"
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
	entries []Entry
}

// Entries calls visit with the folder's entries, a batch at a time, until the
// end or an error of visit, which it returns. The batch is only valid during
// the call. However many entries there are, the memory taken is one batch.
// What is added or removed meanwhile may be seen or not.
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
		b.entries = parseDirents(b.buf[:n], b.entries[:0])
		if err := visit(b.entries); err != nil {
			return err
		}
	}
}

// Offsets in struct linux_dirent64, see getdents64(2).
const (
	direntReclen = 16
	direntType   = 18
	direntName   = 19
)

// parseDirents appends the entries of one answer of getdents64, without "."
// and ".." and what cannot be a name. A record that does not fit ends it. The
// names are parts of one string: one for each would cost as much again as the
// rest of this.
func parseDirents(b []byte, entries []Entry) []Entry {
	text := string(b)
	for len(b) >= direntName {
		size := int(binary.NativeEndian.Uint16(b[direntReclen:]))
		if size < direntName || size > len(b) {
			break
		}
		name, _, _ := strings.Cut(text[direntName:size], "\x00")
		if IsName(name) {
			entries = append(entries, Entry{name, kind(b[direntType])})
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
