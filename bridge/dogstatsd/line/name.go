package line

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Name returns what a line is about: the name of its metric or service check,
// "_e" for an event.
func Name(line []byte) []byte {
	switch {
	case isEvent(line):
		return line[:2]
	case isCheck(line):
		return until(line[4:], '|')
	}
	return until(until(line, '|'), ':')
}

// Context returns a number for a line's name, type and tags: the tags in their
// order, each as it stands, so that two orders of the same tags are two
// contexts. Value, rate, time and container do not count, nor do an event's
// title and text or a check's status and message.
func Context(line []byte) uint64 {
	h := mix(0, Name(line))
	at, ok := fieldsOf(line)
	if !ok {
		return h
	}
	if !isEvent(line) && !isCheck(line) {
		from := bytes.IndexByte(line, '|')
		h = mix(h, line[from:at])
	}
	if p := look(line, at); p.end > p.tags {
		h = mix(h, line[p.tags:p.end])
	}
	return h
}

// mix takes bytes into a hash, and how many they were.
func mix(h uint64, b []byte) uint64 {
	h ^= uint64(len(b)) * 0x9e3779b97f4a7c15
	for ; len(b) >= 8; b = b[8:] {
		h = fold(h ^ binary.LittleEndian.Uint64(b))
	}
	var last [8]byte
	copy(last[:], b)
	return fold(fold(h^binary.LittleEndian.Uint64(last[:])) ^ 0xa0761d6478bd642f)
}

// fold multiplies and takes both halves: each bit of the result hangs on each
// bit that went in.
func fold(h uint64) uint64 {
	high, low := bits.Mul64(h^0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3)
	return high ^ low
}

func isEvent(line []byte) bool { return len(line) > 3 && string(line[:3]) == "_e{" }

func isCheck(line []byte) bool { return len(line) > 3 && string(line[:3]) == "_sc" }

// until returns what is before the first end.
func until(b []byte, end byte) []byte {
	n := bytes.IndexByte(b, end)
	if n < 0 {
		n = len(b)
	}
	return b[:n]
}
