package images

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// leaving is the repository of the names that images have on their way out.
const leaving = "berth.local/removing"

// leavingName is the name of one image on its way out. It has all digits of the
// ID: two images whose first ones are the same are quickly made.
func leavingName(id string) string { return leaving + ":" + digits(id) }

// giveBack refuses an image that has lost names, and gives it those that no
// other image has by now.
func (a *applier) giveBack(ctx context.Context, d Decision, code, reason string) error {
	here, err := a.back(ctx, d)
	switch {
	case err != nil:
		reason += ", and its names are not back yet: " + err.Error()
	case !here:
		reason += ", and it is not here any more"
	}
	return errors.Join(a.refuse(d, code, reason), err)
}

// back gives an image its names even when the sweep is ended, and reports whether
// it is still here.
func (a *applier) back(ctx context.Context, d Decision) (here bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	return a.rename(ctx, usage.Move{ID: d.ID, Names: d.Names})
}

// giveBackTime is how long the names of one image may take to come back. What
// does not come back then comes back with the next look.
const giveBackTime = 15 * time.Second

// rename gives an image the names back that a move took from it. Digests cannot
// be given; they come back with the next pull. Without any other name the image
// keeps that of one on its way out: with its last name the Engine deletes it.
// It reports whether the image is still here.
func (s *Sweeper) rename(ctx context.Context, m usage.Move) (here bool, err error) {
	store, err := s.Lister.Store(ctx, inventory.Wanted{})
	if err != nil {
		return false, err
	}
	taken := map[string]string{}
	for _, i := range store.Images {
		for _, name := range i.Names() {
			taken[name] = i.ID
		}
	}
	i := slices.IndexFunc(store.Images, func(i inventory.Image) bool { return i.ID == m.ID })
	if i < 0 {
		return false, s.Ledger.Move(usage.Move{ID: m.ID, Done: true})
	}
	named := len(stripped(store.Images[i]).Names()) > 0
	for _, name := range m.Names {
		if taken[name] == "" && !strings.Contains(name, "@") {
			if err := s.Remover.AddName(ctx, m.ID, name); err != nil {
				return true, err
			}
			named = true
		}
	}
	if named && taken[leavingName(m.ID)] == m.ID {
		if _, err := s.Remover.RemoveName(ctx, leavingName(m.ID)); err != nil {
			return true, err
		}
	}
	return true, s.Ledger.Move(usage.Move{ID: m.ID, Done: true})
}

// stripped is an image without the name of one on its way out, and without the
// digest that the containerd image store makes of each name.
func stripped(i inventory.Image) inventory.Image {
	is := func(name string) bool { return usage.Repository(name) == leaving }
	i.Tags, i.Digests = slices.DeleteFunc(slices.Clone(i.Tags), is), slices.DeleteFunc(slices.Clone(i.Digests), is)
	return i
}

// recover ends the moves that a crash has left behind: whoever is not deleted
// gets its names back. The caller holds mu.
func (s *Sweeper) recover(ctx context.Context) error {
	var errs []error
	for _, m := range s.Ledger.Moves() {
		here, err := s.rename(ctx, m)
		if err == nil {
			r := audit.Record{Time: s.now(), Kind: string(Image), Path: nameOf(m), Container: digits(m.ID), Code: CodeFailed}
			r.Action, r.Reason = audit.Recovered, "the sweep that had taken its names did not end: it has them back"
			if !here {
				r.Action, r.Reason = audit.Purged, "the sweep that had taken its names did not end, and it is not here any more"
			}
			err = s.Audit.Append(r)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func nameOf(m usage.Move) string {
	if len(m.Names) > 0 {
		return m.Names[0]
	}
	return m.ID
}
