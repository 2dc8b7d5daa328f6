package beneath

// Ways opens a root so that its steps are taken in each of the ways that
// kernels allow.
func Ways() map[string]func(path string) (*Root, error) {
	by := func(w way) func(string) (*Root, error) {
		return func(path string) (*Root, error) { return open(path, w) }
	}
	return map[string]func(string) (*Root, error){
		"openat2": by(byOpenat2), "mount id by statx": by(byStatx), "mount id by fdinfo": by(byFdinfo),
	}
}

// OpenNoWay opens a root as on a kernel that can do nothing of what is needed.
func OpenNoWay(path string) (*Root, error) { return open(path, noWay) }

// WayOf says how a root's steps are taken.
func WayOf(r *Root) string {
	return map[way]string{byOpenat2: "openat2", byStatx: "mount id by statx", byFdinfo: "mount id by fdinfo"}[r.dir.tree.way]
}

// ParseDirents reads an answer of getdents64. It is in the order of the inodes.
func ParseDirents(b []byte) []Entry { return (&batch{buf: b}).inOrder(len(b)) }

// ProbeWritable is Writable on kernels without faccessat2.
func ProbeWritable(r *Root) error { return probeWritable(r.dir.fd) }

// MaxOpen is how deep a look goes with open folders.
const MaxOpen = maxOpen
