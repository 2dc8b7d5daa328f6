package images

import (
	"slices"

	"github.com/berth-dev/berth/collectors/inventory"
)

// cached decides about the build cache. A record that others are built on can go
// only after them: what goes comes in that order.
func (j *judge) cached() []Decision {
	if j.facts.Store.Unread != "" {
		d := Decision{Kind: Cached, ID: "unknown"}
		d.keep(CodeBlind, "it could not be listed: %s", j.facts.Store.Unread)
		return []Decision{d}
	}
	records, decided := map[string]inventory.Cached{}, map[string]*Decision{}
	for _, k := range j.facts.Store.Cached {
		d := j.record(k)
		records[k.ID], decided[k.ID] = k, &d
	}
	var all []Decision
	for _, k := range j.facts.Store.Cached {
		if d := decided[k.ID]; d.Verdict == Keep && d.Code != CodeParent {
			keepBelow(k, records, decided)
		}
	}
	for _, k := range j.facts.Store.Cached {
		all = append(all, *decided[k.ID])
	}
	return childrenFirst(all, records)
}

// record decides about one as if no other were built on it.
func (j *judge) record(k inventory.Cached) Decision {
	d := Decision{Kind: Cached, ID: k.ID, Size: k.Size, Used: k.Used}
	switch until := k.Used.Add(j.policy.Cached); {
	case j.policy.Cached <= 0:
		d.keep(CodeOff, "build_cache.unused is off")
	case k.InUse:
		d.keep(CodeInUse, "a build uses it")
	case j.blind(&d):
	case k.Shared:
		d.keep(CodeShared, "an image has the files of %q too", k.Description)
	case k.Type == "internal" || k.Type == "frontend":
		d.keep(CodeEngine, "the Engine keeps what is %s for itself", k.Type)
	case j.now.Before(until):
		d.keepUntil(until, CodeUsed, "%q was last used at %s", k.Description, clock(k.Used))
	default:
		d.remove(CodeUnused, "%q was last used at %s", k.Description, clock(k.Used))
		d.Bytes = k.Size
	}
	return d
}

// keepBelow keeps all that a record which stays is built on.
func keepBelow(k inventory.Cached, records map[string]inventory.Cached, decided map[string]*Decision) {
	for _, id := range k.Parents {
		if d := decided[id]; d != nil && d.Verdict == Remove {
			d.keep(CodeParent, "record %s, which stays, is built on it", k.ID)
			d.Bytes = 0
			keepBelow(records[id], records, decided)
		}
	}
}

// childrenFirst sorts decisions so that none comes before one whose record is
// built on it.
func childrenFirst(all []Decision, records map[string]inventory.Cached) []Decision {
	of := map[string]Decision{}
	for _, d := range all {
		of[d.ID] = d
	}
	var sorted []Decision
	var place func(id string)
	place = func(id string) {
		d, open := of[id]
		if !open {
			return
		}
		delete(of, id)
		for _, parent := range slices.Sorted(slices.Values(records[id].Parents)) {
			place(parent)
		}
		sorted = append(sorted, d)
	}
	for _, d := range all {
		place(d.ID)
	}
	slices.Reverse(sorted)
	return sorted
}

// isCachedID reports whether an operator may mean a record of the build cache.
func isCachedID(object string) bool {
	return len(object) == 25 && !slices.ContainsFunc([]byte(object), func(b byte) bool { return (b < '0' || b > '9') && (b < 'a' || b > 'z') })
}
