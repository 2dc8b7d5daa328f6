package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// page returns an empty page for the standard output.
func (s *session) page() *page {
	p := &page{now: time.Now(), screen: s.env.Screen, color: s.colored()}
	if s.env.Now != nil {
		p.now = s.env.Now()
	}
	if p.screen && s.env.Width != nil {
		p.width = s.env.Width()
	}
	return p
}

// colored reports whether there is to be colour.
func (s *session) colored() bool {
	switch s.color {
	case "always":
		return true
	case "never":
		return false
	default:
		return s.env.Screen && s.env.get("NO_COLOR") == "" && s.env.get("TERM") != "dumb"
	}
}

// show writes v as JSON, or what tell makes of it for people.
func (s *session) show(v any, tell func(*page)) error {
	if s.json {
		return s.document(v)
	}
	if s.quiet {
		return nil
	}
	p := s.page()
	tell(p)
	return s.write(p.text.Bytes())
}

// document writes v as one indented document.
func (s *session) document(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return s.write(printableJSON(b.Bytes()))
}

// object writes v as one line of a stream.
func (s *session) object(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return s.write(printableJSON(b.Bytes()))
}

func (s *session) write(text []byte) error { return writeTo(s.env.Stdout, text) }

func writeTo(w io.Writer, text []byte) error {
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// list turns a list that is not there into one that is empty, for JSON.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
