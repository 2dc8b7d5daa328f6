package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// How long a pull takes: what it is to bring, and a second to agree on that.
const (
	pullRate  = 50e6 // bytes a second, unpacked
	handshake = time.Second
)

// A host is what the trace has made of one host so far.
type host struct {
	now        time.Time
	registry   map[string]inventory.Image     // by name
	here       map[string]*stored             // by ID
	holders    map[string]int                 // images here that have a layer, by chain
	bytes      int64                          // of all layers here
	containers map[string]inventory.Container // by name in the trace
	everHere   map[string]bool                // by ID
}

// A stored image is one that is here.
type stored struct {
	inventory.Image
	pulled time.Time
	used   time.Time // when a container of it was last started or stopped
	users  int
}

func newHost() *host {
	return &host{
		registry: map[string]inventory.Image{}, here: map[string]*stored{}, holders: map[string]int{},
		containers: map[string]inventory.Container{}, everHere: map[string]bool{},
	}
}

func (h *host) built(e Event) {
	i := inventory.Image{ID: idOf(e.Image), Tags: []string{e.Image}, Created: e.At, Layers: e.Layers}
	for _, l := range e.Layers {
		i.Size += l.Size
	}
	h.registry[e.Image] = i
}

// pull brings an image here if it is not, and returns how long that took.
func (h *host) pull(name string) (took time.Duration) {
	i := h.registry[name]
	if h.here[i.ID] != nil {
		return 0
	}
	var missing int64
	for _, l := range i.Layers {
		if h.holders[l.Chain]++; h.holders[l.Chain] == 1 {
			missing += l.Size
		}
	}
	h.bytes += missing
	h.here[i.ID] = &stored{Image: i, pulled: h.now, used: h.now}
	h.everHere[i.ID] = true
	return handshake + time.Duration(float64(missing)/pullRate*float64(time.Second))
}

// remove takes an image that nobody uses away.
func (h *host) remove(id string) {
	for _, l := range h.here[id].Layers {
		if h.holders[l.Chain]--; h.holders[l.Chain] == 0 {
			h.bytes -= l.Size
		}
	}
	delete(h.here, id)
}

func (h *host) start(e Event) {
	id := idOf(e.Image)
	sum := sha256.Sum256([]byte(e.Container))
	h.containers[e.Container] = inventory.Container{
		ID: inventory.ID(hex.EncodeToString(sum[:])), Image: e.Image, ImageID: id, Service: e.Service, Family: e.Service + ":1",
		State: inventory.Running, Created: h.now, Started: h.now,
	}
	h.here[id].used = h.now
	h.here[id].users++
}

func (h *host) stop(e Event) {
	i := h.here[h.containers[e.Container].ImageID]
	i.used = h.now
	i.users--
	delete(h.containers, e.Container)
}

// store is what Docker would answer.
func (h *host) store() inventory.Store {
	s := inventory.Store{Listing: inventory.Listing{Taken: h.now, Containers: h.running()}}
	for _, i := range h.here {
		s.Images = append(s.Images, i.Image)
	}
	slices.SortFunc(s.Images, func(a, b inventory.Image) int { return strings.Compare(a.ID, b.ID) })
	return s
}

func (h *host) running() []inventory.Container { return slices.Collect(maps.Values(h.containers)) }

// unused are the images that no container uses, least recently used first.
func (h *host) unused() []*stored {
	all := slices.DeleteFunc(slices.Collect(maps.Values(h.here)), func(i *stored) bool { return i.users > 0 })
	slices.SortFunc(all, func(a, b *stored) int {
		if c := a.used.Compare(b.used); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}
