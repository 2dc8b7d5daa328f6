package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-dev/berth/janitor/journal"
)

// Find returns the newest records, at most limit, oldest first, whose folder
// or container object names: a path, or the leading digits of an ID. An empty
// object finds all.
func (l *Log) Find(object string, limit int) ([]Record, error) {
	l.mu.Lock()
	names, err := l.segments()
	l.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	var found []Record
	var text bytes.Buffer // one for all: they are large
	for _, name := range slices.Backward(names) {
		err := read(filepath.Join(l.dir, name), &text)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else it was dropped meanwhile
			return nil, fmt.Errorf("read audit: %w", err)
		}
		part := find(text.Bytes(), object, limit-len(found))
		if found = append(part, found...); len(found) >= limit {
			break
		}
	}
	return found, nil
}

func read(path string, text *bytes.Buffer) error {
	text.Reset()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		text.Grow(int(info.Size()) + bytes.MinRead)
	}
	_, err = text.ReadFrom(file)
	return err
}

// find returns the newest records of one segment, oldest first. Only lines that
// hold a part of the object as it is are parsed.
func find(text []byte, object string, limit int) []Record {
	var found []Record
	part := hint(object)
	if part == "" {
		for line := range backward(text) {
			if found = parse(found, line, object); len(found) >= limit {
				break
			}
		}
		slices.Reverse(found)
		return found
	}
	for line := range holding(text, []byte(part)) {
		found = parse(found, line, object)
	}
	return found[max(0, len(found)-limit):]
}

// parse adds the record of a line if it is about the object. A line that is
// torn or damaged is none: Verify says so.
func parse(found []Record, line []byte, object string) []Record {
	body, err := journal.Decode(line)
	var r Record
	if err != nil || json.Unmarshal(body, &r) != nil || !r.names(object) {
		return found
	}
	return append(found, r)
}

// backward gives the lines of a text without their ends, the last one first.
func backward(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		text := bytes.TrimSuffix(text, []byte{'\n'})
		for len(text) > 0 {
			start := bytes.LastIndexByte(text, '\n') + 1
			if !yield(text[start:]) {
				return
			}
			text = text[:max(0, start-1)]
		}
	}
}

// holding gives the lines that hold a part, which must not be empty. It
// searches the whole text at once: that is many times faster than line by line.
func holding(text, part []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for {
			i := bytes.Index(text, part)
			if i < 0 {
				return
			}
			start := bytes.LastIndexByte(text[:i], '\n') + 1
			line, rest, _ := bytes.Cut(text[start:], []byte{'\n'})
			if !yield(line) {
				return
			}
			text = rest
		}
	}
}

// hint is a part of the object that its lines hold as it is.
func hint(object string) string {
	object = object[strings.LastIndexByte(object, '/')+1:]
	return object[:min(len(object), 12)]
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
