package docker

import (
	"cmp"
	"strings"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Labels that name a container's place. The ECS agent sets its own on every
// container of a task and overrides what the image or the user set.
const (
	ecsPrefix      = "com.amazonaws.ecs."
	ecsFamily      = ecsPrefix + "task-definition-family"
	ecsRevision    = ecsPrefix + "task-definition-version"
	ecsTask        = ecsPrefix + "task-arn"
	ecsContainer   = ecsPrefix + "container-name"
	composeService = "com.docker.compose.service"
)

// label fills in what the labels tell of a container: its service, family,
// task and name. ID, Names and Image must be set.
func label(c *inventory.Container, labels map[string]string, serviceLabel string) {
	own := c.ID.Short()
	if len(c.Names) > 0 {
		own = c.Names[0]
	}
	c.Service = service(labels, serviceLabel, c.Image, own)
	c.Name = cmp.Or(labels[ecsContainer], labels[composeService], own)
	c.Task = labels[ecsTask]
	if family := labels[ecsFamily]; family != "" {
		c.Family = strings.TrimSuffix(family+":"+labels[ecsRevision], ":")
	}
	for name := range labels {
		c.ECS = c.ECS || strings.HasPrefix(name, ecsPrefix)
	}
}

// keep returns those of the labels that were asked for; nil if there is none.
func keep(labels map[string]string, asked []string) map[string]string {
	var kept map[string]string
	for _, name := range asked {
		value, has := labels[name]
		if !has {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[name] = strings.ToValidUTF8(value[:min(len(value), inventory.MaxLabel)], "")
	}
	return kept
}

// service names the service that a container is an instance of: its ECS task
// definition family, the configured label, the compose service, the image's
// repository, the container's own name, whichever is there first.
func service(labels map[string]string, serviceLabel, image, name string) string {
	configured := ""
	if serviceLabel != "" {
		configured = labels[serviceLabel]
	}
	return cmp.Or(labels[ecsFamily], configured, labels[composeService], repository(image), name)
}

// repository is the last component of an image's name, without registry, tag
// and digest; empty for a bare image ID.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if hex, ok := strings.CutPrefix(image, "sha256:"); ok || (inventory.IsHex(hex) && len(hex) == inventory.IDLen) {
		return ""
	}
	last := image[strings.LastIndexByte(image, '/')+1:]
	last, _, _ = strings.Cut(last, ":")
	return last
}
