package images

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// KeepLabel is the label of images that always stay. Only the value "false"
// takes it back.
const KeepLabel = "berth.keep"

// youngest is how long an image stays after it was pulled or first seen,
// whatever else is true: what is pulled is about to be used.
const youngest = time.Hour

// A judge decides about one object: each rule either has the last word or
// leaves it to the next. All but the last keep it.
type judge struct {
	facts    Facts
	policy   Policy
	now      time.Time
	users    map[string]inventory.Container // by image ID, and by every name that a container gives
	newest   map[string]int                 // by image ID: its best place in one of its repositories, from 1
	families map[string]string              // by reference: the family that ran not long ago and names it
}

func newJudge(f Facts, p Policy, now time.Time) *judge {
	j := &judge{facts: f, policy: p, now: now, users: map[string]inventory.Container{}, families: map[string]string{}}
	for _, c := range f.Store.Containers {
		for _, name := range []string{c.ImageID, c.Image} {
			if name != "" {
				j.users[name] = c
			}
		}
	}
	for name, family := range f.Usage.Families {
		if now.Before(family.Ran.Add(p.MinAge)) {
			for _, ref := range family.Refs {
				j.families[ref] = name
			}
		}
	}
	j.newest = places(f)
	return j
}

// places ranks the images of each repository, from 1 for what came to this host
// last. When an image was built says nothing about that, and decides only
// between images that came together.
func places(f Facts) map[string]int {
	of := map[string][]inventory.Image{}
	for _, i := range f.Store.Images {
		for _, r := range repositories(i) {
			of[r] = append(of[r], i)
		}
	}
	best := map[string]int{}
	for _, images := range of {
		slices.SortFunc(images, func(a, b inventory.Image) int {
			return cmp.Or(f.Usage.Images[b.ID].Came().Compare(f.Usage.Images[a.ID].Came()),
				b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
		})
		for n, i := range images {
			if best[i.ID] == 0 || n+1 < best[i.ID] {
				best[i.ID] = n + 1
			}
		}
	}
	return best
}

// repositories are those that the image has a name in.
func repositories(i inventory.Image) []string {
	var all []string
	for _, name := range i.Names() {
		if r := usage.Repository(name); !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

func (d *Decision) keep(code, format string, args ...any) bool {
	d.Verdict, d.Code, d.Reason = Keep, code, fmt.Sprintf(format, args...)
	return true
}

func (d *Decision) keepUntil(until time.Time, code, format string, args ...any) bool {
	d.Until = until
	return d.keep(code, format+"; kept until "+clock(until), args...)
}

func (d *Decision) remove(code, format string, args ...any) {
	d.Verdict, d.Code, d.Reason = Remove, code, fmt.Sprintf(format, args...)
}

func (j *judge) image(i inventory.Image) Decision {
	e := j.facts.Usage.Images[i.ID]
	d := Decision{Kind: Image, ID: i.ID, Names: i.Names(), Size: i.Size, Used: e.Used}
	switch {
	case j.used(&d), j.ecs(&d), j.blind(&d), j.young(&d, e), j.pinned(&d, i), j.isNewest(&d):
		return d
	}
	code, reason, recent := CodeUnused, "it was last used at "+clock(e.Used), d
	since, age := later(e.Used, e.Came()), j.policy.MinAge
	if e.Used.IsZero() {
		reason = "it came at " + clock(e.Came()) + " and was never used"
	}
	if len(d.Names) == 0 {
		code, age = CodeDangling, j.policy.Dangling
		reason = "nothing names it, and " + reason
	}
	switch until := since.Add(age); {
	case j.family(&recent):
	case j.now.Before(until):
		recent.keepUntil(until, CodeUsed, "%s", reason)
	default:
		d.remove(code, "%s", reason)
		return d
	}
	if !j.facts.Urgent {
		return recent
	}
	d.remove(CodePressure, "the disk is nearly full; %s", reason)
	return d
}

// used keeps what a container of any state was made from, and what one would
// be made from by the name that it gives (J7).
func (j *judge) used(d *Decision) bool {
	for _, name := range append([]string{d.ID}, d.Names...) {
		if c, ok := j.users[name]; ok {
			return d.keep(CodeInUse, "container %s (%s) is %s", c.ID.Short(), c.Service, c.State)
		}
	}
	return false
}

// ecs keeps what the ECS agent loads from files of its own: no registry has it,
// and without the pause image no task in awsvpc mode can start.
func (j *judge) ecs(d *Decision) bool {
	for _, name := range d.Names {
		for _, pattern := range []string{"amazon/amazon-ecs-*", "ecs-service-connect-agent"} {
			if ok, _ := path.Match(pattern, usage.Repository(name)); ok {
				return d.keep(CodeECS, "it is the ECS agent's own")
			}
		}
	}
	return false
}

func (j *judge) blind(d *Decision) bool {
	return j.facts.Blind != "" && d.keep(CodeBlind, "%s", j.facts.Blind)
}

func (j *judge) young(d *Decision, e usage.Entry) bool {
	if e.Seen.IsZero() {
		return d.keep(CodeYoung, "it has only just been seen")
	}
	until := e.Came().Add(youngest)
	return j.now.Before(until) && d.keepUntil(until, CodeYoung, "it came at %s", clock(e.Came()))
}

func (j *judge) pinned(d *Decision, i inventory.Image) bool {
	if value, ok := i.Labels[KeepLabel]; ok && value != "false" {
		return d.keep(CodePinned, "it has the label %s", KeepLabel)
	}
	for _, name := range d.Names {
		for _, pattern := range j.policy.Keep {
			if Matches(pattern, name) {
				return d.keep(CodePinned, "images.keep has %q", pattern)
			}
		}
	}
	return false
}

// Matches reports whether a pattern means an image by one of its names: the
// whole of it, the repository, or either without the registry's host. In
// patterns, * stands for anything but a slash.
func Matches(pattern, name string) bool {
	for _, whole := range []string{name, usage.Repository(name)} {
		if ok, err := path.Match(pattern, whole); ok || err != nil {
			return true // a pattern that cannot be understood keeps everything
		}
		host, rest, ok := strings.Cut(whole, "/")
		if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
			continue
		}
		if ok, _ := path.Match(pattern, rest); ok {
			return true
		}
	}
	return false
}

func (j *judge) isNewest(d *Decision) bool {
	n := j.newest[d.ID]
	return n > 0 && n <= j.policy.KeepNewest &&
		d.keep(CodeNewest, "it is number %d of the newest %d of its repository", n, j.policy.KeepNewest)
}

func (j *judge) family(d *Decision) bool {
	for _, name := range d.Names {
		if family, ok := j.families[name]; ok {
			until := j.facts.Usage.Families[family].Ran.Add(j.policy.MinAge)
			return d.keepUntil(until, CodeFamily, "task family %s names it", family)
		}
	}
	return false
}

func (j *judge) container(c inventory.Container) Decision {
	d := Decision{Kind: Container, ID: string(c.ID), Names: c.Names, Used: c.Finished}
	stopped := c.State == inventory.Exited || c.State == inventory.Dead
	switch ended := later(c.Finished, c.Created); {
	case c.ECS:
		d.keep(CodeECS, "it belongs to the ECS agent")
	case !stopped:
		d.keep(CodeRunning, "it is %s", c.State)
	case j.policy.Stopped <= 0:
		d.keep(CodeOff, "containers.stopped is off")
	case j.blind(&d):
	case c.Finished.IsZero():
		d.keep(CodeYoung, "nobody knows when it ended")
	case j.now.Before(ended.Add(j.policy.Stopped)):
		d.keepUntil(ended.Add(j.policy.Stopped), CodeUsed, "it ended at %s", clock(ended))
	default:
		d.remove(CodeStopped, "it ended at %s", clock(ended))
	}
	return d
}

func (j *judge) volume(v inventory.Volume) Decision {
	e := j.facts.Usage.Volumes[v.Name]
	d := Decision{Kind: Volume, ID: v.Name, Used: e.Used}
	switch since := later(e.Seen, e.Used); {
	case j.policy.Anonymous <= 0:
		d.keep(CodeOff, "volumes.anonymous is off")
	case !v.Anonymous || v.Driver != "local" || v.Options > 0:
		d.keep(CodeNamed, "only anonymous volumes of the local driver without options go")
	case j.mounted(&d), j.blind(&d):
	case e.Seen.IsZero():
		d.keep(CodeYoung, "it has only just been seen")
	case j.now.Before(since.Add(j.policy.Anonymous)):
		d.keepUntil(since.Add(j.policy.Anonymous), CodeUsed, "it was last mounted, or first seen, at %s", clock(since))
	default:
		d.remove(CodeUnused, "it was last mounted, or first seen, at %s", clock(since))
	}
	return d
}

func (j *judge) mounted(d *Decision) bool {
	for _, c := range j.facts.Store.Containers {
		if slices.ContainsFunc(c.Mounts, func(m inventory.Mount) bool { return m.Volume == d.ID }) {
			return d.keep(CodeInUse, "container %s (%s) mounts it", c.ID.Short(), c.Service)
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
