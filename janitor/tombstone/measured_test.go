package tombstone_test

import (
	"os"
	"strings"
	"testing"
)

// What was measured is not looked at again; what is deleted of it counts.
func TestWhatWasMeasuredCameFree(t *testing.T) {
	tests := map[string]struct {
		change func(r *rig) // before the purge, after the measure
		want   int64
	}{
		"all of it":          {func(*rig) {}, 30_000},
		"not what is gone":   {func(r *rig) { ok(r, os.Remove(r.at(dead, "app.log"))) }, 20_000},
		"not what was added": {func(r *rig) { r.write("new", dead, "new.log") }, 30_000},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			for _, file := range []string{"app.log.1", "app.log.2"} {
				r.write("old", dead, file)
			}
			f := r.folder(dead)
			f.Bytes, f.Files = 30_000, 3
			tt.change(r)
			s, err := r.yard.Bury(f, plan, noon)
			ok(t, err)
			ok(t, r.yard.Confirm(s))
			if freed := r.purge(s); freed != tt.want {
				t.Errorf("freed %d bytes, want %d", freed, tt.want)
			}
		})
	}
}

// Of what an earlier purge has begun nobody knows how much there is.
func TestWhatIsLeftOfAMeasuredStoneIsLookedAt(t *testing.T) {
	r := newRig(t)
	r.write(strings.Repeat("x", 4096), dead, "app.log.1")
	f := r.folder(dead)
	f.Bytes, f.Files = 30_000, 2
	s, err := r.yard.Bury(f, plan, noon)
	ok(t, err)
	ok(t, r.yard.Confirm(s))
	stop := r.crashAfter("unlinkat")
	if freed, err := r.yard.Purge(t.Context(), s); err == nil || freed != 15_000 {
		t.Errorf("freed %d bytes, %v; want the half that was deleted", freed, err)
	}
	stop()
	r.again()
	if freed := r.purge(s); freed != 4096 {
		t.Errorf("freed %d bytes, want those of the file that was left", freed)
	}
}
