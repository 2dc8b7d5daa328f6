package audit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// An index says where in a segment the records of each container begin, so
// that a question about one reads those and not the whole audit. It lies in a
// file beside the segment and knows nothing that the segment does not: where
// it is missing or does not fit it is made anew, and where it cannot be written
// it is made for each question.
//
// The file is three numbers and the entries. Numbers are big-endian, so that
// entries sort by container and place as the bytes they are:
//
//	CRC-32C of all that follows
//	how many bytes of the segment are covered
//	CRC-32C of the end of those: the hash in the last record stands for all before it
//	for each record the first 12 digits of its container, and its place
type index struct {
	covered int64
	entries []byte // entrySize each
}

const (
	headerSize = 3 * 4
	keySize    = 12
	entrySize  = keySize + 4
	endSize    = 512       // of what is covered: the last record, or enough of it
	restSize   = 256 << 10 // of the newest segment need not be covered
)

func indexPath(segment string) string { return strings.TrimSuffix(segment, ".log") + ".index" }

// index returns the index of the segment. Only that of the newest may leave a
// rest, which is searched.
func (p *past) index() (index, error) {
	x := p.load()
	if rest := p.size - x.covered; rest == 0 || p.newest && rest < restSize {
		return x, nil
	}
	text, err := p.text(x.covered)
	if err != nil {
		return index{}, err
	}
	x = x.with(text)
	p.save(x)
	return x, nil
}

// load reads the index; it is empty if there is none that fits the segment.
func (p *past) load() index {
	b, err := os.ReadFile(indexPath(p.path))
	if err != nil || len(b) < headerSize || len(b)%entrySize != headerSize || binary.BigEndian.Uint32(b) != checksum(b[4:]) {
		return index{}
	}
	x := index{int64(binary.BigEndian.Uint32(b[4:])), b[headerSize:]}
	end, err := p.end(x.covered)
	if err != nil || binary.BigEndian.Uint32(b[8:]) != end {
		return index{}
	}
	return x
}

// save writes the index. That it cannot, as on a full disk, is no fault. A
// segment that was dropped meanwhile gets none.
func (p *past) save(x index) {
	end, err := p.end(x.covered)
	if err != nil {
		return
	}
	b := binary.BigEndian.AppendUint32(make([]byte, 4, headerSize+len(x.entries)), uint32(x.covered))
	b = append(binary.BigEndian.AppendUint32(b, end), x.entries...)
	binary.BigEndian.PutUint32(b, checksum(b[4:]))
	next := indexPath(p.path) + ".next"
	file, err := kernel.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return
	}
	err = errors.Join(kernel.Write(file, b), file.Close())
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if _, dropped := os.Lstat(p.path); err == nil && dropped == nil {
		err = kernel.Renameat2(unix.AT_FDCWD, next, unix.AT_FDCWD, indexPath(p.path), 0)
	} else {
		err = errors.Join(err, dropped)
	}
	if err != nil {
		_ = kernel.Unlinkat(unix.AT_FDCWD, next, 0)
	}
}

// end is the checksum of the last bytes before a place.
func (p *past) end(place int64) (uint32, error) {
	if place > p.size {
		return 0, errors.New("behind the end of the segment")
	}
	b := make([]byte, min(place, endSize))
	_, err := p.file.ReadAt(b, place-int64(len(b)))
	return checksum(b), err
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// with returns the index with what follows in the segment.
func (x index) with(text []byte) index {
	all := slices.Collect(slices.Chunk(x.entries, entrySize))
	for line := range bytes.Lines(text) {
		if _, name, ok := bytes.Cut(line, []byte(`"container":"`)); ok {
			name, _, _ = bytes.Cut(name, []byte{'"'})
			entry := make([]byte, entrySize)
			copy(entry[:keySize], name)
			binary.BigEndian.PutUint32(entry[keySize:], uint32(x.covered))
			all = append(all, entry)
		}
		x.covered += int64(len(line))
	}
	slices.SortFunc(all, bytes.Compare)
	x.entries = bytes.Join(all, nil)
	return x
}

// places returns where the records begin whose containers begin with a part,
// in order.
func (x index) places(part string) (places []int64) {
	first := sort.Search(len(x.entries)/entrySize, func(i int) bool {
		return string(x.entries[i*entrySize:][:len(part)]) >= part
	})
	for entry := range slices.Chunk(x.entries[first*entrySize:], entrySize) {
		if !bytes.HasPrefix(entry, []byte(part)) {
			break
		}
		places = append(places, int64(binary.BigEndian.Uint32(entry[keySize:])))
	}
	slices.Sort(places)
	return places
}
