package logs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/logs"
)

// archived sets an archive up, and a folder that is about to be deleted.
func archived(t *testing.T) (r *rig, archives string) {
	t.Helper()
	r = newRig(t)
	archives = filepath.Join(r.dir, "archives")
	r.sweeper.Archive = archives
	r.dead(1)
	r.later(2 * time.Hour)
	r.sweep()
	r.later(2 * time.Hour)
	return r, archives
}

// last returns the newest record with this action.
func (r *rig) last(action string) audit.Record {
	r.t.Helper()
	found, err := r.audit.Find("", 100)
	r.must(err)
	for _, record := range slices.Backward(found) {
		if record.Action == action {
			return record
		}
	}
	r.t.Fatalf("the audit has no record of what was %s: %+v", action, found)
	return audit.Record{}
}

func TestAFolderIsArchivedBeforeItIsDeleted(t *testing.T) {
	r, archives := archived(t)
	if report := r.sweep(); len(report.Purged) != 1 {
		t.Fatalf("purged %+v", report.Purged)
	}
	record := r.last(audit.Archived)
	path, rest, _ := strings.Cut(record.Reason, ", ")
	_, sum, _ := strings.Cut(rest, "sha256 ")
	if !strings.HasPrefix(path, archives+"/orders/") || record.Container != id(1).Short() {
		t.Fatalf("the audit says %+v", record)
	}
	check := exec.CommandContext(t.Context(), "sha256sum", "-c")
	check.Stdin = strings.NewReader(sum + "  " + path + "\n")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "tar", "-xzOf", path, id(1).Short()+"/app.log").CombinedOutput()
	if err != nil || string(out) != "a line\n" {
		t.Errorf("tar: %q, %v", out, err)
	}
}

// Who wants archives does not want to lose what cannot be archived.
func TestWhatCannotBeArchivedIsNotDeleted(t *testing.T) {
	r, archives := archived(t)
	r.must(os.WriteFile(archives, nil, 0o600)) // not a folder
	report, err := r.sweeper.Sweep(t.Context(), logs.Options{By: "test"})
	if err == nil || len(report.Purged) != 0 || len(r.sweeper.Yard()) != 1 {
		t.Fatalf("error %v, purged %d, %d left", err, len(report.Purged), len(r.sweeper.Yard()))
	}
	if why := r.last(audit.Refused).Reason; !strings.Contains(why, archives) {
		t.Errorf("the audit says why not: %q", why)
	}
	r.must(os.Remove(archives))
	r.later(2 * time.Hour)
	if report := r.sweep(); len(report.Purged) != 1 {
		t.Errorf("purged %d once the archive is back", len(report.Purged))
	}
	r.last(audit.Archived)
}

// The archive is for the disk's sake, not the other way round.
func TestWithoutRoomItGoesWithoutArchive(t *testing.T) {
	for name, short := range map[string]func(s *logs.Sweeper){
		"no room": func(s *logs.Sweeper) {
			s.Room = func(string, int64) error { return errors.New("it would be 91 % full") }
		},
		"an emergency": func(s *logs.Sweeper) { s.Pressure = func(string) logs.Pressure { return logs.Emergency } },
	} {
		t.Run(name, func(t *testing.T) {
			r, archives := archived(t)
			short(r.sweeper)
			if report := r.sweep(); len(report.Purged) != 1 {
				t.Fatalf("purged %+v", report.Purged)
			}
			if why := r.last(audit.Archived).Reason; !strings.HasPrefix(why, "not archived: ") {
				t.Errorf("the audit says %q", why)
			}
			if left, _ := filepath.Glob(archives + "/*/*"); len(left) > 0 {
				t.Errorf("there are archives: %q", left)
			}
		})
	}
}
