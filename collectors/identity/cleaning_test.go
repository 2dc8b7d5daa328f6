package identity_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/identity"
)

func TestTheECSAgentsOwnCleaningIsRead(t *testing.T) {
	usual := identity.Cleaning{Every: 30 * time.Minute, Images: 5, MinAge: time.Hour, TaskWait: 3 * time.Hour}
	with := func(change func(*identity.Cleaning)) identity.Cleaning {
		c := usual
		change(&c)
		return c
	}
	for text, want := range map[string]identity.Cleaning{
		"ECS_CLUSTER=web\n":                                                 usual,
		"ECS_IMAGE_CLEANUP_INTERVAL=1m\n":                                   usual, // below ten minutes it is ignored
		"ECS_IMAGE_CLEANUP_INTERVAL=soon\n":                                 usual,
		"ECS_NUM_IMAGES_DELETE_PER_CYCLE=0\n":                               usual,
		"ECS_DISABLE_IMAGE_CLEANUP=false\n":                                 usual,
		"ECS_DISABLE_IMAGE_CLEANUP=true\n":                                  with(func(c *identity.Cleaning) { c.Off, c.Why = true, "ECS_DISABLE_IMAGE_CLEANUP" }),
		"ECS_IMAGE_PULL_BEHAVIOR=prefer-cached\n":                           with(func(c *identity.Cleaning) { c.Off, c.Why = true, "ECS_IMAGE_PULL_BEHAVIOR" }),
		"ECS_IMAGE_PULL_BEHAVIOR=once\n":                                    usual,
		"ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP=true\n":                         with(func(c *identity.Cleaning) { c.Untracked = true }),
		"ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=10m\n":                       with(func(c *identity.Cleaning) { c.TaskWait = 10 * time.Minute }),
		"ECS_IMAGE_MINIMUM_CLEANUP_AGE=\"24h\"\n":                           with(func(c *identity.Cleaning) { c.MinAge = 24 * time.Hour }),
		"ECS_IMAGE_CLEANUP_INTERVAL=1h\nECS_NUM_IMAGES_DELETE_PER_CYCLE=20": with(func(c *identity.Cleaning) { c.Every, c.Images = time.Hour, 20 }),
	} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "etc/ecs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "etc/ecs/ecs.config"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, found := (identity.Reader{Root: root}).ReadCleaning(); got != want || !found {
			t.Errorf("%q is %+v (%t), want %+v", text, got, found, want)
		}
	}
	if _, found := (identity.Reader{Root: t.TempDir()}).ReadCleaning(); found {
		t.Error("a host without the ECS agent has its settings")
	}
}
