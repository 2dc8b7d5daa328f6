package inventory_test

import (
	"testing"

	"github.com/berth-dev/berth/collectors/inventory"
)

func TestPauseContainersAreTheECSAgentsAlone(t *testing.T) {
	tests := map[string]inventory.Container{
		"awsvpc":                    {ECS: true, Name: "~internal~ecs~pause"},
		"Service Connect in bridge": {ECS: true, Name: "~internal~ecs~pause-app"},
		"a shared namespace":        {ECS: true, Name: "~internal~ecs~pause~namespace"},
	}
	for name, c := range tests {
		if !c.Pause() {
			t.Errorf("%s: %s is no pause container, want one", name, c.Name)
		}
	}
	for _, c := range []inventory.Container{{ECS: true, Name: "pause"}, {Name: "~internal~ecs~pause"}} {
		if c.Pause() {
			t.Errorf("%+v is a pause container, want none", c)
		}
	}
}
