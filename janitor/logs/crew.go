package logs

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	purgers = 8                     // at once, where one mostly waits for the disk
	glance  = 10 * time.Millisecond // how long is watched whether it does
)

// A crew does numbered tasks. One worker does them as long as it keeps a core
// busy: where several delete at once, they spend a fifth more on waiting for
// each other's locks in the kernel. Others join it once it mostly waits, for
// they can wait beside each other.
type crew struct {
	do   func(i int)
	all  int
	next atomic.Int64
}

// each calls do with every number below all, and returns when all are done.
func each(all int, do func(i int)) {
	c := &crew{do: do, all: all}
	for c.left() > 0 {
		if c.watched() {
			c.together()
			return
		}
		// Who keeps its turn for 10 ms has the runtime look after it, over and
		// over, from then on.
		runtime.Gosched()
	}
}

func (c *crew) left() int { return c.all - int(c.next.Load()) }

// one does the next task, and reports false if there is none.
func (c *crew) one() bool {
	i := int(c.next.Add(1)) - 1
	if i >= c.all {
		return false
	}
	c.do(i)
	return true
}

// watched does tasks for a while and reports whether that mostly was waiting:
// neither running nor, on a host that is busy, waiting for a core to run on.
func (c *crew) watched() (waits bool) {
	runtime.LockOSThread() // what the kernel counts, it counts for a thread
	defer runtime.UnlockOSThread()
	before, began := busy(), time.Now()
	for c.one() {
		if took := time.Since(began); took >= glance {
			return busy()-before < took/2
		}
	}
	return false
}

// together has the rest done by all, and lets this process have as many calls
// under way: a thread that waits in one keeps its turn to run Go for up to 10 ms,
// which leaves none for the others. Who has set GOMAXPROCS has meant it.
func (c *crew) together() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.NumCPU() + purgers)
		defer runtime.SetDefaultGOMAXPROCS()
	}
	var workers sync.WaitGroup
	for range min(purgers, c.left()) {
		workers.Go(func() {
			for c.one() {
			}
		})
	}
	workers.Wait()
}

// busy is how long this thread has run, or has waited for a core, in its life;
// 0 where the kernel does not say.
func busy() time.Duration {
	text, err := os.ReadFile("/proc/thread-self/schedstat")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0
	}
	ran, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	queued, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return time.Duration(ran + queued)
}
