package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The file is a page with the header and then the records, each behind its
// length. A record never wraps around: where it does not fit before the end,
// the rest is left out.
const (
	page      = 4096
	magic     = 0x31676e6972687472 // "rthring1"
	frame     = 4                  // bytes of a length
	skip      = ^uint32(0)         // in the place of a length: the rest is left out
	alignment = 4
	keepSize  = 1 << 20 // of memory that an empty ring may go on taking
)

// header is the first page. Positions count bytes for ever: their place is the
// remainder of the size.
type header struct {
	magic uint64
	size  uint64
	head  atomic.Uint64 // of the oldest record
	tail  atomic.Uint64 // behind the newest
}

// A Ring is the queue. It is not safe for several goroutines.
type Ring struct {
	file   *os.File
	memory []byte // the whole file
	data   []byte // the records' part
	header *header
	count  int
	bytes  int64
	high   uint64 // how far into data there was ever something since it was given back
}

// New makes an empty ring that holds up to size bytes of records, their lengths
// included.
func New(size int) (*Ring, error) {
	fd, err := unix.MemfdCreate("berth-ring", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make ring: %w", err)
	}
	file := os.NewFile(uintptr(fd), "berth-ring")
	size = (size + page - 1) / page * page
	if err := file.Truncate(int64(page + size)); err != nil {
		return nil, errors.Join(fmt.Errorf("make ring: %w", err), file.Close())
	}
	r, err := open(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	r.header.magic, r.header.size = magic, uint64(size)
	return r, nil
}

// Adopt goes on with a ring that another process has made. The file is the
// ring's from then on, unless there is an error: then it is no ring, or one
// that is damaged.
func Adopt(file *os.File) (*Ring, error) {
	r, err := open(file)
	if err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, errors.Join(fmt.Errorf("adopt ring: %w", err), unix.Munmap(r.memory))
	}
	return r, nil
}

func open(file *os.File) (*Ring, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open ring: %w", err)
	}
	if info.Size() < 2*page || info.Size()%page != 0 {
		return nil, fmt.Errorf("open ring: its size is %d", info.Size())
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("open ring: %w", err)
	}
	return &Ring{file: file, memory: memory, data: memory[page:], header: (*header)(unsafe.Pointer(&memory[0]))}, nil
}

var errDamaged = errors.New("it is no ring, or damaged")

// check walks over all records, and counts them.
func (r *Ring) check() error {
	head, tail := r.header.head.Load(), r.header.tail.Load()
	if r.header.magic != magic || r.header.size != uint64(len(r.data)) || tail < head || tail-head > r.header.size || head%alignment != 0 {
		return errDamaged
	}
	for at := head; at != tail; {
		body, next, ok := r.at(at)
		if !ok || next > tail {
			return errDamaged
		}
		if at = next; body != nil {
			r.count++
			r.bytes += int64(len(body))
		}
	}
	r.high = min(tail, r.header.size)
	return nil
}

// at returns what lies at a position, nil for the rest before the end, and the
// position behind it.
func (r *Ring) at(position uint64) (body []byte, next uint64, ok bool) {
	place := position % r.header.size
	left := r.header.size - place
	length := binary.NativeEndian.Uint32(r.data[place:])
	if length == skip {
		return nil, position + left, true
	}
	if uint64(length)+frame > left {
		return nil, 0, false
	}
	return r.data[place+frame : place+frame+uint64(length)], position + padded(int(length)), true
}

func padded(length int) uint64 {
	return uint64(frame+length+alignment-1) / alignment * alignment
}

// Push appends a record made of several pieces, and reports false where there
// is no room for it.
func (r *Ring) Push(pieces ...[]byte) bool {
	length := 0
	for _, p := range pieces {
		length += len(p)
	}
	size, need := r.header.size, padded(length)
	head, tail := r.header.head.Load(), r.header.tail.Load()
	place, left := tail%size, size-tail%size
	if need > left { // not in one piece before the end
		if need > size || tail-head+left+need > size {
			return false
		}
		binary.NativeEndian.PutUint32(r.data[place:], skip)
		tail, place = tail+left, 0
	} else if tail-head+need > size {
		return false
	}
	binary.NativeEndian.PutUint32(r.data[place:], uint32(length))
	to := r.data[place+frame:]
	for _, p := range pieces {
		to = to[copy(to, p):]
	}
	r.header.tail.Store(tail + need) // the record is complete, now it counts
	r.high = max(r.high, place+need)
	r.count++
	r.bytes += int64(length)
	return true
}

// Peek returns up to n records from the oldest on, appended to to. They are
// valid until they are dropped.
func (r *Ring) Peek(to [][]byte, n int) [][]byte {
	tail := r.header.tail.Load()
	for at := r.header.head.Load(); at != tail && n > 0; {
		body, next, _ := r.at(at)
		if at = next; body != nil {
			to, n = append(to, body), n-1
		}
	}
	return to
}

// Drop removes the oldest n records.
func (r *Ring) Drop(n int) {
	head, tail := r.header.head.Load(), r.header.tail.Load()
	for n > 0 && head != tail {
		body, next, _ := r.at(head)
		if head = next; body != nil {
			r.count--
			r.bytes -= int64(len(body))
			n--
		}
	}
	r.header.head.Store(head)
	if head == tail {
		r.giveBack()
	}
}

// giveBack returns the memory of a ring that has become empty, where that is
// worth a system call.
func (r *Ring) giveBack() {
	if r.high <= keepSize {
		return
	}
	err := unix.Fallocate(int(r.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, page, int64(len(r.data)))
	if err != nil {
		return // it stays ours, and is used again
	}
	// Back to the beginning, so that little is touched. Head first: a ring that
	// is adopted in between is damaged, and empty.
	r.header.head.Store(0)
	r.header.tail.Store(0)
	r.high = 0
}

// Len is the number of records.
func (r *Ring) Len() int { return r.count }

// Bytes is the size of all records.
func (r *Ring) Bytes() int64 { return r.bytes }

// Size is how many bytes of records it holds, their lengths included.
func (r *Ring) Size() int { return len(r.data) }

// File is where the ring lies, to be handed on. It stays the ring's.
func (r *Ring) File() *os.File { return r.file }

// Close lets go of the memory. Who was handed the file still has all records.
func (r *Ring) Close() error {
	return errors.Join(unix.Munmap(r.memory), r.file.Close())
}
