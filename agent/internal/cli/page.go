package cli

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// A page is what a command tells people, before it is written.
type page struct {
	text   bytes.Buffer
	now    time.Time
	screen bool // for a terminal: times are relative and wide columns are cut
	width  int  // of the screen, in characters
	color  bool
}

// An ink is a text in a style.
type ink struct{ text, style string }

// The styles, as terminals know them.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint returns the text as it is to be written.
func (p *page) paint(i ink) string {
	text := printable(i.text)
	if !p.color || i.style == "" || text == "" {
		return text
	}
	return "\x1b[" + i.style + "m" + text + "\x1b[0m"
}

// line adds a line. The format is ours; texts among the arguments may be
// anybody's.
func (p *page) line(format string, args ...any) {
	p.put(format, args...)
	p.text.WriteByte('\n')
}

// put adds to the present line.
func (p *page) put(format string, args ...any) {
	shown := make([]any, len(args))
	for i, a := range args {
		shown[i] = p.safe(a)
	}
	fmt.Fprintf(&p.text, format, shown...)
}

// safe makes an argument safe to print: whatever ends up as text goes through
// printable.
func (p *page) safe(arg any) any {
	switch a := arg.(type) {
	case nil:
		return ""
	case ink:
		return p.paint(a)
	case error:
		return printable(a.Error())
	case fmt.Stringer:
		return printable(a.String())
	}
	switch v := reflect.ValueOf(arg); v.Kind() {
	case reflect.String:
		return printable(v.String())
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return arg
	default:
		return printable(fmt.Sprint(arg))
	}
}

// block adds a text of many lines; the last one is ended.
func (p *page) block(text string) {
	if text == "" {
		return
	}
	p.text.WriteString(strings.TrimSuffix(printableLines(text), "\n"))
	p.text.WriteByte('\n')
}

// length is how many columns a text takes, as far as can be told without
// knowing the terminal's font.
func length(s string) int { return utf8.RuneCountInString(s) }

// cut shortens a printable text to at most n columns, from its end.
func cut(s string, n int) string {
	if length(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	return string([]rune(s)[:n-1]) + "…"
}

// cutPath shortens a printable text from its beginning.
func cutPath(s string, n int) string {
	if length(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	return "…" + string([]rune(s)[length(s)-n+1:])
}
