package line

import (
	"bytes"
	"strings"
)

// A Mark is what an origin adds to its lines. The zero value adds nothing.
type Mark struct {
	field string // "|c:ci-4f1c…"
	tags  string // "|#service:orders,family:shop"
	more  string // ",service:orders,family:shop"
	strip bool   // a container field of the client goes
}

// Plain returns a mark that leaves lines as they are.
func Plain() Mark { return Mark{} }

// Strip returns a mark that takes away what a client says of its container:
// for an origin that travels beside the datagram.
func Strip() Mark { return Mark{strip: true} }

// Field returns a mark that adds a container field, "|c:" and the ID:
// "ci-<container ID>" or "in-<inode of the cgroup>". A line that has such a
// field keeps it and gets none, unless ours is to override it.
func Field(id string, override bool) Mark {
	return Mark{field: "|c:" + clean(id), strip: override}
}

// Tags returns a mark that adds tags, each "key:value", unless the line says
// that it wants none, by the field card:none or by the tag
// dd.internal.card:none. With override a client's container field goes. What
// would end a tag, a field or the line inside a tag becomes "_".
func Tags(tags []string, override bool) Mark {
	var kept []string
	for _, tag := range tags {
		if tag != "" {
			kept = append(kept, strings.ReplaceAll(clean(tag), ",", "_"))
		}
	}
	all := strings.Join(kept, ",")
	if all == "" {
		return Mark{strip: override}
	}
	return Mark{tags: "|#" + all, more: "," + all, strip: override}
}

// clean replaces what would end a field or a line.
func clean(s string) string {
	return strings.NewReplacer("|", "_", "\n", "_", "\r", "_").Replace(s)
}

// Max returns how many bytes [Mark.Append] may add for a line, at most.
func (m *Mark) Max(line []byte) int {
	return len(line) + len(m.field) + len(m.tags) + len("\n")
}

// Append appends a line with the mark, and a newline.
func (m *Mark) Append(dst, line []byte) []byte {
	if m.field == "" && m.tags == "" && !m.strip {
		return append(append(dst, line...), '\n')
	}
	at, ok := fieldsOf(line)
	if !ok {
		return append(append(dst, line...), '\n')
	}
	p := look(line, at)
	switch {
	case p.container && m.strip:
		dst = m.replace(dst, line, at)
	case m.tags != "":
		dst = m.merge(dst, line, p)
	case p.container:
		dst = append(dst, line...)
	default:
		dst = append(append(dst, line...), m.field...)
	}
	return append(dst, '\n')
}

// replace appends a line without its container fields, and with the mark. It is
// for the few lines that have to be taken apart.
func (m *Mark) replace(dst, line []byte, at int) []byte {
	begin := len(dst)
	dst = append(dst, line[:at]...)
	for from := at; from < len(line); {
		start, end := bounds(line, from)
		if !isContainer(line[start:end]) {
			dst = append(dst, line[from:end]...)
		}
		from = end
	}
	dst = append(dst, m.field...)
	if m.tags == "" {
		return dst
	}
	place, addition := m.place(dst[begin:], look(dst[begin:], at))
	place += begin
	tail := dst[place:]
	dst = append(dst, addition...)
	// What was appended changes places with what it belongs before.
	copy(dst[place+len(addition):], tail)
	copy(dst[place:], addition)
	return dst
}

// merge appends a line with the mark's tags among those that it has.
func (m *Mark) merge(dst, line []byte, p parts) []byte {
	place, addition := m.place(line, p)
	dst = append(append(dst, line[:place]...), addition...)
	if place == len(line) {
		return dst
	}
	return append(dst, line[place:]...)
}

// place returns what of the mark's tags goes into a line, and where: nothing, if
// the line wants none.
func (m *Mark) place(line []byte, p parts) (at int, addition string) {
	if p.none {
		return len(line), ""
	}
	if p.tags == 0 {
		if p.message > 0 && isCheck(line) {
			return p.message, m.tags
		}
		return len(line), m.tags
	}
	tags := line[p.tags:p.end]
	if wantsNone(tags) {
		return len(line), ""
	}
	if len(tags) == 0 || tags[len(tags)-1] == ',' {
		return p.end, m.more[1:]
	}
	return p.end, m.more
}

// wantsNone reports whether dd.internal.card:none is among the tags. It looks
// for the dot: fewer tags have one than there are tags.
func wantsNone(tags []byte) bool {
	const (
		none = "dd.internal.card:none"
		dot  = len("dd")
	)
	for from := 0; ; {
		i := bytes.IndexByte(tags[from:], none[dot])
		if i < 0 {
			return false
		}
		from += i + 1
		begin := from - 1 - dot
		end := begin + len(none)
		if begin >= 0 && end <= len(tags) && string(tags[begin:end]) == none &&
			(begin == 0 || tags[begin-1] == ',') && (end == len(tags) || tags[end] == ',') {
			return true
		}
	}
}
