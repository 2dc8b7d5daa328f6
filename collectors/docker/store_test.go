package docker_test

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/docker"
)

// An ID among an image's names would stand for the whole image when a name is to
// be removed.
func TestAnIDIsNoName(t *testing.T) {
	id := "sha256:" + strings.Repeat("1", 64)
	all, err := docker.FromImages([]image.Summary{
		{ID: id, RepoTags: []string{"orders:1"}, RepoDigests: []string{id, "orders@" + id, "<none>@<none>"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"orders:1", "orders@" + id}, all[0].Names()); diff != "" {
		t.Errorf("the names are others (-want +got)\n%s", diff)
	}
}
