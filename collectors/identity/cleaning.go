package identity

import (
	"strconv"
	"strings"
	"time"
)

// Cleaning is what the ECS agent on this host is told about removing images and
// containers by itself.
type Cleaning struct {
	Off       bool          // it removes no images
	Why       string        // the setting that turned it off; empty if it is on
	Untracked bool          // it also removes images that it did not pull
	Every     time.Duration // between its rounds
	Images    int           // that a round removes at most
	MinAge    time.Duration // since the pull
	TaskWait  time.Duration // how long it keeps a task's containers after their end
}

// ReadCleaning reads it from the ECS agent's configuration; found is false on a
// host without one. Names, defaults and least values are those of the ECS
// agent's README, "Environment Variables".
func (r Reader) ReadCleaning() (c Cleaning, found bool) {
	text := r.read("etc/ecs/ecs.config")
	if text == "" {
		return Cleaning{}, false
	}
	ecs := ParseEnvironment(text, "ECS_DISABLE_IMAGE_CLEANUP", "ECS_IMAGE_PULL_BEHAVIOR", "ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP",
		"ECS_IMAGE_CLEANUP_INTERVAL", "ECS_NUM_IMAGES_DELETE_PER_CYCLE", "ECS_IMAGE_MINIMUM_CLEANUP_AGE", "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION")
	c = Cleaning{
		Untracked: ecs["ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP"] == "true",
		Every:     atLeast(ecs["ECS_IMAGE_CLEANUP_INTERVAL"], 10*time.Minute, 30*time.Minute),
		MinAge:    atLeast(ecs["ECS_IMAGE_MINIMUM_CLEANUP_AGE"], time.Nanosecond, time.Hour),
		TaskWait:  atLeast(ecs["ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION"], time.Second, 3*time.Hour),
		Images:    5,
	}
	if n, err := strconv.Atoi(ecs["ECS_NUM_IMAGES_DELETE_PER_CYCLE"]); err == nil && n > 0 {
		c.Images = n
	}
	switch {
	case strings.EqualFold(ecs["ECS_DISABLE_IMAGE_CLEANUP"], "true"):
		c.Off, c.Why = true, "ECS_DISABLE_IMAGE_CLEANUP"
	case ecs["ECS_IMAGE_PULL_BEHAVIOR"] == "prefer-cached":
		c.Off, c.Why = true, "ECS_IMAGE_PULL_BEHAVIOR"
	}
	return c, true
}

// atLeast reads a duration; without one, or with one below the least, it is the
// usual.
func atLeast(text string, least, usual time.Duration) time.Duration {
	if d, err := time.ParseDuration(text); err == nil && d >= least {
		return d
	}
	return usual
}
