package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Remover is the one way in which Berth changes what the Engine has: see
// [Removals]. It asks for one thing at a time and never uses force, so the
// Engine refuses whatever a container needs.
type Remover struct{ client *Client }

// Remover returns a remover for the same Engine.
func (c *Client) Remover() (*Remover, error) {
	r, err := dial(c.socket, Removals())
	if err != nil {
		return nil, err
	}
	r.Timeout = removeTimeouts * c.timeout()
	return &Remover{r}, nil
}

// removeTimeouts is how many times as long as to an answer a removal may take:
// the Engine deletes the files before it answers.
const removeTimeouts = 24

// What a removal can be refused for.
var (
	ErrInUse   = errors.New("the Engine says that it is in use")
	ErrUnknown = errors.New("the Engine does not know it")
)

// CloseIdle closes connections that no call is using.
func (r *Remover) CloseIdle() { r.client.CloseIdle() }

// RemoveName takes one name from an image, and reports whether that was its
// last and the image is deleted.
func (r *Remover) RemoveName(ctx context.Context, name string) (deleted bool, err error) {
	err = r.call(ctx, fmt.Sprintf("remove name %q", name), func(ctx context.Context, api *client.Client) error {
		answer, err := api.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true})
		for _, a := range answer {
			deleted = deleted || a.Deleted != ""
		}
		return err
	})
	return deleted, err
}

// AddName gives an image, by its whole ID, one name more: repository:tag.
func (r *Remover) AddName(ctx context.Context, id, name string) error {
	return r.call(ctx, fmt.Sprintf("give image %s the name %q", inventory.ShortImageID(id), name), func(ctx context.Context, api *client.Client) error {
		return api.ImageTag(ctx, id, name)
	})
}

// RemoveContainer removes a stopped container, and none of its volumes.
func (r *Remover) RemoveContainer(ctx context.Context, id inventory.ID) error {
	return r.call(ctx, "remove container "+id.Short(), func(ctx context.Context, api *client.Client) error {
		return api.ContainerRemove(ctx, string(id), container.RemoveOptions{})
	})
}

// RemoveVolume removes a volume that no container refers to.
func (r *Remover) RemoveVolume(ctx context.Context, name string) error {
	return r.call(ctx, fmt.Sprintf("remove volume %q", name), func(ctx context.Context, api *client.Client) error {
		return api.VolumeRemove(ctx, name, false)
	})
}

func (r *Remover) call(ctx context.Context, what string, f func(context.Context, *client.Client) error) error {
	err := r.client.call(ctx, what, f)
	switch {
	case err == nil:
		return nil
	case isConflict(err):
		return fmt.Errorf("%w: %s", ErrInUse, plain(err))
	case isNotFound(err):
		return fmt.Errorf("%w: %s", ErrUnknown, plain(err))
	}
	return err
}

func isConflict(err error) bool {
	var e interface{ Conflict() }
	return errors.As(err, &e)
}

func plain(err error) string { return strings.TrimSpace(err.Error()) }
