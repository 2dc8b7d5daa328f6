package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"

	"github.com/berth-dev/berth/collectors/inventory"
)

// listTries is how often a list may be shorter than the Engine's own count
// before that is an error. Containers that come and go between the questions
// make it so for a moment.
const listTries = 3

// ErrPartial is wrapped by the error of a list that is shorter than the number
// of containers that the Engine says it has.
var ErrPartial = errors.New("the list is shorter than the Engine's own count")

// ErrEngineChanged is wrapped by the error of a list during which another
// Engine, or the same with another data root, began to answer.
var ErrEngineChanged = errors.New("another Engine began to answer")

// List asks for every container in every state (D2). The Engine tells its
// identity and its number of containers before and after; a listing that does
// not agree with them is no listing. Facts that need an inspect (limits, start,
// end, exit code) are zero.
//
// The question before is left out where the Engine was asked earlier and
// everything has gone well since: it costs the Engine more than the list, because
// it runs two programs for the answer. The identity is then that of earlier, and
// the count is the one from after alone, which is the stricter.
func (c *Client) List(ctx context.Context) (inventory.Listing, error) {
	before, earlier := c.known.Load(), true
	if before == nil {
		first, err := c.info(ctx)
		if err != nil {
			return inventory.Listing{}, err
		}
		before, earlier = &first, false
	}
	var found, expected int
	for range listTries {
		taken := time.Now()
		all, err := c.containers(ctx)
		if err != nil {
			return inventory.Listing{}, err
		}
		after, err := c.info(ctx)
		if err != nil {
			return inventory.Listing{}, err
		}
		if !before.same(after) && !earlier {
			return inventory.Listing{}, fmt.Errorf("list containers: %w: data root %s, then %s",
				ErrEngineChanged, before.engine.RootDir, after.engine.RootDir)
		}
		found, expected = len(all), after.containers
		if !earlier {
			expected = min(before.containers, expected)
		}
		if found >= expected && before.same(after) {
			c.recall(all)
			after.engine.Started = engineStarted(c.socket)
			return inventory.Listing{Taken: taken, Engine: after.engine, Containers: all}, nil
		}
		before, earlier = &after, false
	}
	return inventory.Listing{}, fmt.Errorf("list containers: %w: %d of %d", ErrPartial, found, expected)
}

// recall gives containers the image's name that they were made by, where the list
// has an ID instead because the name has moved on and an inspect has told it
// earlier; and forgets those of containers that are gone.
func (c *Client) recall(all []inventory.Container) {
	here := map[inventory.ID]bool{}
	for n := range all {
		here[all[n].ID] = true
		if name, ok := c.names.Load(all[n].ID); ok && nameless(all[n]) {
			all[n].Image = name.(string)
		}
	}
	c.names.Range(func(id, _ any) bool {
		if !here[id.(inventory.ID)] {
			c.names.Delete(id)
		}
		return true
	})
}

// nameless reports whether the list shows an image's ID instead of a name.
func nameless(k inventory.Container) bool {
	_, digits, _ := strings.Cut(k.ImageID, ":")
	shown := strings.TrimPrefix(k.Image, "sha256:")
	return len(shown) >= 12 && strings.HasPrefix(digits, shown)
}

// info is what the Engine says about itself.
type info struct {
	engine     inventory.Engine
	containers int
}

// same reports whether one Engine said both, over one data root.
func (i info) same(j info) bool {
	return i.engine.ID == j.engine.ID && i.engine.RootDir == j.engine.RootDir
}

func (c *Client) info(ctx context.Context) (i info, err error) {
	err = c.call(ctx, "ask for the Engine's identity", func(ctx context.Context, api *client.Client) error {
		r, err := api.Info(ctx)
		i = fromInfo(r, api.ClientVersion())
		if err == nil && i.engine.RootDir == "" {
			err = errors.New("the answer names no data root")
		}
		if err == nil {
			known := i
			c.known.Store(&known)
		}
		return err
	})
	return i, err
}

func fromInfo(r system.Info, version string) info {
	return info{containers: r.Containers, engine: inventory.Engine{
		ID: r.ID, RootDir: r.DockerRootDir, Version: r.ServerVersion, APIVersion: version,
		Driver: r.Driver, CPUs: r.NCPU, Memory: r.MemTotal,
	}}
}
