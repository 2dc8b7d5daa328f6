package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxFile is how large a configuration file may be, in bytes.
const MaxFile = 1 << 20

// readFile reads at most MaxFile bytes of a file, of which it says in one
// sentence what is wrong with it. fs.ErrNotExist is passed on.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("cannot be read: %w", cause(err))
	case info.IsDir():
		return nil, errors.New("is a folder, not a file")
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeCharDevice == 0:
		return nil, errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", cause(err))
	}
	defer func() { _ = f.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", cause(err))
	}
	if len(text) > MaxFile {
		return nil, fmt.Errorf("is larger than %d KiB", MaxFile>>10)
	}
	return text, nil
}

// cause drops the operation and the path from an error of package os: the
// fault names the file already.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// parse returns the root mapping of a YAML text, or nil for a text with
// nothing but comments, or the fault that makes it no YAML.
func parse(text []byte) (*yaml.Node, *Fault) {
	if fault := unreadable(text); fault != nil {
		return nil, fault
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithV4Defaults())
	if err != nil {
		return nil, &Fault{Message: err.Error()}
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntax(text, err)
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, syntax(text, err)
	default:
		return nil, &Fault{Line: second.Line, Column: second.Column, Message: "a second document begins here: only one is read"}
	}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		return doc.Content[0], nil
	}
	return &doc, nil
}

// unreadable finds bytes that YAML does not allow, whose place the YAML reader
// does not tell.
func unreadable(text []byte) *Fault {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return &Fault{Line: 1, Column: 1, Message: "the file is in UTF-16: save it as UTF-8"}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for line, column := 1, 1; len(text) > 0; column++ {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case r == utf8.RuneError && size == 1:
			return &Fault{Line: line, Column: column, Message: "not valid UTF-8"}
		case r == '\n':
			line, column = line+1, 0
		case isControl(r):
			return &Fault{Line: line, Column: column, Message: fmt.Sprintf("control character %U is not allowed", r)}
		}
	}
	return nil
}

// isControl reports whether YAML forbids a character even in a comment.
func isControl(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r == 0x85:
		return false
	default:
		return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff
	}
}

// syntax says where and why a text is no YAML.
func syntax(text []byte, err error) *Fault {
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return &Fault{Message: "not valid YAML: " + err.Error()}
	}
	fault := &Fault{Line: e.Mark.Line, Column: e.Mark.Column, Message: "not valid YAML: " + e.Message}
	if e.Mark.Line == 0 {
		fault.Line, fault.Column = e.ContextMark.Line, e.ContextMark.Column
	}
	switch at := charAt(text, fault.Line, fault.Column); {
	case at == '\t':
		fault.Message = "a tab where only spaces are allowed"
	case at != 0 && strings.HasPrefix(e.Message, "found character that cannot start"):
		fault.Message = fmt.Sprintf("a value cannot begin with %q: put it in quotes", at)
	case e.ContextMsg == "while scanning an alias":
		fault.Message = "a value cannot begin with '*': put it in quotes"
	case strings.HasPrefix(e.Message, "mapping values are not allowed"):
		fault.Message = "a second colon in one line: indent it below its key, or put the value in quotes"
	case e.ContextMsg != "" && e.ContextMark.Line > 0 && e.ContextMark != e.Mark:
		fault.Message += fmt.Sprintf(" (%s begun at %d:%d)", e.ContextMsg, e.ContextMark.Line, e.ContextMark.Column)
	}
	return fault
}

// charAt returns the character at a place counted from 1; 0: there is none.
func charAt(text []byte, line, column int) rune {
	for n := 1; n < line; n++ {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	text, _, _ = bytes.Cut(text, []byte("\n"))
	for i, r := range []rune(string(bytes.TrimPrefix(text, []byte("\ufeff")))) {
		if i+1 == column {
			return r
		}
	}
	return 0
}
