package line

import "bytes"

// Next returns the first line of a datagram that is not empty, without its
// newline and without one carriage return before that, and what follows. It
// reports false when there is none left.
func Next(datagram []byte) (line, rest []byte, ok bool) {
	for len(datagram) > 0 {
		line, datagram = datagram, nil
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line, datagram = line[:i:i], line[i+1:]
		}
		if n := len(line) - 1; n >= 0 && line[n] == '\r' {
			line = line[:n]
		}
		if len(line) > 0 {
			return line, datagram, true
		}
	}
	return nil, nil, false
}
