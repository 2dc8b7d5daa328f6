package api

import "time"

// Images is the state of the image janitor.
type Images struct {
	Images int    `json:"images"`      // in Docker's store when it was last looked at
	Unused int    `json:"unused"`      // what the next sweep would remove, stopped containers, volumes and build cache included
	Frees  int64  `json:"frees_bytes"` // what that would set free
	Blind  string `json:"blind"`       // why nothing may be removed now; empty if it may
	Lost   uint64 `json:"lost"`        // images removed while a container was made from them
}

// Object is one image, container, volume or record of the build cache in
// Docker's store, and what the janitor thinks of it.
type Object struct {
	Kind     string         `json:"kind"` // image, container, volume, build-cache
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Names    []string       `json:"names"`          // an image's references or a container's names
	Verdict  string         `json:"verdict"`        // keep, remove; gone for an image that is only remembered
	Code     string         `json:"code"`           // the reason as a word, stable
	Reason   string         `json:"reason"`         // the reason as a sentence
	Bytes    int64          `json:"bytes"`          // that become free, after what the plan removes before it
	Size     int64          `json:"size"`           // of all of it, what it shares with others included
	Came     time.Time      `json:"came,omitzero"`  // to this host: pulled, or first seen
	Used     time.Time      `json:"used,omitzero"`  // last; zero: never
	Until    time.Time      `json:"until,omitzero"` // when the verdict may change; zero: unknown
	Pull     time.Duration  `json:"pull_ns"`        // how long its pull took; 0: not known
	Uses     int            `json:"uses"`           // containers made from it here
	Services map[string]int `json:"services"`       // the same by service
	Worth    float64        `json:"worth"`          // seconds of pulling that keeping it is expected to save within a day
}

// ImagePlan is what a sweep of the images would do now, and how it prints.
type ImagePlan struct {
	Hash    string   `json:"hash"`
	Blind   string   `json:"blind"` // why nothing may be removed now; empty if it may
	Text    string   `json:"text"`  // the plan's own bytes: what Hash is taken over
	Objects []Object `json:"objects"`
	Remove  int      `json:"remove"`
	Keep    int      `json:"keep"`
	Need    int64    `json:"need_bytes"` // that the disk wants free; 0: whatever may go goes
	Bytes   int64    `json:"bytes"`      // that all removals together set free
}

// ImageSweepRequest asks for a sweep of the images.
type ImageSweepRequest struct {
	Plan     string `json:"plan"`      // apply only what the plan with this hash names; empty: what is planned now
	DryRun   bool   `json:"dry_run"`   // plan only
	UntilLow bool   `json:"until_low"` // remove no more than it takes to bring the disk below disk.low
}

// ImageSweepReport is what a sweep of the images did.
type ImageSweepReport struct {
	Plan      ImagePlan     `json:"plan"`
	DryRun    bool          `json:"dry_run"`
	Removed   []Object      `json:"removed"`
	Refused   []Object      `json:"refused"` // planned, and kept after all
	Lost      []Object      `json:"lost"`    // removed while a container was made from it: must be empty
	Predicted int64         `json:"predicted_bytes"`
	Freed     int64         `json:"freed_bytes"` // that the file system has more than before
	Duration  time.Duration `json:"duration_ns"`
	Fault     string        `json:"fault"` // what went wrong beside what was done; empty: nothing
}
