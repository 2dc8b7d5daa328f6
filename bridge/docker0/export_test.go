package docker0

// For tests: what reads foreign bytes.
var (
	ParseSockets = parseSockets
	ParseLink    = func(b []byte) error { _, err := parseLink(b); return err }
	ParseAddress = func(b []byte) error { _, err := parseAddress(b); return err }
	ParseRoute   = func(b []byte) error { _, err := parseRoute(b); return err }
)
