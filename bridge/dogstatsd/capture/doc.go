// Package capture writes dogstatsd traffic to a file that the Datadog agent
// replays: agent dogstatsd-replay -f FILE.
//
//	w, err := capture.NewWriter(file)
//	…
//	err = w.Write(capture.Message{Time: at, PID: pid, Payload: datagram})
//	…
//	err = w.Close(map[int]string{pid: "4f1c…"})
//
// # The file
//
// It is version 3 of the agent's format (comp/dogstatsd/replay): eight bytes
// that name format and version; for each datagram four bytes of length, the
// lowest first, and a UnixDogstatsdMsg in protobuf; four zero bytes; a
// TaggerState in protobuf; four bytes with that one's length. Times are in
// nanoseconds. The agent can compress it with zstd, and need not: neither do we.
//
// The state says which process was in which container. Each container that it
// names also stands among its entities, though without tags: an agent that gets
// no entity forgets the processes too.
package capture
