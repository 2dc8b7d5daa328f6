package tombstone

import (
	"errors"
	"fmt"
	"strconv"
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
}

// What a call can be refused for.
var (
	ErrSwapped     = errors.New("is not the folder that was planned")
	ErrOccupied    = errors.New("another folder has taken its place")
	ErrParentGone  = errors.New("the folder it was in is gone")
	ErrUnconfirmed = errors.New("has not been confirmed")
	ErrPurging     = errors.New("is partly deleted")
	ErrUnknown     = errors.New("is not in the yard")
	ErrLocked      = errors.New("another berth process has this root")
	ErrBusy        = errors.New("somebody keeps writing into it")
)

// stoneName makes a name that sorts by time and tells a person what it is.
func stoneName(f Folder, plan string, at time.Time, n int) string {
	service := strings.Map(plain, f.Service)
	return fmt.Sprintf("%019d-%s-%s-%s-%s", at.UnixNano(), strconv.Itoa(n),
		plan[:min(len(plan), 12)], service[:min(len(service), 64)], f.Container[:min(len(f.Container), nameDigits)])
}

const nameDigits = 64

func plain(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
		return r
	}
	return '_'
}

// split parts a relative path into the folder above and the last name.
func split(rel string) (parent, name string) {
	if i := strings.LastIndexByte(rel, '/'); i >= 0 {
		return rel[:i], rel[i+1:]
	}
	return "", rel
}
