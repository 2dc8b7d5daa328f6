package disk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-dev/berth/collectors/disk"
)

// proc makes a proc folder with such a pressure/io.
func proc(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "pressure"), 0o755); err != nil {
		t.Fatal(err)
	}
	stall(t, dir, content)
	return dir
}

func stall(t *testing.T, proc, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(proc, "pressure/io"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const stalled = "some avg10=35.50 avg60=3.43 avg300=3.38 total=358478760\nfull avg10=0.26 avg60=0.21 avg300=0.14 total=86972790\n"

func TestTheStallIsWhatSomeTaskWaited(t *testing.T) {
	tests := map[string]struct {
		content string
		percent float64
		ok      bool
	}{
		"stalled":          {stalled, 35.5, true},
		"idle":             {"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0, true},
		"full comes first": {"full avg10=1.00 avg60=0\nsome avg10=2.00 avg60=0\n", 2, true},
		"empty":            {"", 0, false},
		"only full":        {"full avg10=1.00\n", 0, false},
		"no number":        {"some avg10=x\n", 0, false},
		"not a number":     {"some avg10=NaN\n", 0, false},
		"out of range":     {"some avg10=101\n", 0, false},
		"another field":    {"some avg60=1.00\n", 0, false},
		"cut":              {"some", 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			percent, ok := disk.Stall(proc(t, tt.content))
			if ok != tt.ok || ok && percent != tt.percent {
				t.Errorf("got %v, %v", percent, ok)
			}
		})
	}
	if _, ok := disk.Stall(t.TempDir()); ok {
		t.Error("it is known although the kernel does not count it")
	}
}

// paced is how long a Pacer pauses now.
func paced(t *testing.T, p *disk.Pacer) time.Duration {
	t.Helper()
	start := time.Now()
	if err := p.Pace(t.Context()); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

func TestThePacerPausesLongerAndLongerWhileTheDiskStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := proc(t, stalled)
		p := &disk.Pacer{Proc: dir}
		for i, want := range []time.Duration{10, 20, 40, 80, 160, 200, 200} {
			if got := paced(t, p); got != want*time.Millisecond {
				t.Errorf("pause %d took %v, want %v ms", i, got, int(want))
			}
		}
		stall(t, dir, "some avg10=19.99 avg60=0\n")
		if got := paced(t, p); got != 0 {
			t.Errorf("paused %v although the disk is idle", got)
		}
		stall(t, dir, stalled)
		if got := paced(t, p); got != 10*time.Millisecond {
			t.Errorf("the next stall begins with %v", got)
		}
	})
}

func TestThePacerDoesNotPauseInAnEmergencyOrInTheDark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var emergency atomic.Bool
		p := &disk.Pacer{Proc: proc(t, stalled), Emergency: emergency.Load}
		if got := paced(t, p); got == 0 {
			t.Error("did not pause")
		}
		emergency.Store(true)
		if got := paced(t, p); got != 0 {
			t.Errorf("paused %v in an emergency", got)
		}
		if got := paced(t, &disk.Pacer{Proc: t.TempDir()}); got != 0 {
			t.Errorf("paused %v without knowing why", got)
		}
		if got := paced(t, &disk.Pacer{Proc: proc(t, stalled), Threshold: 36}); got != 0 {
			t.Errorf("paused %v below the threshold", got)
		}
	})
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := &disk.Pacer{Proc: proc(t, stalled), Longest: time.Hour}
		for range 20 {
			paced(t, p)
		}
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if err := p.Pace(ctx); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}
