package images_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// A memory does, without a disk, what the Docker Engine does with images: a name
// leads to one image; with its last name an image goes, unless a container of
// whatever state is made from it; with the last tag of a repository go the
// digests of it.
type memory struct {
	mu         sync.Mutex // held over each call; by a test that changes something while a daemon runs
	now        time.Time
	images     []inventory.Image
	containers []inventory.Container
	volumes    []inventory.Volume
	cached     []inventory.Cached
	creations  uint64
	derives    bool // lists a digest made of each name, as the containerd image store does

	calls  []string
	before hook
	after  hook
	dead   bool // the daemon that asks was killed: no call has an effect
}

var (
	errDead     = errors.New("killed")
	errConflict = errors.New("conflict: unable to delete: image is being used by container")
)

// call makes one call between its hooks.
func (e *memory) call(ctx context.Context, name string, do func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, name)
	if e.before != nil && !e.dead {
		if err := e.before(ctx, name); err != nil {
			return err
		}
	}
	if e.dead {
		return errDead
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := do()
	if e.after != nil && err == nil {
		err = e.after(ctx, name)
	}
	return err
}

func (e *memory) image(ref string) *inventory.Image {
	i := slices.IndexFunc(e.images, func(i inventory.Image) bool { return i.ID == ref || slices.Contains(i.Names(), ref) })
	if i < 0 {
		return nil
	}
	return &e.images[i]
}

// run makes a container, as docker run does: by a name that may have to be
// pulled, or by an image's ID. It reports whether there was such an image.
func (e *memory) run(n int, ref string) bool {
	i := e.image(ref)
	if i == nil {
		return false
	}
	e.creations++
	e.containers = append(e.containers, inventory.Container{
		ID: containerID(n), Image: ref, ImageID: i.ID, Service: "orders", State: inventory.Running, Created: e.now,
	})
	return true
}

// tag gives a name to an image, whoever had it before.
func (e *memory) tag(id, name string) {
	for n := range e.images {
		e.images[n].Tags = slices.DeleteFunc(slices.Clone(e.images[n].Tags), func(tag string) bool { return tag == name })
	}
	if i := e.image(id); i != nil {
		i.Tags = append(i.Tags, name)
	}
}

func (e *memory) listing() inventory.Listing {
	return inventory.Listing{Containers: slices.Clone(e.containers), Taken: e.now, Engine: inventory.Engine{RootDir: "/var/lib/docker", Driver: "overlay2"}}
}

// Store implements [images.Lister].
func (e *memory) Store(ctx context.Context, want inventory.Wanted) (s inventory.Store, err error) {
	err = e.call(ctx, "store", func() error {
		s = inventory.Store{Listing: e.listing(), Volumes: slices.Clone(e.volumes)}
		if want.Cached {
			s.Cached = slices.Clone(e.cached)
		}
		for _, i := range e.images {
			i.Tags, i.Digests = slices.Clone(i.Tags), slices.Clone(i.Digests)
			for _, tag := range i.Tags {
				if digest := usage.Repository(tag) + "@" + i.ID; e.derives && !slices.Contains(i.Digests, digest) {
					i.Digests = append(i.Digests, digest)
				}
			}
			s.Images = append(s.Images, i)
		}
		slices.SortFunc(s.Images, func(a, b inventory.Image) int { return strings.Compare(a.ID, b.ID) })
		return nil
	})
	return s, err
}

// List implements [images.Lister].
func (e *memory) List(ctx context.Context) (l inventory.Listing, err error) {
	err = e.call(ctx, "list", func() error { l = e.listing(); return nil })
	return l, err
}

// RemoveName implements [images.Remover].
func (e *memory) RemoveName(ctx context.Context, name string) (deleted bool, err error) {
	err = e.call(ctx, "remove "+name, func() error {
		i := e.image(name)
		if i == nil {
			return fmt.Errorf("No such image: %s", name)
		}
		used := slices.ContainsFunc(e.containers, func(c inventory.Container) bool { return c.ImageID == i.ID })
		if len(i.Names()) <= 1 || name == i.ID {
			if used {
				return errConflict
			}
			id := i.ID
			e.images = slices.DeleteFunc(e.images, func(i inventory.Image) bool { return i.ID == id })
			deleted = true
			return nil
		}
		other := func(n string) bool { return n != name }
		i.Tags, i.Digests = kept(i.Tags, other), kept(i.Digests, other)
		repository := usage.Repository(name)
		if !slices.ContainsFunc(i.Tags, func(tag string) bool { return usage.Repository(tag) == repository }) {
			i.Digests = kept(i.Digests, func(d string) bool { return usage.Repository(d) != repository })
		}
		return nil
	})
	return deleted, err
}

func kept(names []string, keep func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !keep(name) })
}

// AddName implements [images.Remover].
func (e *memory) AddName(ctx context.Context, id, name string) error {
	return e.call(ctx, "add "+name, func() error {
		if e.image(id) == nil {
			return fmt.Errorf("No such image: %s", id)
		}
		e.tag(id, name)
		return nil
	})
}

// RemoveContainer implements [images.Remover].
func (e *memory) RemoveContainer(ctx context.Context, id inventory.ID) error {
	return e.call(ctx, "remove container", func() error {
		i := slices.IndexFunc(e.containers, func(c inventory.Container) bool { return c.ID == id })
		if i < 0 || e.containers[i].State.Up() {
			return errors.New("conflict: the container is running")
		}
		e.containers = slices.Delete(e.containers, i, i+1)
		return nil
	})
}

// RemoveVolume implements [images.Remover].
func (e *memory) RemoveVolume(ctx context.Context, name string) error {
	return e.call(ctx, "remove volume", func() error {
		for _, c := range e.containers {
			if slices.ContainsFunc(c.Mounts, func(m inventory.Mount) bool { return m.Volume == name }) {
				return errors.New("conflict: the volume is in use")
			}
		}
		e.volumes = slices.DeleteFunc(e.volumes, func(v inventory.Volume) bool { return v.Name == name })
		return nil
	})
}

// RemoveCached implements [images.Remover]. Like the Engine it keeps what is in
// use, shared, built on, or used not long enough ago.
func (e *memory) RemoveCached(ctx context.Context, id string, unused time.Duration) error {
	return e.call(ctx, "remove cached "+id, func() error {
		for _, k := range e.cached {
			if slices.Contains(k.Parents, id) || k.ID == id && (k.InUse || k.Shared || e.now.Sub(k.Used) < unused) {
				return errConflict
			}
		}
		e.cached = slices.DeleteFunc(e.cached, func(k inventory.Cached) bool { return k.ID == id })
		return nil
	})
}
