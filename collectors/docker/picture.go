package docker

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A picture is what the loop knows: the last listing, and what inspects have
// added. It outlives connections and belongs to the loop alone.
type picture struct {
	engine     inventory.Engine
	taken      time.Time
	listed     []inventory.Container // facts of the list only, sorted by ID
	details    map[inventory.ID]*known
	synced     bool
	blind      string
	blindSince time.Time
	logFolder  func(service string, mounts []inventory.Mount, id inventory.ID) string
}

// known is what is known of one container by inspect. The three counters say
// which version of the container is meant: every sign of a change wants a new
// one, inspects are asked for the newest, and have is what they brought.
type known struct {
	detail            detail
	look              string // of the container in the newest list
	want, asked, have uint64
}

// list puts a new listing in the place of the old one, and finds the containers
// whose details it makes stale.
func (p *picture) list(taken time.Time, all []inventory.Container) {
	p.taken, p.listed = taken, all
	details := make(map[inventory.ID]*known, len(all))
	for _, c := range all {
		k, look := p.details[c.ID], lookOf(c)
		switch {
		case k == nil:
			k = &known{want: 1}
		case k.look != look:
			k.want++
		}
		k.look = look
		details[c.ID] = k
	}
	p.details = details
}

// merged is the newest list with what a later one says of some of its
// containers. One of them that the later list does not name is gone.
func (p *picture) merged(asked map[inventory.ID]bool, now []inventory.Container) []inventory.Container {
	all := make([]inventory.Container, 0, len(p.listed)+len(now))
	for _, c := range p.listed {
		if !asked[c.ID] {
			all = append(all, c)
		}
	}
	for _, c := range now {
		if asked[c.ID] {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b inventory.Container) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// lookOf is what lists and inspects both tell of a container and Docker changes
// over its life.
func lookOf(c inventory.Container) string { return fmt.Sprint(c.State, c.Health, c.Addresses) }

// stale marks a container as possibly changed.
func (p *picture) stale(id inventory.ID) {
	if k := p.details[id]; k != nil {
		k.want++
	}
}

// allStale marks every container as possibly changed.
func (p *picture) allStale() {
	for _, k := range p.details {
		k.want++
	}
}

// wanting calls ask for every container whose newest version has not been
// asked for.
func (p *picture) wanting(ask func(id inventory.ID, version uint64)) {
	for _, c := range p.listed {
		if k := p.details[c.ID]; k.asked < k.want {
			k.asked = k.want
			ask(c.ID, k.want)
		}
	}
}

// missing reports whether a container that has been asked about waits for its
// answer.
func (p *picture) missing() bool {
	for _, k := range p.details {
		if k.have < k.asked {
			return true
		}
	}
	return false
}

// add puts the answer of an inspect into the picture. It reports whether that
// was news, and whether the answer contradicts the list: the container is gone,
// or looks different. Docker tells of some changes (the end of a container, a
// pause) before its list shows them, but an inspect waits until they are
// complete. After an error the container is asked about again with the next
// listing.
func (p *picture) add(r inspected) (changed, contradicts bool) {
	k := p.details[r.id]
	gone := isNotFound(r.err)
	if k == nil || r.version <= k.have {
		return false, false
	}
	if r.err != nil && !gone {
		k.asked = k.have
		return false, false
	}
	changed = k.have == 0 || !reflect.DeepEqual(k.detail, r.detail)
	k.detail, k.have = r.detail, r.version
	return changed, gone || k.look != r.detail.look
}

// containers are the listed ones with their details.
func (p *picture) containers() []inventory.Container {
	all := slices.Clone(p.listed)
	for i := range all {
		c := &all[i]
		if k := p.details[c.ID]; k.have > 0 {
			k.detail.addTo(c)
		}
		if p.logFolder != nil {
			c.LogFolder = p.logFolder(c.Service, c.Mounts, c.ID)
		}
	}
	return all
}

// snapshot is the picture for the inventory.
func (p *picture) snapshot() inventory.Snapshot {
	return inventory.Snapshot{
		At: p.taken, Synced: p.synced, Blind: p.blind, BlindSince: p.blindSince,
		Engine: p.engine, Containers: p.containers(),
	}
}
