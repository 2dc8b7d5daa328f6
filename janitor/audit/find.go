package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-dev/berth/janitor/journal"
)

// Find returns the newest records, at most limit, oldest first, whose folder
// or container object names: a path, or the leading digits of an ID. An empty
// object finds all; with kinds, only those of these kinds are found.
func (l *Log) Find(object string, limit int, kinds ...string) ([]Record, error) {
	l.finding.Lock()
	defer l.finding.Unlock()
	l.mu.Lock()
	names, err := l.segments()
	written := l.file.Size()
	l.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	var found []Record
	for i, name := range slices.Backward(names) {
		p := past{l: l, kinds: kinds, path: filepath.Join(l.dir, name), size: written, newest: i == len(names)-1}
		part, err := p.find(object, limit-len(found))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else it was dropped meanwhile
			return nil, fmt.Errorf("read audit: %w", err)
		}
		if found = append(part, found...); len(found) >= limit {
			break
		}
	}
	return found, nil
}

// A past is a segment that is being read.
type past struct {
	l      *Log
	path   string
	kinds  []string // empty: all
	file   *os.File
	size   int64 // of what is written whole: to the newest, records are added meanwhile
	newest bool
}

// find returns the newest records of the segment, oldest first.
func (p *past) find(object string, limit int) (found []Record, err error) {
	if p.file, err = os.Open(p.path); err != nil {
		return nil, err
	}
	defer p.file.Close()
	info, err := p.file.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); !p.newest || size < p.size {
		p.size = size
	}
	lines, err := p.lines(hint(object))
	if err != nil {
		return nil, err
	}
	for _, line := range slices.Backward(lines) {
		r, ok := parse(line, object)
		if !ok || len(p.kinds) > 0 && !slices.Contains(p.kinds, r.Kind) {
			continue
		}
		if found = append(found, r); len(found) >= limit {
			break
		}
	}
	slices.Reverse(found)
	return found, nil
}

// lines returns the lines that can be about what has a part in common with the
// object: all, if there is no such part.
func (p *past) lines(part string) ([][]byte, error) {
	if part == "" {
		text, err := p.text(0)
		return bytes.Split(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\n'}), err
	}
	x, err := p.index()
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	for _, place := range x.places(part) {
		line, err := p.line(place)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	rest, err := p.text(x.covered)
	return append(lines, holding(rest, []byte(part))...), err
}

// text reads the segment from a place on.
func (p *past) text(from int64) ([]byte, error) {
	text := make([]byte, p.size-from)
	_, err := p.file.ReadAt(text, from)
	return text, err
}

// line reads the line that begins at a place, without its end.
func (p *past) line(place int64) ([]byte, error) {
	for size := int64(1 << 10); ; size *= 4 {
		b := make([]byte, min(size, p.size-place))
		if _, err := p.file.ReadAt(b, place); err != nil {
			return nil, err
		}
		if line, _, ended := bytes.Cut(b, []byte{'\n'}); ended || int64(len(b)) < size {
			return line, nil
		}
	}
}

// parse returns the record of a line if it is about the object. A line that is
// torn or damaged is none: Verify says so.
func parse(line []byte, object string) (r Record, ok bool) {
	body, err := journal.Decode(line)
	return r, err == nil && json.Unmarshal(body, &r) == nil && r.names(object)
}

// holding returns the lines that hold a part, which must not be empty. It
// searches the whole text at once: that is many times faster than line by line.
func holding(text, part []byte) (lines [][]byte) {
	for {
		i := bytes.Index(text, part)
		if i < 0 {
			return lines
		}
		start := bytes.LastIndexByte(text[:i], '\n') + 1
		line, rest, _ := bytes.Cut(text[start:], []byte{'\n'})
		lines, text = append(lines, line), rest
	}
}

// hint is a part of the object that its lines hold as it is: the beginning of
// the container's name, for a folder is named by its container.
func hint(object string) string {
	object = object[strings.LastIndexByte(object, '/')+1:]
	return object[:min(len(object), keySize)]
}

func (r Record) names(object string) bool {
	switch {
	case object == "" || r.Path == object:
		return true
	case r.Container == "" || strings.Contains(object, "/"):
		return false
	}
	return strings.HasPrefix(r.Container, object) || strings.HasPrefix(object, r.Container)
}
