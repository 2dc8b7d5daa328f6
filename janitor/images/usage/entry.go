package usage

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// An Entry is what is known of one image.
type Entry struct {
	ID       string         `json:"id"`
	Names    []string       `json:"names,omitempty"` // its references when it was last listed with any
	Size     int64          `json:"size,omitempty"`  // bytes, shared layers included
	Seen     time.Time      `json:"seen"`            // first
	Pulled   time.Time      `json:"pulled,omitzero"` // last; zero: no pull was seen
	Pull     time.Duration  `json:"pull,omitempty"`  // how long that took; 0: not known
	Used     time.Time      `json:"used,omitzero"`   // the newest moment at which a container of it is known to have existed
	InUse    bool           `json:"in_use,omitempty"`
	Uses     int            `json:"uses,omitempty"`     // containers made from it
	Starts   []time.Time    `json:"starts,omitempty"`   // when the last of them were made, newest last
	Services map[string]int `json:"services,omitempty"` // containers by service
	Gone     time.Time      `json:"gone,omitzero"`      // when a listing first lacked it; zero: it is here
}

// Bounds of what an entry remembers.
const (
	maxStarts   = 8
	maxServices = 16
)

// Came is when the image last came to this host, as far as anybody knows.
func (e Entry) Came() time.Time {
	if e.Pulled.After(e.Seen) {
		return e.Pulled
	}
	return e.Seen
}

// note takes in that a container was made from the image.
func (e *Entry) note(service string, at time.Time) {
	e.Uses++
	e.Starts = append(slices.Clone(e.Starts), at)
	e.Starts = e.Starts[max(0, len(e.Starts)-maxStarts):]
	e.Services = maps.Clone(e.Services)
	if e.Services == nil {
		e.Services = map[string]int{}
	}
	if _, ok := e.Services[service]; ok || len(e.Services) < maxServices {
		e.Services[service]++
	}
}

// A Family is an ECS task family without its revision, or a service outside
// ECS.
type Family struct {
	Name string    `json:"name"`
	Refs []string  `json:"refs"` // images that its containers name
	Ran  time.Time `json:"ran"`  // the newest moment at which a container of it is known to have existed
}

// A Mounted is what is known of one volume.
type Mounted struct {
	Name string    `json:"name"`
	Seen time.Time `json:"seen"`          // first
	Used time.Time `json:"used,omitzero"` // the newest moment at which a container is known to have mounted it
}

// A View is what a ledger knows at one moment. It is shared and never changed.
type View struct {
	Images   map[string]Entry
	Families map[string]Family
	Volumes  map[string]Mounted
}

// Repository is an image's name without tag and digest.
func Repository(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return name
}
