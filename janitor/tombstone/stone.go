package tombstone

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berth-dev/berth/janitor/beneath"
)

// A Folder is what is to be buried, as it was when that was decided.
type Folder struct {
	Rel       string // path below the root
	Service   string
	Container string // the folder's name: 12 or 64 digits of the container's ID
	Identity  beneath.Identity
	Bytes     int64 // on disk; -1: not measured
	Files     int64 // -1: not measured
}

// A Stone is a folder in the yard.
type Stone struct {
	Name      string           `json:"name"` // in the yard; sorts by time
	Rel       string           `json:"rel"`  // where it was, below the root
	Service   string           `json:"service"`
	Container string           `json:"container"`
	Plan      string           `json:"plan"` // hash of the plan that named it
	Identity  beneath.Identity `json:"identity"`
	Buried    time.Time        `json:"buried"`
	Bytes     int64            `json:"bytes"`
	Files     int64            `json:"files"`
	Confirmed bool             `json:"-"` // the second look agreed; it may be purged
	Purging   bool             `json:"-"` // some of it is gone; it cannot be restored
	Orphan    string           `json:"-"` // why it is neither purged nor restored by itself; empty: it is not an orphan
	Fault     string           `json:"-"` // why the last purge left some of it; empty: it did not, or there was none
}

// What a call can be refused for.
var (
	ErrSwapped     = errors.New("is not the folder that was planned")
	ErrOccupied    = errors.New("another folder has taken its place")
	ErrParentGone  = errors.New("the folder it was in is gone")
	ErrUnconfirmed = errors.New("has not been confirmed")
	ErrPurging     = errors.New("is being deleted, or partly deleted")
	ErrUnknown     = errors.New("is not in the yard")
	ErrLocked      = errors.New("another berth process has this root")
	ErrBusy        = errors.New("somebody keeps writing into it")
	ErrUnfinished  = errors.New("there is more than one call deletes; the next goes on")
	ErrUnsynced    = errors.New("is back, but a loss of power may undo that")
	ErrClosed      = errors.New("the yard is closed")
)

// stoneName makes a name that sorts by time and tells a person what it is:
// Unix time in nanoseconds, a number for those of one moment, the plan, the
// service and the container.
func stoneName(f Folder, plan string, at time.Time, n int) string {
	return fmt.Sprintf("%019d-%03d-%s-%s-%s", at.UnixNano(), n,
		plain(plan, 12), plain(f.Service, 64), plain(f.Container, 64))
}

// isStoneName reports whether a name can be one that stoneName made.
func isStoneName(s string) bool { return beneath.IsName(s) && !strings.Contains(s, partMark) }

// plain is the beginning of s in letters that need no quoting anywhere.
func plain(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), n)]
}

// partMark ends the stone's name in the name of a part of it that lay too deep
// to be deleted where it was.
const partMark = "~"

func partName(stone string, n int) string { return fmt.Sprintf("%s%s%d", stone, partMark, n) }

// partOf returns the stone that a name in the yard is a part of.
func partOf(name string) (stone string, ok bool) {
	stone, _, ok = strings.Cut(name, partMark)
	return stone, ok
}

// split parts a relative path into the folder above and the last name.
func split(rel string) (parent, name string) {
	if i := strings.LastIndexByte(rel, '/'); i >= 0 {
		return rel[:i], rel[i+1:]
	}
	return "", rel
}
