package tombstone_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// The shape of one dead container's folder: a few sub-folders of rotated logs.
const (
	benchFolders = 10
	benchFiles   = 500
)

func (r *rig) benchTree() {
	r.Helper()
	content := make([]byte, 4096)
	for i := range benchFolders {
		dir := r.mkdir(dead, fmt.Sprint(i))
		for j := range benchFiles {
			ok(r, os.WriteFile(fmt.Sprintf("%s/app.log.%d", dir, j), content, 0o600))
		}
	}
}

// cpu is what this process has used so far, in nanoseconds.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u unix.Rusage
	ok(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

func benchmark(b *testing.B, remove func(r *rig)) {
	var used int64
	r := newRig(b)
	for b.Loop() {
		b.StopTimer()
		r.benchTree()
		before := cpu(b)
		b.StartTimer()
		remove(r)
		b.StopTimer()
		used += cpu(b) - before
		b.StartTimer()
	}
	files := float64(b.N * benchFolders * benchFiles)
	b.ReportMetric(float64(used)/files, "cpu-ns/file")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/files, "ns/file")
}

func BenchmarkPurge(b *testing.B) {
	benchmark(b, func(r *rig) { r.purge(r.confirmed(dead)) })
}

func BenchmarkRemoveAll(b *testing.B) {
	benchmark(b, func(r *rig) { ok(r, os.RemoveAll(r.at(dead))) })
}
