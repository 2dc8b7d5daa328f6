package simulate

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Kind is what an event tells.
type Kind string

// The kinds.
const (
	Built   Kind = "built"   // an image is in the registry from now on
	Started Kind = "started" // a container; its image is pulled first if it is not here
	Stopped Kind = "stopped" // a container, which is removed at once
)

// An Event is one thing that happened, to the host or to the registry.
type Event struct {
	At        time.Time         `json:"at"`
	Kind      Kind              `json:"kind"`
	Image     string            `json:"image,omitempty"`     // repository:tag, which never means another image
	Layers    []inventory.Layer `json:"layers,omitempty"`    // of one that was built, base first
	Container string            `json:"container,omitempty"` // its name, unique in the trace
	Service   string            `json:"service,omitempty"`   // of one that was started
}

// Write writes a trace, one event of JSON to a line.
func Write(w io.Writer, trace []Event) error {
	out := json.NewEncoder(w)
	for n := range trace {
		if err := out.Encode(&trace[n]); err != nil {
			return fmt.Errorf("write trace: %w", err)
		}
	}
	return nil
}

// Read reads a trace and checks it: the first event that cannot be is an error
// that names its line.
func Read(r io.Reader) ([]Event, error) {
	var trace []Event
	c := checker{images: map[string]bool{}, running: map[string]bool{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var e Event
		err := json.Unmarshal(lines.Bytes(), &e)
		if err == nil {
			err = c.check(e)
		}
		if err != nil {
			return nil, fmt.Errorf("read trace: line %d: %w", n, err)
		}
		trace = append(trace, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read trace: %w", err)
	}
	return trace, nil
}

// A checker knows what has happened so far.
type checker struct {
	at      time.Time
	images  map[string]bool
	running map[string]bool
}

func (c *checker) check(e Event) error {
	switch {
	case e.At.Before(c.at):
		return fmt.Errorf("it is at %s, before the event above it", e.At.Format(time.RFC3339))
	case e.Image == "" && e.Kind != Stopped:
		return errors.New("it names no image")
	case e.Kind == Built && len(e.Layers) == 0:
		return fmt.Errorf("image %s has no layers", e.Image)
	case e.Kind == Built && c.images[e.Image]:
		return fmt.Errorf("image %s was built before", e.Image)
	case e.Kind == Started && !c.images[e.Image]:
		return fmt.Errorf("image %s was not built", e.Image)
	case e.Kind == Started && (e.Container == "" || c.running[e.Container]):
		return fmt.Errorf("container %q was started before", e.Container)
	case e.Kind == Stopped && !c.running[e.Container]:
		return fmt.Errorf("container %q is not running", e.Container)
	case e.Kind != Built && e.Kind != Started && e.Kind != Stopped:
		return fmt.Errorf("nothing is called %q: it is built, started or stopped", e.Kind)
	}
	c.at = e.At
	c.images[e.Image] = true
	c.running[e.Container] = e.Kind == Started
	return nil
}

// idOf is the image's ID, made up from its name.
func idOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}
