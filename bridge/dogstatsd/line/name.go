package line

import "bytes"

// Name returns the name of a metric or check, and "_e" for an event.
func Name(ln []byte) []byte {
	switch {
	case isEvent(ln):
		return ln[:2]
	case isCheck(ln):
		ln = ln[len("_sc|"):]
		if i := bytes.IndexByte(ln, '|'); i >= 0 {
			ln = ln[:i]
		}
		return ln
	}
	if i := bytes.IndexByte(ln, ':'); i >= 0 {
		return ln[:i]
	}
	return ln
}

// FNV-1a, 64 bits.
const (
	hashStart = 0xcbf29ce484222325
	hashPrime = 0x100000001b3
)

// Context returns a hash of what makes a line's values one series: name, type
// and tags, as they stand. The same tags in another order are another context.
func Context(ln []byte) uint64 {
	h := hash(hashStart, Name(ln))
	if !isEvent(ln) && !isCheck(ln) {
		if i := bytes.IndexByte(ln, '|'); i >= 0 {
			kind, _, _ := bytes.Cut(ln[i+1:], []byte("|"))
			h = hash(hash(h, ln[i:i+1]), kind)
		}
	}
	if f, ok := scan(ln); ok && f.tags.found() {
		h = hash(h, ln[f.tags.from:f.tags.to])
	}
	return h
}

func hash(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * hashPrime
	}
	return h
}
