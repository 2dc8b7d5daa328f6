package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/disk"
)

func TestSharesAreCountedAsDfDoes(t *testing.T) {
	tests := map[string]struct {
		stat                 unix.Statfs_t
		bytes, inodes, worst float64
	}{
		"root's reserve counts as used up": {
			stat:  unix.Statfs_t{Frsize: 4096, Blocks: 1000, Bfree: 150, Bavail: 100, Files: 100, Ffree: 80},
			bytes: 100 * 850.0 / 950, inodes: 20, worst: 100 * 850.0 / 950,
		},
		"inodes can be the worse":          {stat: unix.Statfs_t{Frsize: 1, Blocks: 100, Bfree: 90, Bavail: 90, Files: 10, Ffree: 1}, bytes: 10, inodes: 90, worst: 90},
		"no inodes are counted, as btrfs":  {stat: unix.Statfs_t{Bsize: 4096, Blocks: 4, Bfree: 1, Bavail: 1}, bytes: 75, worst: 75},
		"full":                             {stat: unix.Statfs_t{Frsize: 1, Blocks: 100, Bfree: 5, Files: 1}, bytes: 100, inodes: 100, worst: 100},
		"a pseudo file system has no size": {stat: unix.Statfs_t{Frsize: 4096}},
		"more free than there is":          {stat: unix.Statfs_t{Frsize: 1, Blocks: 1, Bfree: 2, Bavail: 2, Files: 1, Ffree: 2}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := disk.Count(tt.stat)
			if u.BytesPercent != tt.bytes || u.InodesPercent != tt.inodes || u.Worst() != tt.worst {
				t.Errorf("got %+v, worst %v; want %v, %v, %v", u, u.Worst(), tt.bytes, tt.inodes, tt.worst)
			}
		})
	}
}

func TestStatAgreesWithDf(t *testing.T) {
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "df", "--output=size,itotal", "-B1", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(out), "\n")
	fields := strings.Fields(line)
	u, err := disk.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := strconv.FormatUint(u.Bytes, 10); got != fields[0] {
		t.Errorf("size %s, df has %s", got, fields[0])
	}
	if got := strconv.FormatUint(u.Inodes, 10); got != fields[1] && fields[1] != "-" {
		t.Errorf("inodes %s, df has %s", got, fields[1])
	}
	if u.Avail > u.Free || u.Free > u.Bytes || u.BytesPercent <= 0 || u.BytesPercent > 100 {
		t.Errorf("%+v does not add up", u)
	}
}

func TestFileSystemsAreToldApart(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(path string) uint64 {
		u, err := disk.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return u.Device
	}
	if at(dir) != at(file) {
		t.Error("a folder and its file seem to be on two file systems")
	}
	if at(dir) == at("/proc") {
		t.Error("a folder seems to be on /proc")
	}
}

func TestAMissingPathIsAnError(t *testing.T) {
	_, err := disk.Stat(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}
