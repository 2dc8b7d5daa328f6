package line

import "bytes"

// parts are where the things in a line stand that an addition has to know of.
type parts struct {
	tags, end int  // the content of the last section of tags; 0, 0: there is none
	message   int  // of a service check: where the separator before it stands; 0: there is none
	container bool // there is a field c:
	none      bool // the last field card: says none
}

// fieldsOf returns where the first field after the type begins, with its
// separator: the length of the line if there is none. It reports false if the
// line is one that no server takes.
func fieldsOf(line []byte) (at int, ok bool) {
	if len(line) > 3 && line[0] == '_' {
		switch string(line[1:3]) {
		case "e{":
			return eventFields(line)
		case "sc":
			return checkFields(line)
		}
	}
	i := bytes.IndexByte(line, '|') + 1
	if i == 0 || i == len(line) || line[i] < 'a' || line[i] > 'z' {
		return 0, false
	}
	for i < len(line) && line[i] != '|' { // a byte or two
		i++
	}
	return i, true
}

// next returns where the next separator from a place on stands.
func next(line []byte, from int) int {
	if i := bytes.IndexByte(line[from:], '|'); i >= 0 {
		return from + i
	}
	return len(line)
}

// checkFields is for "_sc|name|status|…". The agent takes any byte for the
// first separator, if only there are two others.
func checkFields(line []byte) (at int, ok bool) {
	status := next(line, len("_sc|")) + 1
	if status >= len(line) || line[status] == '|' || line[status] == '#' {
		return 0, false
	}
	at = next(line, status)
	return at, line[3] == '|' || at < len(line)
}

// eventFields is for "_e{4,5}:title|text|…". The agent does not look at the
// brace that closes the header, nor at what separates title and text.
func eventFields(line []byte) (at int, ok bool) {
	header := bytes.IndexByte(line, ':')
	if header < len("_e{1,0}") {
		return 0, false
	}
	titles, texts, _ := bytes.Cut(line[len("_e{"):header-1], []byte(","))
	title, known := number(titles)
	text, alsoKnown := number(texts)
	at = header + 1 + title + 1 + text
	return at, known && alsoKnown && title > 0 && at <= len(line)
}

// number reads a length as strconv.Atoi does, sign included. One that no
// datagram can have is none.
func number(digits []byte) (n int, ok bool) {
	negative := len(digits) > 0 && digits[0] == '-'
	if negative || len(digits) > 0 && digits[0] == '+' {
		digits = digits[1:]
	}
	for _, d := range digits {
		if d < '0' || d > '9' || n > 1<<20 {
			return 0, false
		}
		n = 10*n + int(d-'0')
	}
	return n, len(digits) > 0 && (!negative || n == 0)
}

// look finds the parts of a line among its fields, which begin at a place.
func look(line []byte, at int) (p parts) {
	for at < len(line) {
		start, end := bounds(line, at)
		if start == end {
			at = end
			continue
		}
		switch line[start] {
		case '#':
			p.tags, p.end = start+1, end
		case 'c':
			field := line[start:end]
			if isContainer(field) {
				p.container = true
			} else if len(field) >= 5 && string(field[:5]) == "card:" {
				p.none = string(field[5:]) == "none"
			}
		case 'm':
			if p.message == 0 && start+1 < end && line[start+1] == ':' {
				p.message = at
			}
		}
		at = end
	}
	return p
}

// bounds returns the field at a place, without its separator. Only the first
// field of an event may lack one.
func bounds(line []byte, at int) (start, end int) {
	if line[at] == '|' {
		at++
	}
	return at, next(line, at)
}

func isContainer(field []byte) bool {
	return len(field) >= 2 && field[0] == 'c' && field[1] == ':'
}
