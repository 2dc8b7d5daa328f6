package docker

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-dev/berth/collectors/inventory"
)

// maxBlob is how many bytes a manifest or an image's configuration may have that
// is read here: the limit that containerd sets for them too.
const maxBlob = 8 << 20

// A blob is what is read here of an index, a manifest or an image's
// configuration, as the OCI image specification has them.
type blob struct {
	Manifests []descriptor
	Layers    []descriptor
	Config    descriptor
	RootFS    struct {
		Diffs []string `json:"diff_ids"`
	}
}

// A descriptor names a blob by its digest.
type descriptor struct{ Digest string }

// blobFolders are where the blobs of an Engine with the containerd image store
// lie: with a containerd of the Engine's own, or with the system's.
func blobFolders(e inventory.Engine) []string {
	const store = "io.containerd.content.v1.content/blobs"
	return []string{filepath.Join(e.RootDir, "containerd/daemon", store), filepath.Join("/var/lib/containerd", store)}
}

// addBlobs adds to each layer of an image the bytes of the blob that it came as.
// The containerd image store keeps those beside the files; the history counts the
// files alone. Where no blob can be read, or none fits, nothing is added.
func addBlobs(e inventory.Engine, id string, layers []inventory.Layer) (added bool) {
	for _, folder := range blobFolders(e) {
		sizes, err := blobSizes(folder, id, layers)
		if err != nil {
			continue
		}
		for n, size := range sizes {
			layers[n].Size += size
		}
		return true
	}
	return false
}

// fromBlobs are the layers of an image without a history: what all of it takes is
// theirs in the proportion of their blobs. Without those nobody knows the layers.
func fromBlobs(e inventory.Engine, id string, size int64, chains []string) []inventory.Layer {
	layers := make([]inventory.Layer, len(chains))
	for n, chain := range chains {
		layers[n].Chain = chain
	}
	if !addBlobs(e, id, layers) {
		return nil
	}
	var sum int64
	for _, l := range layers {
		sum += l.Size
	}
	if sum == 0 {
		return nil
	}
	for n := range layers {
		layers[n].Size = int64(float64(layers[n].Size) / float64(sum) * float64(size))
	}
	return layers
}

// blobSizes are those of an image's layers. Its ID is the digest of a manifest, or
// of an index of manifests, one of which has the layers.
func blobSizes(folder, id string, layers []inventory.Layer) ([]int64, error) {
	top, err := readBlob(folder, id)
	if err != nil {
		return nil, err
	}
	if len(top.Manifests) == 0 {
		return manifestSizes(folder, top, layers)
	}
	for _, r := range top.Manifests {
		manifest, err := readBlob(folder, r.Digest)
		if err != nil {
			continue // of a platform that is not here
		}
		if sizes, err := manifestSizes(folder, manifest, layers); err == nil {
			return sizes, nil
		}
	}
	return nil, fmt.Errorf("no manifest in %s has the layers", id)
}

func manifestSizes(folder string, manifest blob, layers []inventory.Layer) ([]int64, error) {
	config, err := readBlob(folder, manifest.Config.Digest)
	if err != nil {
		return nil, err
	}
	same := func(chain string, l inventory.Layer) bool { return chain == l.Chain }
	if len(manifest.Layers) != len(layers) || !slices.EqualFunc(chainIDs(config.RootFS.Diffs), layers, same) {
		return nil, fmt.Errorf("manifest of %s has other layers", manifest.Config.Digest)
	}
	sizes := make([]int64, len(layers))
	for n, r := range manifest.Layers {
		if path, err := blobPath(folder, r.Digest); err == nil {
			if i, err := os.Lstat(path); err == nil && i.Mode().IsRegular() {
				sizes[n] = i.Size()
			}
		}
	}
	return sizes, nil
}

func readBlob(folder, digest string) (b blob, err error) {
	path, err := blobPath(folder, digest)
	if err != nil {
		return b, err
	}
	f, err := os.Open(path)
	if err != nil {
		return b, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBlob))
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(text, &b)
}

// blobPath is a blob's place. A digest of another form may not become a path.
func blobPath(folder, digest string) (string, error) {
	if !imageID.MatchString(digest) {
		return "", fmt.Errorf("blob %q: not a digest", digest)
	}
	algorithm, digits, _ := strings.Cut(digest, ":")
	return filepath.Join(folder, algorithm, digits), nil
}
