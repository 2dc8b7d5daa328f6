package docker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Store returns all that takes space in the Engine's data root: images first,
// then containers, so that who was created from one of the images meanwhile is
// among the containers. Who was made by a name that has moved on since has that
// name, which takes an inspect where none was made yet. The build cache comes before both, because that answer
// can be slow; without one the rest is still true.
func (c *Client) Store(ctx context.Context, want inventory.Wanted) (inventory.Store, error) {
	var s inventory.Store
	var err error
	if want.Cached {
		if s.Cached, err = c.listCached(ctx); err != nil {
			s.Unread = err.Error()
		}
	}
	if s.Images, err = c.listImages(ctx); err != nil {
		return inventory.Store{}, err
	}
	if want.Volumes {
		if s.Volumes, err = c.listVolumes(ctx); err != nil {
			return inventory.Store{}, err
		}
	}
	if s.Listing, err = c.List(ctx); err != nil {
		return inventory.Store{}, err
	}
	for n := range s.Images {
		if s.Images[n].Layers, err = c.layers(ctx, s.Images[n], s.Engine); err != nil {
			return inventory.Store{}, err
		}
	}
	for n := range s.Containers {
		k := &s.Containers[n]
		if _, asked := c.names.Load(k.ID); nameless(*k) && !asked || want.Ended && !k.ECS && !k.State.Up() {
			d, err := c.inspect(ctx, k.ID)
			if err == nil {
				d.addTo(k)
			} else if !isNotFound(err) {
				return inventory.Store{}, err
			}
		}
	}
	return s, nil
}

// imageID is the form of an image's ID.
var imageID = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (c *Client) listImages(ctx context.Context) (all []inventory.Image, err error) {
	err = c.call(ctx, "list images", func(ctx context.Context, api *client.Client) error {
		list, err := api.ImageList(ctx, image.ListOptions{})
		if err == nil {
			all, err = fromImages(list)
		}
		return err
	})
	return all, err
}

