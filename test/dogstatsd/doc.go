// Package dogstatsd is the other end of the relay in tests: a parser of the
// dogstatsd protocol and a server that counts what it gets.
//
//	r := dogstatsd.Listen(t, dogstatsd.Options{Network: "unixgram", Address: path, Credentials: true})
//	…
//	r.Wait(t, "all messages", func(c dogstatsd.Counts) bool { return c.Messages == 5000 })
//
// [Parse] is written from the public document of the protocol, versions 1.0 to
// 1.6 with events and service checks, and not from the relay's own reading of a
// line. It is stricter than any server: what stands twice, or is not in the
// document, is an error. Where clients go beyond the document it goes with
// them: names with any character, fields in any order, and the fields for the
// origin in events and service checks, there after the message as well.
//
// [Receiver] has real sockets, in the kinds that the Datadog agent has. It can
// be slow, hang, and be stopped and started again, in all of which the kernel
// does what it would do to the agent.
package dogstatsd
