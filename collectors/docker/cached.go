package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"github.com/berth-dev/berth/collectors/inventory"
)

// cachedID is the form of the ID of a record of the build cache.
var cachedID = regexp.MustCompile(`^[0-9a-z]{25}$`)

// listCached lists the build cache. From API 1.42 on the Engine is asked for
// that alone; before, it also walks every volume and every container's own layer,
// which the deadline of a call ends where it takes too long.
func (c *Client) listCached(ctx context.Context) (all []inventory.Cached, err error) {
	err = c.call(ctx, "list the build cache", func(ctx context.Context, api *client.Client) error {
		usage, err := api.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.BuildCacheObject}})
		if err == nil {
			all, err = fromCache(usage.BuildCache)
		}
		return err
	})
	return all, err
}

// fromCache turns the Engine's answer into records sorted by ID.
func fromCache(list []*build.CacheRecord) ([]inventory.Cached, error) {
	all := make([]inventory.Cached, 0, len(list))
	for _, r := range list {
		if r == nil || !cachedID.MatchString(r.ID) {
			return nil, errors.New("the answer holds a record without a proper ID")
		}
		k := inventory.Cached{
			ID: r.ID, Parents: slices.Clone(r.Parents), Type: r.Type, Description: r.Description,
			InUse: r.InUse, Shared: r.Shared, Size: r.Size, Used: r.CreatedAt,
		}
		if parent := r.Parent; parent != "" { //nolint:staticcheck // Engines before API 1.42 have no other
			k.Parents = append(k.Parents, parent)
		}
		if r.LastUsedAt != nil {
			k.Used = *r.LastUsedAt
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b inventory.Cached) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all[min(1, len(all)):] {
		if all[i].ID == all[i+1].ID {
			return nil, fmt.Errorf("the answer holds record %s twice", all[i].ID)
		}
	}
	return all, nil
}

// RemoveCached removes one record of the build cache that was not used for so
// long. The Engine offers no call for one, only a prune with filters: its filter
// by ID is a regular expression, so the whole ID stands between its ends. The
// Engine keeps what a build uses, what an image shares, what another record is
// built on, and, by the second filter, what was used since it was listed.
func (r *Remover) RemoveCached(ctx context.Context, id string, unused time.Duration) error {
	one := filters.NewArgs(filters.Arg("id", "^"+id+"$"), filters.Arg("until", unused.String()))
	var gone []string
	err := r.call(ctx, "remove record "+id+" of the build cache", func(ctx context.Context, api *client.Client) error {
		answer, err := api.BuildCachePrune(ctx, build.CachePruneOptions{Filters: one})
		if err == nil {
			gone = answer.CachesDeleted
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case len(gone) == 0:
		return fmt.Errorf("remove record %s of the build cache: %w", id, errKept)
	case len(gone) > 1 || gone[0] != id:
		return fmt.Errorf("remove record %s of the build cache: the Engine removed %q", id, gone)
	}
	return nil
}

// errKept is a prune that removed nothing.
var errKept = errors.New("the Engine kept it: it is in use, was used since, is built on, or was gone already")

// onlyOne reports whether a prune of the build cache names one record by its
// whole ID, and an age, and nothing else.
func onlyOne(query url.Values) bool {
	if len(query) != 1 || len(query["filters"]) != 1 {
		return false
	}
	var f map[string]map[string]bool
	text := query.Get("filters")
	if err := json.Unmarshal([]byte(text), &f); err != nil || len(f) != 2 || len(f["id"]) != 1 || len(f["until"]) != 1 {
		return false
	}
	if again, err := json.Marshal(f); err != nil || string(again) != text { // a key twice, say
		return false
	}
	for id, on := range f["id"] {
		if n := len(id); !on || n < 2 || id[0] != '^' || id[n-1] != '$' || !cachedID.MatchString(id[1:n-1]) {
			return false
		}
	}
	for age, on := range f["until"] {
		if d, err := time.ParseDuration(age); !on || err != nil || d <= 0 {
			return false
		}
	}
	return true
}
