// Package line reads and marks the lines of dogstatsd datagrams: metrics, events
// and service checks of the protocol's versions 1.0 to 1.6.
//
//	for rest := datagram; ; {
//		ln, rest, more = line.Next(rest)
//		if !more {
//			break
//		}
//		packet = mark.Append(packet, ln)
//	}
//
// What it takes from the document
// (https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/) and from
// what clients do is no more than it takes to add an origin and change nothing
// else:
//
//   - Fields are separated by | and come in any order behind a metric's type, a
//     check's status, or an event's text. The lengths in an event's head say
//     where its text ends: title and text may hold anything.
//   - A check's message is its last field and may hold anything. What is added
//     comes before it. Only a container field at the very end, where clients
//     write it, is one there.
//   - A line has one section of tags. A second would replace it, so tags are
//     added at the end of the first.
//   - A line that is none of these is left as it is.
package line
