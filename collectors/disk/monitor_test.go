package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/disk"
)

// after lets some time pass in the bubble, and the loop come to rest.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAMonitorShowsEachFileSystemOnce(t *testing.T) {
	dir := memory(t)
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	ok(t, os.Mkdir(one, 0o755))
	ok(t, os.Mkdir(two, 0o755))
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil, one, "/proc", two, one)
		after(time.Second)
		var got []string
		for _, s := range w.States() {
			got = append(got, fmt.Sprint(s.Paths))
		}
		if want := []string{fmt.Sprint([]string{one, two}), "[/proc]"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if s := w.States()[0]; s.Usage.Bytes != 100<<20 || s.Level != disk.Normal || !s.Since.Equal(s.At) {
			t.Errorf("%+v", s)
		}
		w.stop()
		w.wantTold(t)
	})
}

func TestAMonitorTellsOfEachChangeAndLooksMoreOftenWhileItIsHigh(t *testing.T) {
	dir := memory(t)
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil, dir)
		after(time.Second)
		use(t, dir, 90)
		after(28 * time.Second)
		w.wantTold(t)
		after(2 * time.Second)
		w.wantTold(t, disk.High)
		if got, want := w.told()[0].Reason, dir+" is 90.0 % full, 10.0MiB left; high from 85 % until below 70 %"; got != want {
			t.Errorf("the reason is %q, want %q", got, want)
		}
		use(t, dir, 99)
		after(5 * time.Second)
		use(t, dir, 80)
		after(5 * time.Second)
		use(t, dir, 60)
		after(5 * time.Second)
		w.wantTold(t, disk.High, disk.Emergency, disk.High, disk.Normal)
		if since := w.States()[0].Since; !since.Equal(w.told()[3].Since) || time.Since(since) > 5*time.Second {
			t.Errorf("normal since %v", since)
		}
		use(t, dir, 90)
		after(20 * time.Second) // the slow pace is back
		if w.Level(dir) != disk.Normal || w.Level("/nowhere") != disk.Normal {
			t.Error("it still looked every 5 s")
		}
	})
}

// A real file that grows by 1 MiB a look, with 100 MiB to fill.
func TestAMonitorWarnsOfAFillBeforeUseIsHigh(t *testing.T) {
	dir := memory(t)
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil, dir)
		for mib := range 40 {
			use(t, dir, float64(mib))
			after(30 * time.Second)
		}
		w.wantTold(t, disk.Soon)
		s := w.told()[0]
		if !strings.Contains(s.Reason, "MiB left; full in about ") || !strings.HasSuffix(s.Reason, "KiB/s") {
			t.Errorf("the reason is %q", s.Reason)
		}
		if left := 40 * time.Minute; s.Forecast.Full > left || s.Forecast.Full < 25*time.Minute {
			t.Errorf("warned of %+v", s.Forecast)
		}
	})
}

func TestAPathThatVanishesStopsNoOther(t *testing.T) {
	dir, other := memory(t), memory(t)
	path := filepath.Join(dir, "apps")
	ok(t, os.Mkdir(path, 0o755))
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil, path, other)
		use(t, dir, 90)
		after(31 * time.Second)
		w.wantTold(t, disk.High)
		ok(t, os.Remove(path))
		after(5 * time.Second)
		// Nobody can say how full it is, so nobody goes on as if it were full.
		w.wantTold(t, disk.High, disk.Normal)
		if states, faults := w.States(), w.Faults(); len(states) != 1 || states[0].Paths[0] != other ||
			len(faults) != 1 || faults[0].Path != path || !errors.Is(faults[0].Err, fs.ErrNotExist) {
			t.Errorf("states %+v, faults %+v", states, faults)
		}
		since := w.Faults()[0].Since
		use(t, other, 90)
		after(30 * time.Second)
		w.wantTold(t, disk.High, disk.Normal, disk.High)
		if !w.Faults()[0].Since.Equal(since) {
			t.Error("the fault began anew")
		}
		ok(t, os.Mkdir(path, 0o755))
		after(30 * time.Second)
		w.wantTold(t, disk.High, disk.Normal, disk.High, disk.High)
		if len(w.Faults()) != 0 || len(w.States()) != 2 {
			t.Errorf("states %+v, faults %+v", w.States(), w.Faults())
		}
	})
}

