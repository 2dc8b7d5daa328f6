package docker_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
)

// A content store of blobs in a temporary folder.
type content struct {
	*testing.T
	root string
}

// put stores a blob and returns its digest.
func (c content) put(text string) string {
	c.Helper()
	digits := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	dir := filepath.Join(c.root, "containerd/daemon/io.containerd.content.v1.content/blobs/sha256")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, digits), []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	return "sha256:" + digits
}

func TestALayerTakesItsBlobTooWhereTheEngineKeepsThat(t *testing.T) {
	c := content{t, t.TempDir()}
	diffs := []string{"sha256:" + strings.Repeat("a", 64), "sha256:" + strings.Repeat("b", 64)}
	var layers []inventory.Layer
	for _, chain := range docker.ChainIDs(diffs) {
		layers = append(layers, inventory.Layer{Chain: chain, Size: 100})
	}
	config := c.put(fmt.Sprintf(`{"rootfs":{"diff_ids":[%q,%q]}}`, diffs[0], diffs[1]))
	other := c.put(`{"rootfs":{"diff_ids":[]}}`)
	base, own := c.put(strings.Repeat("x", 30)), c.put(strings.Repeat("y", 7))
	manifest := c.put(fmt.Sprintf(`{"config":{"digest":%q},"layers":[{"digest":%q},{"digest":%q}]}`, config, base, own))
	foreign := c.put(fmt.Sprintf(`{"config":{"digest":%q},"layers":[]}`, other))
	absent := "sha256:" + strings.Repeat("0", 64)
	index := c.put(fmt.Sprintf(`{"manifests":[{"digest":%q},{"digest":%q},{"digest":%q}]}`, absent, foreign, manifest))
	hostile := c.put(`{"config":{"digest":"../../../../etc/passwd"},"layers":[{"digest":"x"},{"digest":"y"}]}`)
	for id, want := range map[string][]int64{
		manifest: {130, 107}, index: {130, 107}, foreign: {100, 100}, absent: {100, 100}, hostile: {100, 100},
		c.put("no JSON"): {100, 100},
	} {
		of := append([]inventory.Layer(nil), layers...)
		docker.AddBlobs(inventory.Engine{RootDir: c.root}, id, of)
		if diff := cmp.Diff(want, []int64{of[0].Size, of[1].Size}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", id, diff)
		}
	}
	chains := docker.ChainIDs(diffs)
	whole := docker.FromBlobs(inventory.Engine{RootDir: c.root}, index, 370, chains)
	if diff := cmp.Diff([]inventory.Layer{{Chain: chains[0], Size: 300}, {Chain: chains[1], Size: 70}}, whole); diff != "" {
		t.Errorf("without a history (-want +got)\n%s", diff)
	}
	if unknown := docker.FromBlobs(inventory.Engine{RootDir: c.root}, absent, 370, chains); unknown != nil {
		t.Errorf("layers that nobody knows are %v", unknown)
	}
}
