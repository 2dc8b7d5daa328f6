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

func TestNobodyBelievesInADutyThatDoesNotRun(t *testing.T) {
	tests := map[string]struct {
		set  []string
		want []string
	}{
		"nothing set":                    {},
		"duties that run":                {set: []string{"logs.grace=2h", "publish.ttl=30s", "publish.store=etcd://a:2379", "metrics.tags=[]", "images.min_age=1h", "containers.stopped=1h"}},
		"a default that somebody wrote":  {set: []string{"relay.origin=auto", "relay.listen=docker0:8125"}, want: []string{"relay.listen", "relay.origin"}},
		"duties that are switched off":   {set: []string{"containers.stopped=off", "volumes.anonymous=off", "relay.listen=off"}},
		"a relay that does not run":      {set: []string{"relay.listen=docker0:8125", "relay.origin=cred"}, want: []string{"relay.listen", "relay.origin"}},
		"another cluster's name is fine": {set: []string{"host.cluster=prod"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, config.NoEffect(load(t, config.Sources{Set: tt.set}))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
