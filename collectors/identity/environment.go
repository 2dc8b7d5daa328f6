package identity

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// ParseEnvironment reads a file in the syntax of systemd's EnvironmentFile=
// and returns the values of the wanted keys, the last of each. Other values,
// which may be secrets, are not kept. Lines that are no assignment are passed
// over, as systemd does.
//
// A value may be quoted in part or whole; outside quotes and in double quotes a
// backslash takes the next character as it is, and at the end of a line it
// continues the value on the next. A quote inside an unquoted value is part of
// it, so JSON needs no quoting.
func ParseEnvironment(text string, wanted ...string) map[string]string {
	p := &parser{text: text}
	values := map[string]string{}
	for p.more() {
		key, ok := p.key()
		if !ok {
			continue
		}
		if value := p.value(); slices.Contains(wanted, key) && utf8.ValidString(value) && !strings.Contains(value, "\x00") {
			values[key] = value
		}
	}
	return values
}

// A parser walks through the text.
type parser struct {
	text string
	at   int
}

func (p *parser) more() bool { return p.at < len(p.text) }

// next takes one byte; 0 at the end.
func (p *parser) next() byte {
	if !p.more() {
		return 0
	}
	p.at++
	return p.text[p.at-1]
}

func isEnd(c byte) bool   { return c == '\n' || c == '\r' }
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// skipLine moves behind the end of the line. A comment goes on after a
// backslash at the end of its line, as in systemd.
func (p *parser) skipLine(comment bool) {
	for p.more() {
		switch c := p.next(); {
		case isEnd(c):
			return
		case c == '\\' && comment:
			p.next()
		}
	}
}

// key takes what stands before the equals sign, or the whole of a line that is
// no assignment.
func (p *parser) key() (string, bool) {
	for p.more() && (isBlank(p.text[p.at]) || isEnd(p.text[p.at])) {
		p.at++
	}
	if !p.more() {
		return "", false
	}
	if c := p.text[p.at]; c == '#' || c == ';' {
		p.skipLine(true)
		return "", false
	}
	rest := p.text[p.at:]
	stop := strings.IndexAny(rest, "=\r\n")
	if stop < 0 || rest[stop] != '=' {
		p.skipLine(false)
		return "", false
	}
	p.at += stop + 1
	return strings.TrimRight(rest[:stop], " \t"), true
}

// value takes the rest of the assignment: quoted pieces with blanks between
// them, then perhaps an unquoted one, up to the end of the line.
func (p *parser) value() string {
	var b strings.Builder
	for p.more() {
		switch c := p.next(); {
		case isEnd(c):
			return b.String()
		case isBlank(c):
		case c == '\'', c == '"':
			p.quoted(&b, c)
		default:
			p.at--
			p.plain(&b)
			return b.String()
		}
	}
	return b.String()
}

// quoted takes everything up to the closing quote, ends of lines included.
func (p *parser) quoted(b *strings.Builder, quote byte) {
	for p.more() {
		switch c := p.next(); {
		case c == quote:
			return
		case c == '\\' && quote == '"':
			p.escaped(b, true)
		default:
			b.WriteByte(c)
		}
	}
}

// escaped takes the character after a backslash. Inside double quotes the
// backslash is kept but before the characters that a shell would unescape.
func (p *parser) escaped(b *strings.Builder, inQuotes bool) {
	if !p.more() {
		return
	}
	c := p.next()
	if c == '\r' && p.more() && p.text[p.at] == '\n' {
		c = p.next()
	}
	if isEnd(c) {
		return // a continued line
	}
	if inQuotes && !strings.ContainsRune("\"\\`$", rune(c)) {
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}

// plain takes an unquoted value without the blanks at its end.
func (p *parser) plain(b *strings.Builder) {
	keep := b.Len()
	for p.more() {
		c := p.next()
		if isEnd(c) {
			break
		}
		if c == '\\' {
			p.escaped(b, false)
			keep = b.Len()
			continue
		}
		b.WriteByte(c)
		if !isBlank(c) {
			keep = b.Len()
		}
	}
	value := b.String()[:keep]
	b.Reset()
	b.WriteString(value)
}
