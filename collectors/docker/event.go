package docker

import (
	"cmp"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Kind says what happened to a container or an image.
type Kind string

// The kinds of events.
const (
	Created  Kind = "created"
	Started  Kind = "started"
	Died     Kind = "died" // Detail: exit code
	Removed  Kind = "removed"
	Renamed  Kind = "renamed" // Detail: the name before
	Paused   Kind = "paused"
	Unpaused Kind = "unpaused"
	Updated  Kind = "updated"
	OOM      Kind = "oom"    // a process of it was killed for want of memory
	Health   Kind = "health" // Detail: healthy, unhealthy, starting

	ImagePulled  Kind = "image-pulled"  // Image: the name that was pulled
	ImageChanged Kind = "image-changed" // Detail: load, import, tag, untag or delete
)

// An Event is one thing that happened to one container or image, as the Engine
// told it.
// It is for people and ledgers; the picture is made of listings alone.
type Event struct {
	Kind    Kind
	ID      inventory.ID
	Service string // as in [inventory.Container]
	Name    string
	Detail  string // see the kinds; empty for the others
	Image   string // that a container was made from, by the name it gave; or a name or the ID of the image in question
	At      time.Time
}

// An Observer is told what the watcher sees, from its loop and therefore one
// thing at a time: it should be quick. What it is told of is in the inventory
// only afterwards.
type Observer interface {
	// Listed hands over every complete listing, before the picture that is made
	// of it.
	Listed(inventory.Listing)
	// Event hands over every event in the order of the stream, before the
	// picture that it leads to. Events may be missed (the Engine remembers 256
	// while nobody listens, none over a restart) and, after a reconnect, told of
	// containers that have gone since.
	Event(Event)
}

// hintOf reads one event of the Engine.
func hintOf(m events.Message, serviceLabel string) hint {
	if m.Type == events.NetworkEventType {
		return hint{container: inventory.ID(m.Actor.Attributes["container"])}
	}
	at := time.Unix(0, cmp.Or(m.TimeNano, m.Time*int64(time.Second)))
	switch {
	case m.Type == events.ImageEventType && m.Action == events.ActionPull:
		return hint{event: Event{Kind: ImagePulled, Image: m.Actor.ID, At: at}}
	case m.Type == events.ImageEventType:
		return hint{event: Event{Kind: ImageChanged, Image: m.Actor.ID, Detail: string(m.Action), At: at}}
	case m.Type != events.ContainerEventType:
		return hint{}
	}
	id := inventory.ID(m.Actor.ID)
	kind, detail := kindOf(m)
	if kind == "" {
		return hint{container: id}
	}
	c := inventory.Container{ID: id, Image: m.Actor.Attributes["image"]}
	if name := m.Actor.Attributes["name"]; name != "" {
		c.Names = []string{name}
	}
	label(&c, m.Actor.Attributes, serviceLabel) // the labels are among the attributes
	return hint{container: id, event: Event{
		Kind: kind, ID: id, Service: c.Service, Name: c.Name, Detail: detail, Image: c.Image, At: at,
	}}
}

// kindOf translates the Engine's word, which may have more behind a colon.
func kindOf(m events.Message) (kind Kind, detail string) {
	action, rest, _ := strings.Cut(string(m.Action), ":")
	switch events.Action(action) {
	case events.ActionCreate:
		return Created, ""
	case events.ActionStart:
		return Started, ""
	case events.ActionDie:
		return Died, m.Actor.Attributes["exitCode"]
	case events.ActionDestroy:
		return Removed, ""
	case events.ActionRename:
		return Renamed, strings.TrimPrefix(m.Actor.Attributes["oldName"], "/")
	case events.ActionPause:
		return Paused, ""
	case events.ActionUnPause:
		return Unpaused, ""
	case events.ActionUpdate:
		return Updated, ""
	case events.ActionOOM:
		return OOM, ""
	case events.ActionHealthStatus:
		return Health, strings.TrimSpace(rest)
	}
	return "", ""
}
