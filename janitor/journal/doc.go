// Package journal is an append-only file of JSON values, one on a line, each
// behind its own checksum:
//
//	1c291ca3 {"op":"bury",…}
//
// A write returns once it is on disk. A line that was torn by a crash is cut
// off when the file is next read; one that was damaged later is left out and
// counted. Whoever keeps state in a journal must make sure that a line lost is
// always the safe side.
package journal
