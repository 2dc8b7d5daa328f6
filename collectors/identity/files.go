package identity

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// most is how much of a file is read: far more than any of them holds.
const most = 1 << 20

// read returns a file's text, empty if it cannot be read: none of the files
// has to be there.
func (r Reader) read(name string) string {
	file, err := os.Open(filepath.Join(cmp.Or(r.Root, "/"), name))
	if err != nil {
		return ""
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return ""
	}
	return string(text)
}

// count returns how many entries a folder has; 0 if it cannot be read.
func (r Reader) count(name string) int {
	all, err := os.ReadDir(filepath.Join(cmp.Or(r.Root, "/"), name))
	if err != nil {
		return 0
	}
	return len(all)
}

// line returns a file's first line without the blanks around it.
func (r Reader) line(name string) string {
	text, _, _ := strings.Cut(r.read(name), "\n")
	return strings.TrimSpace(text)
}
