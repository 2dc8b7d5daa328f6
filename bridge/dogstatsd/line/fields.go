package line

import "bytes"

// Next returns the first line of a datagram that is not empty, without its end,
// which is \n or \r\n, and what follows. It reports false when there is none.
func Next(datagram []byte) (ln, rest []byte, ok bool) {
	for len(datagram) > 0 {
		if i := bytes.IndexByte(datagram, '\n'); i < 0 {
			ln, datagram = datagram, nil
		} else {
			ln, datagram = datagram[:i], datagram[i+1:]
		}
		if n := len(ln); n > 0 && ln[n-1] == '\r' {
			ln = ln[:n-1]
		}
		if len(ln) > 0 {
			return ln, datagram, true
		}
	}
	return nil, nil, false
}

// A span is where something stands in a line; the zero span is nowhere. A
// field's begins with the | before it.
type span struct{ from, to int }

func (s span) found() bool { return s.to > 0 }

// fields are those of a line that matter here.
type fields struct {
	container span // the last one: it is the one that counts
	several   bool // there is more than one
	tags      span
	optOut    bool // card:none
	end       int  // where a field may be added
}

// scan finds a line's fields. It reports false for a line that is neither
// metric nor event nor check.
func scan(ln []byte) (f fields, ok bool) {
	at := head(ln)
	if at < 0 {
		return f, false
	}
	f.end = len(ln)
	for at < len(ln) {
		next := len(ln)
		if i := bytes.IndexByte(ln[at+1:], '|'); i >= 0 {
			next = at + 1 + i
		}
		switch field := ln[at+1 : next]; {
		case len(field) == 0:
		case field[0] == '#':
			if f.tags = (span{at, next}); hasTag(field[1:], "dd.internal.card:none") {
				f.optOut = true
			}
		case len(field) < 2 || field[1] != ':':
			f.optOut = f.optOut || string(field) == "card:none"
		case field[0] == 'c':
			f.several = f.container.found()
			f.container = span{at, next}
		case field[0] == 'm' && isCheck(ln):
			f.end = at
			f.last(ln)
			return f, true
		}
		at = next
	}
	return f, true
}

// glance is scan for the usual line: a metric whose fields are neither about its
// container nor about cardinality. It reports false for all others.
func glance(ln []byte) (tags span, ok bool) {
	if ln[0] == '_' || ln[0] == ':' || bytes.IndexByte(ln, ':') < 0 {
		return tags, false
	}
	at, open := bytes.IndexByte(ln, '|'), false
	for kind := true; at >= 0; kind = false { // the type comes first
		if open {
			tags.to, open = at, false
		}
		if at+1 < len(ln) {
			switch ln[at+1] {
			case 'c':
				if at+2 < len(ln) && ln[at+2] != '|' {
					return tags, false
				}
			case '#':
				if kind || tags.to > 0 {
					return tags, false
				}
				tags.from, open = at, true
			}
		}
		next := bytes.IndexByte(ln[at+1:], '|')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	if open {
		tags.to = len(ln)
	}
	return tags, at >= 0
}

// last looks for a container field behind a check's message.
func (f *fields) last(ln []byte) {
	i := bytes.LastIndexByte(ln, '|')
	if i > f.end && bytes.HasPrefix(ln[i+1:], []byte("c:")) && bytes.IndexByte(ln[i:], ' ') < 0 {
		f.several = f.container.found()
		f.container = span{i, len(ln)}
	}
}

// hasTag reports whether a section of tags holds this one.
func hasTag(tags []byte, tag string) bool {
	i := bytes.Index(tags, []byte(tag))
	return i >= 0 && (i == 0 || tags[i-1] == ',') && (i+len(tag) == len(tags) || tags[i+len(tag)] == ',')
}

func isCheck(ln []byte) bool { return bytes.HasPrefix(ln, []byte("_sc|")) }

func isEvent(ln []byte) bool { return bytes.HasPrefix(ln, []byte("_e{")) }

// head returns where the optional fields of a line begin: at a |, or at the
// line's end. It is negative for a line that is none.
func head(ln []byte) int {
	switch {
	case isEvent(ln):
		return eventHead(ln)
	case isCheck(ln):
		return after(ln, 3) // _sc, its name, its status
	default:
		if i := bytes.IndexByte(ln, ':'); i <= 0 {
			return -1
		}
		return after(ln, 2) // name and values, type
	}
}

// after returns where the n-th field of a line ends, or a negative number if it
// has fewer.
func after(ln []byte, n int) int {
	at := 0
	for ; n > 1; n-- {
		i := bytes.IndexByte(ln[at:], '|')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	if i := bytes.IndexByte(ln[at:], '|'); i >= 0 {
		return at + i
	}
	return len(ln)
}

// eventHead skips _e{TITLE,TEXT}:title|text by the two lengths, in bytes.
func eventHead(ln []byte) int {
	at := len("_e{")
	title, at := number(ln, at)
	if at >= len(ln) || ln[at] != ',' {
		return -1
	}
	text, at := number(ln, at+1)
	if at+1 >= len(ln) || ln[at] != '}' || ln[at+1] != ':' {
		return -1
	}
	if at += 2 + title; at >= len(ln) || ln[at] != '|' {
		return -1
	}
	if at += 1 + text; at > len(ln) || at < len(ln) && ln[at] != '|' {
		return -1
	}
	return at
}

// number reads digits. One that is larger than any line is as large as a line
// can be.
func number(ln []byte, at int) (n, next int) {
	for ; at < len(ln) && ln[at] >= '0' && ln[at] <= '9'; at++ {
		n = min(n*10+int(ln[at]-'0'), 1<<20)
	}
	return n, at
}
