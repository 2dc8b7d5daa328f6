package dogstatsd

// Settings are what can change while a relay runs.
type Settings struct {
	Upstreams []string // udp://host:port, unixgram:///path, unix:///path; the first counts, each further one gets a copy
	Fallback  string   // takes what the first cannot while that is away; empty: it is held until it is back
	Mode      Mode
	Override  bool  // our origin replaces one that the client has put into a line
	Hold      int64 // bytes that are held while upstreams are away, together; 0: 32 MiB

	Rate     int                 // messages a second of one container; 0: no limit
	Contexts int                 // new contexts (name and tags) a minute of one container; 0: no limit
	Block    map[string][]string // service, or * for all, to beginnings of metric names that are dropped
}
