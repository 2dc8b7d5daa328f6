package engine

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
)

// A Build is an image of layers: each holds one file of so many random bytes,
// which are the same for the same name.
type Build struct {
	Names  []string // repository:tag; none for a dangling image
	Layers []Content
	Labels map[string]string
}

// A Content is what one layer holds.
type Content struct {
	Name  string
	Bytes int
}

// Load makes images, and returns their IDs as this Engine has them; of those
// without a name there may be one at most. Nobody has to pull them.
func (e *Engine) Load(t testing.TB, builds ...Build) []string {
	t.Helper()
	before := e.imageIDs(t)
	archive, err := saved(builds)
	if err == nil {
		err = e.Do(http.MethodPost, "/images/load?quiet=1", archive, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(builds))
	for n, b := range builds {
		if len(b.Names) == 0 {
			continue
		}
		var i struct {
			ID string `json:"Id"`
		}
		if err := e.Do(http.MethodGet, "/images/"+b.Names[0]+"/json", nil, &i); err != nil {
			t.Fatal(err)
		}
		ids[n] = i.ID
	}
	for n := range ids {
		for _, id := range e.imageIDs(t) {
			if ids[n] == "" && !slices.Contains(ids, id) && !slices.Contains(before, id) {
				ids[n] = id
			}
		}
	}
	return ids
}

func (e *Engine) imageIDs(t testing.TB) (ids []string) {
	t.Helper()
	var all []struct {
		ID string `json:"Id"`
	}
	if err := e.Do(http.MethodGet, "/images/json", nil, &all); err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		ids = append(ids, i.ID)
	}
	return ids
}

// saved is an archive as docker save writes it.
func saved(builds []Build) (archive *bytes.Buffer, err error) {
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	archive = &bytes.Buffer{}
	w := tar.NewWriter(archive)
	written := map[string]bool{}
	add := func(name string, content []byte) {
		if err == nil && !written[name] {
			written[name] = true
			if err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err == nil {
				_, err = w.Write(content)
			}
		}
	}
	var manifest []entry
	for _, b := range builds {
		one := entry{RepoTags: b.Names}
		var diffs []string
		for _, c := range b.Layers {
			layer := c.layer()
			sum := sha256.Sum256(layer)
			diffs = append(diffs, "sha256:"+hex.EncodeToString(sum[:]))
			one.Layers = append(one.Layers, hex.EncodeToString(sum[:])+".tar")
			add(one.Layers[len(one.Layers)-1], layer)
		}
		config, _ := json.Marshal(map[string]any{
			"architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
			"config": map[string]any{"Entrypoint": []string{"/none"}, "Labels": b.Labels},
			"rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
		})
		sum := sha256.Sum256(config)
		one.Config = hex.EncodeToString(sum[:]) + ".json"
		add(one.Config, config)
		manifest = append(manifest, one)
	}
	list, _ := json.Marshal(manifest)
	add("manifest.json", list)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("make image: %w", err)
	}
	return archive, nil
}

// layer is an uncompressed archive with one file.
func (c Content) layer() []byte {
	content := make([]byte, c.Bytes)
	r := rand.NewChaCha8(sha256.Sum256([]byte(c.Name)))
	_, _ = r.Read(content)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	_ = w.WriteHeader(&tar.Header{Name: c.Name, Mode: 0o644, Size: int64(c.Bytes)})
	_, _ = w.Write(content)
	_ = w.Close()
	return layer.Bytes()
}
