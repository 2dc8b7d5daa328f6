package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// A File is a journal that is open for appending. It is not safe for use by
// several goroutines at once.
type File struct {
	file *os.File
	size int64
	torn bool // there is more than size: a part of a line

	reserved int64 // bytes from the start that have their place on disk
}

// New takes over a file that was opened for reading and appending. Its content
// must be replayed before the first write.
func New(file *os.File) *File { return &File{file: file} }

// Open opens or makes the journal at path, for the daemon's user alone.
func Open(path string) (*File, error) {
	file, err := kernel.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return New(file), nil
}

// Size is the length of the good part in bytes.
func (f *File) Size() int64 { return f.size }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// checksum is CRC-32C, the Castagnoli polynomial of RFC 3720.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// Encode returns the line of one value.
func Encode(value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", checksum(body), body), nil
}

// Decode returns the JSON of a line, which is given without its end.
func Decode(line []byte) ([]byte, error) {
	sum, body, ok := bytes.Cut(line, []byte{' '})
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !ok || err != nil || len(sum) != 8 || checksum(body) != uint32(want) {
		return nil, errors.New("bad checksum")
	}
	return body, nil
}

// Write appends values and returns once they are on disk.
func (f *File) Write(values ...any) error {
	if err := f.Append(values...); err != nil {
		return err
	}
	if err := kernel.Fdatasync(int(f.file.Fd())); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	return nil
}

// Append appends values, all of them or with an error none, and leaves it to
// the kernel when they reach the disk.
func (f *File) Append(values ...any) error {
	var all []byte
	for i, v := range values {
		b, err := Encode(v)
		if err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		if i == 0 { // they are much alike
			all = make([]byte, 0, len(b)*len(values)*5/4)
		}
		all = append(all, b...)
	}
	if f.torn { // what is written behind a part of a line is lost with it
		if err := f.cut(); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	if err := kernel.Write(f.file, all); err != nil {
		return fmt.Errorf("write journal: %w", errors.Join(err, f.cut()))
	}
	f.size += int64(len(all))
	return nil
}

// Reserve keeps room on disk behind what is written, so that it can be written
// on a full disk. Not every file system can, and a full one cannot any more:
// that is no fault. It is for after each write, and does little in most.
func (f *File) Reserve(room int64) {
	if f.size+room/2 < f.reserved {
		return
	}
	if kernel.Fallocate(int(f.file.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, f.size+room) == nil {
		f.reserved = f.size + room
	}
}

// cut takes away what is not a whole line, and with it what was reserved.
func (f *File) cut() error {
	err := kernel.Ftruncate(int(f.file.Fd()), f.size)
	f.torn, f.reserved = err != nil, 0
	return err
}

// Replay calls each with the JSON of every good line, cuts a torn last line
// off, and returns how many others were damaged.
func (f *File) Replay(each func([]byte) error) (bad int, err error) {
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("read journal: %w", err)
	}
	text, err := io.ReadAll(f.file)
	if err != nil {
		return 0, fmt.Errorf("read journal: %w", err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	if f.size = int64(len(whole)); len(whole) < len(text) {
		_ = f.cut() // if not now, then before the next write
	}
	for line := range bytes.Lines(whole) {
		body, err := Decode(line[:len(line)-1])
		if err == nil {
			err = each(body)
		}
		if err != nil {
			bad++
		}
	}
	return bad, nil
}