// fromImages turns the Engine's answer into images sorted by ID.
func fromImages(list []image.Summary) ([]inventory.Image, error) {
	if list == nil {
		return nil, errors.New("the answer holds no list")
	}
	all := make([]inventory.Image, 0, len(list))
	for _, s := range list {
		if !imageID.MatchString(s.ID) {
			return nil, fmt.Errorf("the answer holds a malformed ID %q", s.ID)
		}
		all = append(all, inventory.Image{
			ID: s.ID, Tags: references(s.RepoTags), Digests: digestsOf(s),
			Created: time.Unix(s.Created, 0), Size: s.Size, Labels: s.Labels,
		})
	}
	slices.SortFunc(all, func(a, b inventory.Image) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all[min(1, len(all)):] {
		if all[i].ID == all[i+1].ID {
			return nil, fmt.Errorf("the answer holds image %s twice", all[i].ID)
		}
	}
	return all, nil
}

// references are the names in a list, without those that stand for none.
func references(list []string) []string {
	var all []string
	for _, name := range list {
		if !strings.HasPrefix(name, "<none>") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// digestsOf are the digests that an image has by a repository. The containerd
// image store lists that of an image of other platforms alone: this is its ID, and
// as a name it would stand for all of the image.
func digestsOf(s image.Summary) []string {
	return slices.DeleteFunc(references(s.RepoDigests), func(name string) bool { return !strings.Contains(name, "@") })
}

// layers are those of an image. What they are does not change, and is asked
// once.
func (c *Client) layers(ctx context.Context, i inventory.Image, e inventory.Engine) ([]inventory.Layer, error) {
	key := e.ID + e.RootDir + i.ID
	if known, ok := c.images.Load(key); ok {
		return known.([]inventory.Layer), nil
	}
	var chains []string
	var history []image.HistoryResponseItem
	err := c.call(ctx, "inspect image "+inventory.ShortImageID(i.ID), func(ctx context.Context, api *client.Client) error {
		r, err := api.ImageInspect(ctx, i.ID)
		chains = chainIDs(r.RootFS.Layers)
		return err
	})
	if isNotFound(err) {
		return nil, nil // it has gone since it was listed
	}
	if err != nil {
		return nil, err
	}
	layers, ok := onDisk(e, chains)
	if !ok {
		err = c.call(ctx, "ask for the history of image "+inventory.ShortImageID(i.ID), func(ctx context.Context, api *client.Client) (err error) {
			history, err = api.ImageHistory(ctx, i.ID)
			return err
		})
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		if layers = fromHistory(chains, history); layers != nil {
			addBlobs(e, i.ID, layers)
		} else {
			layers = fromBlobs(e, i.ID, i.Size, chains)
		}
	}
	c.images.Store(key, layers)
	return layers, nil
}

// chainIDs are the names of the layers with all that is below each, as the OCI
// image specification computes them from the digests of the layers alone
// (config.md, "Layer ChainID").
func chainIDs(diffs []string) []string {
	chains := make([]string, 0, len(diffs))
	for n, diff := range diffs {
		if n == 0 {
			chains = append(chains, diff)
			continue
		}
		sum := sha256.Sum256([]byte(chains[n-1] + " " + diff))
		chains = append(chains, "sha256:"+hex.EncodeToString(sum[:]))
	}
	return chains
}

// onDisk reads what each layer takes from the Engine's own notes, where they can
// be read: with the classic image store that is image/<driver>/layerdb.
func onDisk(e inventory.Engine, chains []string) ([]inventory.Layer, bool) {
	if e.Driver == "" || len(chains) == 0 {
		return nil, false
	}
	layers := make([]inventory.Layer, len(chains))
	for n, chain := range chains {
		algorithm, digits, _ := strings.Cut(chain, ":")
		text, err := os.ReadFile(filepath.Join(e.RootDir, "image", e.Driver, "layerdb", algorithm, digits, "size"))
		if err != nil {
			return nil, false
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || size < 0 {
			return nil, false
		}
		layers[n] = inventory.Layer{Chain: chain, Size: size}
	}
	return layers, true
}

// fromHistory takes the sizes from an image's history, newest first, whose steps
// without a layer are empty. So may be layers: then what is left over at the top
// counts as empty, and the sum is right. A history that does not fit gives none.
func fromHistory(chains []string, history []image.HistoryResponseItem) []inventory.Layer {
	var sizes []int64
	for _, step := range slices.Backward(history) {
		if step.Size > 0 {
			sizes = append(sizes, step.Size)
		}
	}
	if len(sizes) > len(chains) || len(sizes) == 0 {
		return nil
	}
	layers := make([]inventory.Layer, len(chains))
	for n, chain := range chains {
		layers[n].Chain = chain
		if n < len(sizes) {
			layers[n].Size = sizes[n]
		}
	}
	return layers
}

func (c *Client) listVolumes(ctx context.Context) (all []inventory.Volume, err error) {
	err = c.call(ctx, "list volumes", func(ctx context.Context, api *client.Client) error {
		list, err := api.VolumeList(ctx, volume.ListOptions{})
		for _, v := range list.Volumes {
			if v == nil {
				return errors.New("the answer holds an empty volume")
			}
			created, _ := time.Parse(time.RFC3339, v.CreatedAt)
			all = append(all, inventory.Volume{
				Name: v.Name, Driver: v.Driver, Anonymous: anonymous(v), Options: len(v.Options), Created: created,
			})
		}
		return err
	})
	slices.SortFunc(all, func(a, b inventory.Volume) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// anonymous reports whether the Engine made up the name. Engines from 23.0 on
// say so by a label; before, it is the form of the name, and no label at all.
func anonymous(v *volume.Volume) bool {
	if _, ok := v.Labels["com.docker.volume.anonymous"]; ok {
		return true
	}
	return inventory.ID(v.Name).Valid() && len(v.Labels) == 0
}
