package config_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/internal/config"
)

func TestDiffTellsWhatNeedsARestart(t *testing.T) {
	changed, restart := config.Diff(config.Default(), everythingWant())
	want := []string{"docker.socket", "api.socket", "api.group", "state_dir", "relay.listen", "publish.store", "log.format"}
	if diff := cmp.Diff(want, restart); diff != "" {
		t.Errorf("needs a restart (-want +got):\n%s", diff)
	}
	for key := range load(t, config.Sources{}).Sources {
		if !slices.Contains(slices.Concat(changed, restart), key) {
			t.Errorf("%s is in neither list", key)
		}
	}
	for _, key := range restart {
		if slices.Contains(changed, key) {
			t.Errorf("%s is in both lists", key)
		}
	}
}

func TestDiffOfTheSameIsEmpty(t *testing.T) {
	a, b := everythingWant(), everythingWant()
	b.Images.Keep = slices.Clone(b.Images.Keep)
	if changed, restart := config.Diff(a, b); len(changed)+len(restart) > 0 {
		t.Errorf("got %v, %v", changed, restart)
	}
	read := load(t, config.Sources{Set: []string{"metrics.tags=[]", "relay.labels={}"}}).Config
	if changed, restart := config.Diff(config.Default(), read); len(changed)+len(restart) > 0 {
		t.Errorf("got %v, %v", changed, restart)
	}
}
