package logs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/logs"
)

func TestOldFilesOfTheLivingAreCompressedAndThoseOfTheDeadAreNot(t *testing.T) {
	r := newRig(t)
	living, dead := r.run(1), r.dead(2)
	old := bytes.Repeat([]byte("a line\n"), 20_000)
	for _, folder := range []string{living, dead} {
		r.must(os.WriteFile(filepath.Join(folder, "app.log.1"), old, 0o644))
	}
	r.later(30 * time.Minute)
	sweep := func() (int, int64) {
		report, err := r.sweeper.Sweep(t.Context(), logs.Options{By: "test"})
		r.must(err)
		files, freed, err := r.sweeper.Rotate(t.Context(), report.Plan, "test")
		r.must(err)
		return files, freed
	}
	if files, _ := sweep(); files != 0 {
		t.Fatal("compressed although nobody asked for it")
	}
	r.sweeper.RotateAfter = 20 * time.Minute
	files, freed := sweep()
	if files != 1 || freed <= 0 || !exists(living+"/app.log.1.gz") || exists(living+"/app.log.1") || !exists(dead+"/app.log.1") {
		t.Errorf("%d files compressed, %d bytes freed", files, freed)
	}
	if last := r.last(audit.Compressed); last.Path != living || last.Bytes != freed || !strings.HasPrefix(last.Reason, "1 files") {
		t.Errorf("the audit says %+v", last)
	}
}
