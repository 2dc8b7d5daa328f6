package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// Bounds of what tenants can make us do.
const (
	maxDepth = 100     // folders below each other
	maxLinks = 4096    // files of several names that are remembered
	holes    = 64      // times what it takes on disk that a sparse file may be long
	anyFile  = 1 << 20 // a file this long is read whatever it takes on disk
)

// A packer writes one tree.
type packer struct {
	ctx   context.Context
	tar   *tar.Writer
	saved Saved
	links map[inode]string // files of several names: under which one they are in the archive
}

type inode struct{ dev, ino uint64 }

func newPacker(ctx context.Context, to io.Writer) *packer {
	return &packer{ctx: ctx, tar: tar.NewWriter(to), links: map[inode]string{}}
}

func (p *packer) pack(dir *beneath.Dir, name string) error {
	var st unix.Stat_t
	if err := unix.Fstat(dir.Fd(), &st); err != nil {
		return err
	}
	return p.folder(dir, &st, name, 0)
}

// skip notes that an entry is not in the archive, and why.
func (p *packer) skip(name, why string) error {
	if p.saved.Skipped++; p.saved.Skipped == 1 {
		p.saved.Reason = fmt.Sprintf("%q: %s", name, why)
	}
	return nil
}

// folder writes a folder and what is in it.
func (p *packer) folder(dir *beneath.Dir, st *unix.Stat_t, name string, depth int) error {
	if err := p.tar.WriteHeader(header(st, name+"/", tar.TypeDir)); err != nil {
		return err
	}
	return dir.Entries(func(entries []beneath.Entry) error {
		for _, e := range entries {
			if err := p.ctx.Err(); err != nil {
				return err
			}
			if err := p.entry(dir, e.Name, name+"/"+e.Name, depth+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// entry writes one entry. What is wrong with it is no error: it is skipped.
func (p *packer) entry(dir *beneath.Dir, base, name string, depth int) error {
	var st unix.Stat_t
	if err := unix.Fstatat(dir.Fd(), base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return p.skip(name, err.Error())
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if depth > maxDepth {
			return p.skip(name, fmt.Sprintf("deeper than %d folders", maxDepth))
		}
		sub, err := dir.OpenDir(base)
		if err != nil {
			return p.skip(name, err.Error())
		}
		defer sub.Close()
		return p.folder(sub, &st, name, depth)
	case unix.S_IFLNK:
		return p.symlink(dir, &st, base, name)
	case unix.S_IFREG:
		return p.regular(dir, base, name)
	default:
		return p.skip(name, "a pipe, socket or device")
	}
}

func (p *packer) symlink(dir *beneath.Dir, st *unix.Stat_t, base, name string) error {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir.Fd(), base, target)
	if err != nil {
		return p.skip(name, err.Error())
	}
	h := header(st, name, tar.TypeSymlink)
	h.Linkname = string(target[:n])
	p.saved.Files++
	return p.tar.WriteHeader(h)
}

// regular writes a file as long as it is when it is opened: what is appended
// meanwhile is left out, and what is cut off meanwhile becomes zeros.
func (p *packer) regular(dir *beneath.Dir, base, name string) error {
	file, err := dir.OpenFile(base)
	if err != nil {
		return p.skip(name, err.Error())
	}
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return p.skip(name, err.Error())
	}
	if st.Size > anyFile && st.Size/holes > st.Blocks*512 {
		return p.skip(name, fmt.Sprintf("%d bytes long, of which %d are on disk: all but holes", st.Size, st.Blocks*512))
	}
	if first, linked := p.linked(&st, name); linked {
		h := header(&st, name, tar.TypeLink)
		h.Linkname = first
		p.saved.Files++
		return p.tar.WriteHeader(h)
	}
	h := header(&st, name, tar.TypeReg)
	h.Size = st.Size
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	p.saved.Files++
	return p.content(file, name, st.Size)
}

// linked returns the name under which a file of several names is in the
// archive already; the first one is remembered.
func (p *packer) linked(st *unix.Stat_t, name string) (string, bool) {
	if st.Nlink < 2 {
		return "", false
	}
	key := inode{uint64(st.Dev), st.Ino} //nolint:unconvert // of another width on other architectures
	if first, ok := p.links[key]; ok {
		return first, true
	}
	if len(p.links) < maxLinks {
		p.links[key] = name
	}
	return "", false
}

// content writes what a file holds. What cannot be read of it is reported, and
// becomes zeros: its length is written already.
func (p *packer) content(file *os.File, name string, size int64) error {
	n, err := io.CopyBuffer(onlyWriter{p.tar}, io.LimitReader(&reader{p.ctx, file}, size), make([]byte, 256<<10))
	if errors.Is(err, errRead) {
		err = p.skip(name, err.Error())
	}
	if err != nil {
		return err
	}
	_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED) // nobody reads it again
	zeros := make([]byte, 32<<10)
	for ; n < size; n += min(size-n, int64(len(zeros))) {
		if _, err := p.tar.Write(zeros[:min(size-n, int64(len(zeros)))]); err != nil {
			return err
		}
	}
	return nil
}

// errRead is the error of a file that cannot be read to its end: the archive
// goes on with zeros.
var errRead = errors.New("read")

// A reader reads a file until the context ends.
type reader struct {
	ctx  context.Context
	file *os.File
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.file.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", errRead, err)
	}
	return n, err
}

// onlyWriter hides what else a writer can do, so that the buffer given is used.
type onlyWriter struct{ io.Writer }

func header(st *unix.Stat_t, name string, kind byte) *tar.Header {
	return &tar.Header{
		Typeflag: kind, Name: name, Mode: int64(st.Mode & 0o7777), Uid: int(st.Uid), Gid: int(st.Gid),
		ModTime: time.Unix(st.Mtim.Unix()), Format: tar.FormatGNU,
	}
}
