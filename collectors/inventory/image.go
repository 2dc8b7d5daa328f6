package inventory

import "time"

// An Image is one image in the Engine's store.
type Image struct {
	ID      string    // an algorithm, a colon and 64 digits: "sha256:…"
	Tags    []string  // repository:tag, as the Engine shortens it; none for a dangling image
	Digests []string  // repository@sha256:…
	Created time.Time // when it was built, wherever that was: it says nothing about this host
	Size    int64     // bytes of all its layers, shared ones included
	Labels  map[string]string
	Layers  []Layer // base first; none if nobody knows
}

// ShortImageID returns the first 12 digits of an image's ID.
func ShortImageID(id string) string {
	for i := range len(id) {
		if id[i] == ':' {
			id = id[i+1:]
			break
		}
	}
	return ID(id).Short()
}

// Names are the references of the image, tags first.
func (i Image) Names() []string {
	return append(append(make([]string, 0, len(i.Tags)+len(i.Digests)), i.Tags...), i.Digests...)
}

// A Layer is what one step of an image's build added. Two images share it if
// its Chain is the same: the digest of it and all that is below it.
type Layer struct {
	Chain string
	Size  int64 // bytes of its files
}

// A Volume is one volume of the Engine's local driver or of a plugin.
type Volume struct {
	Name      string
	Driver    string
	Anonymous bool // the Engine made up its name
	Options   int  // how many options its driver was given
	Created   time.Time
}

// A Cached is one record of the Engine's build cache: what one step of a build
// left for the next.
type Cached struct {
	ID          string // 25 letters and digits that the Engine made up
	Parents     []string
	Type        string // "regular", "source.local", "internal" …
	Description string // in the builder's words
	InUse       bool   // by a build that runs
	Shared      bool   // its files are an image's too
	Size        int64  // bytes of its own
	Used        time.Time
}

// Wanted says what a [Store] has beside images and containers.
type Wanted struct {
	Volumes bool
	Ended   bool // when stopped containers ended that ECS does not own
	Cached  bool // the build cache; before API 1.42 the Engine walks all volumes for it
}

// A Store is one complete answer about all that takes space in Docker's data
// root: the containers were listed after the images, so who was created from
// one of them in between is among them.
type Store struct {
	Listing
	Images  []Image // sorted by ID
	Volumes []Volume
	Cached  []Cached // sorted by ID
	Unread  string   // why the build cache could not be listed; the rest is complete all the same
}
