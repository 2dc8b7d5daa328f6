// Package line adds an origin to lines of the dogstatsd protocol, and leaves
// every other byte as it was.
//
//	mark := line.Field("ci-"+id, false)
//	for l, rest, ok := line.Next(datagram); ok; l, rest, ok = line.Next(rest) {
//		out = mark.Append(out, l)
//	}
//
// It looks at a line as the Datadog agent does, and not more closely: versions
// 1.0 to 1.6 of the protocol, events, service checks. The fields after a
// metric's type, a check's status, or an event's text are separated by "|", and
// come in any order; of two that are alike the last one counts. An event's
// title and text are skipped by the lengths in its header, since they may hold
// anything.
//
// # What is added
//
// [Field] appends a field at the end of the line. [Tags] appends to the tags
// that the line has, or a section of tags at its end: in a service check before
// the message, which by the document comes last. Its separator is a comma, but
// for a section that is empty or ends in a comma.
//
// A line that no server takes gets nothing, and loses nothing: one without a
// type (which begins with a small letter) or status, and an event with a header that is malformed, or that
// promises more bytes than there are. An addition could make it one that is
// taken, with our bytes as its text.
//
// There is no allocation but for a destination that has to grow, and no state:
// a [Mark] may be used from several goroutines.
package line
