package disk

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Stall is the share of the last 10 s, in percent, in which some task of this
// host waited for I/O: avg10 of pressure/io below proc, which is /proc. It is
// unknown where the kernel does not count it.
func Stall(proc string) (percent float64, ok bool) {
	content, err := os.ReadFile(filepath.Join(proc, "pressure/io"))
	if err != nil {
		return 0, false
	}
	return some10(content)
}

// some10 finds avg10 in the line that begins with some.
func some10(content []byte) (float64, bool) {
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "some" {
			continue
		}
		value, found := strings.CutPrefix(fields[1], "avg10=")
		percent, err := strconv.ParseFloat(value, 64)
		// The comparison is false for what is not a number, too.
		return percent, found && err == nil && percent >= 0 && percent <= 100
	}
	return 0, false
}
