package line

import "bytes"

// A Mark is what an origin adds to each of its lines. The zero value adds
// nothing. It is made once for an origin, and then used without allocating.
type Mark struct {
	field []byte // "|c:…"
	tags  []byte // "key:value,key:value"
	strip bool   // a container field that the client has written goes
}

// Field adds a container field, |c:id. A line that has one already is left
// alone, or with override loses it.
func Field(id string, override bool) Mark {
	return Mark{field: []byte("|c:" + id), strip: override}
}

// Tags adds tags to those of a line, unless it says card:none. With override a
// container field that the client has written goes.
func Tags(tags []string, override bool) Mark {
	m := Mark{strip: override}
	for i, tag := range tags {
		if i > 0 {
			m.tags = append(m.tags, ',')
		}
		m.tags = append(m.tags, clean(tag)...)
	}
	return m
}

// clean replaces what would end a tag, or the line.
func clean(tag string) []byte {
	return bytes.Map(func(r rune) rune {
		if r == ',' || r == '|' || r == '\n' || r == '\r' || r == '#' {
			return '_'
		}
		return r
	}, []byte(tag))
}

// Strip adds nothing, and removes a container field that the client has
// written.
func Strip() Mark { return Mark{strip: true} }

// Max is the most that Append appends for a line, in bytes.
func (m *Mark) Max(ln []byte) int {
	return len(ln) + len(m.field) + len("|#") + len(m.tags) + len("\n")
}

// Append appends a line with its mark, and \n, to dst.
func (m *Mark) Append(dst, ln []byte) []byte {
	if m.field == nil && m.tags == nil && !m.strip {
		return append(append(dst, ln...), '\n')
	}
	if tags, usual := glance(ln); usual && m.tags == nil {
		return append(append(append(dst, ln...), m.field...), '\n')
	} else if usual && bytes.IndexByte(ln[tags.from:tags.to], '.') < 0 { // no dd.internal.card
		return append(m.merge(dst, ln, fields{tags: tags, end: len(ln)}), '\n')
	}
	return m.unusual(dst, ln)
}

// unusual is Append for any line.
func (m *Mark) unusual(dst, ln []byte) []byte {
	f, ok := scan(ln)
	if !ok {
		return append(append(dst, ln...), '\n')
	}
	if m.strip && f.container.found() {
		return append(m.replace(dst, ln, f), '\n')
	}
	switch {
	case m.field != nil && !f.container.found():
		dst = append(dst, ln[:f.end]...)
		dst = append(dst, m.field...)
		dst = append(dst, ln[f.end:]...)
	case m.tags != nil && !f.optOut:
		dst = m.merge(dst, ln, f)
	default:
		dst = append(dst, ln...)
	}
	return append(dst, '\n')
}

// merge appends a line with the tags at the end of its own, or as its first.
func (m *Mark) merge(dst, ln []byte, f fields) []byte {
	at := f.end
	if f.tags.found() {
		at = f.tags.to
	}
	dst = append(dst, ln[:at]...)
	switch {
	case !f.tags.found():
		dst = append(dst, '|', '#')
	case f.tags.to-f.tags.from > len("|#"):
		dst = append(dst, ',')
	}
	dst = append(dst, m.tags...)
	return append(dst, ln[at:]...)
}

// replace appends a line without its container fields, and with the mark. It
// is rare, and may take its time.
func (m *Mark) replace(dst, ln []byte, f fields) []byte {
	bare := append([]byte(nil), ln...)
	for ok := true; ok && f.container.found(); f, ok = scan(bare) {
		bare = append(bare[:f.container.from], bare[f.container.to:]...)
	}
	return bytes.TrimSuffix(m.Append(dst, bare), []byte("\n"))
}