func TestThePathsMayChange(t *testing.T) {
	one, two := memory(t), memory(t)
	synctest.Test(t, func(t *testing.T) {
		var paths atomic.Value
		paths.Store([]string{one})
		w := start(t, func(m *disk.Monitor) { m.Paths = func() []string { return paths.Load().([]string) } })
		use(t, one, 90)
		after(31 * time.Second)
		paths.Store([]string{two, "/nowhere"})
		after(31 * time.Second)
		w.wantTold(t, disk.High, disk.Normal)
		if s := w.States(); len(s) != 1 || s[0].Paths[0] != two || len(w.Faults()) != 1 {
			t.Errorf("states %+v, faults %+v", s, w.Faults())
		}
		paths.Store([]string{two})
		after(31 * time.Second)
		if len(w.Faults()) != 0 {
			t.Errorf("faults %+v", w.Faults())
		}
	})
}

// dead mounts a file system whose server never answers, as a network file
// system's whose host is down. The returned function takes the server away.
func dead(t *testing.T) (dir string, leave func()) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "dead")
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	ok(t, err)
	mounted(t, "dead", dir, "fuse", fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd))
	left := false
	leave = func() {
		if !left {
			left = true
			unix.Close(fd)
		}
	}
	t.Cleanup(leave)
	return dir, leave
}

// questions is how many goroutines wait for the kernel.
func questions() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "collectors/disk.(*watch).question(")
}

// I5: a mount whose server is away holds up nobody.
func TestAMountThatHangsStopsNoOther(t *testing.T) {
	path, leave := dead(t)
	other := memory(t)
	w := start(t, func(m *disk.Monitor) { m.Every = 10 * time.Millisecond }, path, other)
	until(t, "a fault", func() bool { return len(w.Faults()) == 1 })
	if f := w.Faults()[0]; f.Path != path || !errors.Is(f.Err, os.ErrDeadlineExceeded) {
		t.Errorf("got %+v", f)
	}
	use(t, other, 90)
	until(t, "high", func() bool { return w.Level(other) == disk.High })
	if n := questions(); n > 2 {
		t.Errorf("%d goroutines wait for two paths", n)
	}
	leave()
	until(t, "another fault", func() bool {
		return len(w.Faults()) == 1 && errors.Is(w.Faults()[0].Err, unix.ENOTCONN)
	})
	w.stop()
	w.wantTold(t, disk.High)
}

// The path is a link, so that what answered can stop answering.
func TestAFileSystemThatStopsAnsweringKeepsItsLevel(t *testing.T) {
	hangs, leave := dead(t)
	answers, path := memory(t), filepath.Join(t.TempDir(), "link")
	ok(t, os.Symlink(answers, path))
	use(t, answers, 90)
	w := start(t, func(m *disk.Monitor) { m.Every = 10 * time.Millisecond }, path)
	until(t, "high", func() bool { return w.Level(path) == disk.High })
	ok(t, os.Symlink(hangs, path+".new"))
	ok(t, os.Rename(path+".new", path))
	until(t, "a fault", func() bool { return len(w.Faults()) == 1 })
	w.stop() // I4: although its goroutine cannot end
	w.wantTold(t, disk.High)
	if w.Level(path) != disk.High || len(w.States()) != 1 {
		t.Errorf("%+v", w.States())
	}
	if n := questions(); n != 1 {
		t.Errorf("%d goroutines wait for one path", n)
	}
	leave()
	until(t, "gone", func() bool { return questions() == 0 })
}

// I3, I4: nothing runs before Run and nothing after it: the bubble ends only
// when all of its goroutines have.
func TestAMonitorEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil, t.TempDir(), "/proc")
		w.stop()
		begun := time.Now()
		w = start(t, nil, t.TempDir())
		after(10 * time.Minute)
		w.stop()
		if took := time.Since(begun); took != 10*time.Minute {
			t.Errorf("the end took %v", took-10*time.Minute)
		}
	})
}

func TestAMonitorGoesOnWhereAnotherEnded(t *testing.T) {
	dir := memory(t)
	synctest.Test(t, func(t *testing.T) {
		first := start(t, nil, dir)
		after(time.Second)
		use(t, dir, 90)
		after(30 * time.Second)
		use(t, dir, 80) // still high, until it is low
		after(5 * time.Second)
		since := first.States()[0].Since
		first.stop()
		next := start(t, func(m *disk.Monitor) { m.Continue(first.Monitor) }, dir)
		after(time.Second)
		if s := next.States()[0]; s.Level != disk.High || !s.Since.Equal(since) {
			t.Errorf("%v since %v, want high since %v", s.Level, s.Since, since)
		}
		next.wantTold(t)
		next.stop()
		alone := start(t, nil, dir)
		after(time.Second)
		if level := alone.Level(dir); level != disk.Normal {
			t.Errorf("a monitor that knows of no other begins with %v", level)
		}
	})
}
