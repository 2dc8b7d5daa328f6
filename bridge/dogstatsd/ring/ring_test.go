package ring_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd/ring"
)

func made(t *testing.T, size int) *ring.Ring {
	t.Helper()
	r, err := ring.New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func record(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n%5000) }

func TestWhatGoesInComesOutInOrder(t *testing.T) {
	r := made(t, 64<<10)
	random := rand.New(rand.NewPCG(1, 2))
	var want [][]byte
	for n := range 100_000 {
		body := record(random.IntN(1 << 20))
		for !r.Push(body[:len(body)/2], body[len(body)/2:]) {
			if got := r.Peek(nil, 1); !bytes.Equal(got[0], want[0]) {
				t.Fatalf("record %d: got %d bytes, want %d", n, len(got[0]), len(want[0]))
			}
			r.Drop(1)
			want = want[1:]
		}
		want = append(want, body)
		if random.IntN(50) == 0 {
			some := random.IntN(len(want) + 1)
			if got := r.Peek(nil, some); !slices.EqualFunc(got, want[:some], bytes.Equal) {
				t.Fatalf("record %d: the oldest %d are others", n, some)
			}
			r.Drop(some)
			want = want[some:]
		}
		if r.Len() != len(want) {
			t.Fatalf("record %d: %d are in it, want %d", n, r.Len(), len(want))
		}
	}
}

func TestARecordThatNeverFitsIsRefused(t *testing.T) {
	r := made(t, 4096)
	if r.Push(make([]byte, 4096)) {
		t.Error("4096 bytes and their length went into 4096")
	}
	if !r.Push(make([]byte, 4092)) {
		t.Error("4092 bytes did not go into an empty ring")
	}
	if r.Push(nil) {
		t.Error("a full ring took one more")
	}
}

// handed is the ring as a process sees it that was handed its file.
func handed(t *testing.T, r *ring.Ring) (*ring.Ring, error) {
	t.Helper()
	fd, err := unix.FcntlInt(r.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "ring")
	next, err := ring.Adopt(file)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	t.Cleanup(func() { _ = next.Close() })
	return next, nil
}

func TestASuccessorGoesOnWhereItWasLeft(t *testing.T) {
	r := made(t, 16<<10)
	for n := range 10 { // around the end
		for !r.Push(record(3000 + n)) {
			r.Drop(1)
		}
	}
	want := r.Peek(nil, 100)
	next, err := handed(t, r)
	if err != nil {
		t.Fatal(err)
	}
	if got := next.Peek(nil, 100); !slices.EqualFunc(got, want, bytes.Equal) || next.Len() != r.Len() || next.Bytes() != r.Bytes() {
		t.Errorf("the successor has %d records, want %d", len(got), len(want))
	}
}

func TestADamagedRingIsNotAdopted(t *testing.T) {
	for name, spoil := range map[string]int64{"no ring": 0, "another size": 8, "a head behind the tail": 16, "a length beyond the end": 4096} {
		t.Run(name, func(t *testing.T) {
			r := made(t, 16<<10)
			r.Push(record(1000))
			if _, err := r.File().WriteAt([]byte{0xf0, 0xff, 0xff, 0x7f}, spoil); err != nil {
				t.Fatal(err)
			}
			if _, err := handed(t, r); err == nil {
				t.Error("it was adopted")
			}
		})
	}
}

func TestAnEmptyRingGivesItsMemoryBack(t *testing.T) {
	r := made(t, 32<<20)
	blocks := func() int64 {
		var st unix.Stat_t
		if err := unix.Fstat(int(r.File().Fd()), &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	for r.Push(make([]byte, 8192)) {
	}
	full := blocks()
	r.Drop(r.Len())
	if now := blocks(); full < 32<<20 || now > 1<<20 {
		t.Errorf("it takes %d bytes full and %d empty", full, now)
	}
	if body := []byte("again"); !r.Push(body) || !bytes.Equal(r.Peek(nil, 1)[0], body) {
		t.Error("it cannot be used again")
	}
}
