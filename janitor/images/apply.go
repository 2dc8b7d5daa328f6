package images

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// leaving is the repository of the names that images have on their way out.
const leaving = "berth.local/removing"

// leavingName is the name of one image on its way out.
func leavingName(id string) string { return leaving + ":" + inventory.ShortImageID(id) }

// defaultWait is how long whoever was making a container from an image when its
// names went has to become visible.
const defaultWait = 10 * time.Second

// fresh is how long a listing of the containers is good for a removal, if no
// container was created since.
const fresh = time.Second

// An applier applies one plan.
type applier struct {
	*Sweeper
	report *Report
	hash   string
	by     string

	looked    time.Time // when the containers were last listed
	creations uint64    // that had been seen by then
	users     map[string]inventory.Container
	gone      map[string]Decision // images deleted by this sweep, by ID
}

// apply removes what was chosen: stopped containers, volumes, then images.
func (a *applier) apply(ctx context.Context, chosen []Decision) error {
	before := a.free()
	a.gone = map[string]Decision{}
	var images []Decision
	var errs []error
	for _, d := range chosen {
		if d.Kind == Image {
			images = append(images, d)
		} else {
			errs = append(errs, a.removeOther(ctx, d))
		}
	}
	errs = append(errs, a.removeImages(ctx, images))
	a.report.Freed = a.free() - before
	return errors.Join(errs...)
}

// free is how many bytes the file system of the data root has free; 0 if nobody
// knows.
func (a *applier) free() int64 {
	if a.Space == nil || a.root == "" {
		return 0
	}
	return a.Space(a.root).Free
}

// removeOther removes a stopped container or a volume. The Engine refuses one
// that has come into use.
func (a *applier) removeOther(ctx context.Context, d Decision) error {
	if err := a.write(audit.Removed, d, d.Code, d.Reason); err != nil {
		return err
	}
	var err error
	if d.Kind == Container {
		err = a.Remover.RemoveContainer(ctx, inventory.ID(d.ID))
	} else {
		err = a.Remover.RemoveVolume(ctx, d.ID)
	}
	if err != nil {
		return a.refuse(d, CodeFailed, err.Error())
	}
	return a.removed(d)
}

// removeImages takes the names of all, waits, looks, and deletes one after the
// other. Whatever goes wrong, those that are not deleted get their names back.
func (a *applier) removeImages(ctx context.Context, images []Decision) error {
	if len(images) == 0 {
		return nil
	}
	var errs []error
	if err := a.watch(ctx); err != nil {
		return a.refuseAll(images, CodeBlind, err.Error())
	}
	var leaving []Decision
	for _, d := range images {
		ok, err := a.unname(ctx, d)
		errs = append(errs, err)
		if ok {
			leaving = append(leaving, d)
		}
	}
	code, reason := a.settle(ctx, leaving)
	for _, d := range leaving {
		if reason != "" {
			errs = append(errs, a.giveBack(ctx, d, code, reason))
		} else {
			code, reason = a.delete(ctx, d, &errs)
		}
	}
	if len(a.gone) > 0 {
		errs = append(errs, a.watch(ctx))
	}
	return errors.Join(errs...)
}

// settle waits until whoever asked for one of the images by name before it lost
// it must have become visible, and looks. It returns why the sweep may not go
// on; empty if it may.
func (a *applier) settle(ctx context.Context, leaving []Decision) (code, reason string) {
	if len(leaving) == 0 {
		return "", ""
	}
	timer := time.NewTimer(cmp.Or(a.Wait, defaultWait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return CodeFailed, "the sweep was ended"
	case <-timer.C:
	}
	if err := a.watch(ctx); err != nil {
		return CodeBlind, err.Error()
	}
	return "", ""
}

// unname gives an image the name of one on its way out and takes all others
// (J7: nobody can ask for it by name from then on). It reports whether it is on
// its way.
func (a *applier) unname(ctx context.Context, d Decision) (bool, error) {
	if c, used := a.user(d); used {
		return false, a.refuse(d, CodeRaced, madeFrom(c))
	}
	if err := ctx.Err(); err != nil {
		return false, a.refuse(d, CodeFailed, "the sweep ended before it")
	}
	if err := a.write(audit.Removed, d, d.Code, d.Reason); err != nil {
		return false, err
	}
	if err := a.Ledger.Move(usage.Move{ID: d.ID, Names: d.Names}); err != nil {
		return false, errors.Join(a.refuse(d, CodeFailed, err.Error()), err)
	}
	if err := a.Remover.AddName(ctx, d.ID, leavingName(d.ID)); err != nil {
		return false, errors.Join(a.refuse(d, CodeFailed, err.Error()), a.Ledger.Move(usage.Move{ID: d.ID, Done: true}))
	}
	for _, name := range d.Names {
		if _, err := a.Remover.RemoveName(ctx, name); err != nil && !digestGoneWithTag(name, err) {
			return false, a.giveBack(ctx, d, CodeFailed, err.Error())
		}
	}
	return true, nil
}

// digestGoneWithTag reports whether the Engine lacks a digest because it took it
// away with the last tag of its repository.
func digestGoneWithTag(name string, err error) bool {
	return strings.Contains(name, "@") && strings.Contains(err.Error(), "No such image")
}

// watch lists the containers, and finds whoever was made from an image that is
// gone.
func (a *applier) watch(ctx context.Context) error {
	if a.Creations != nil {
		a.creations = a.Creations()
	}
	a.looked = time.Now()
	l, err := a.Lister.List(ctx)
	if err != nil {
		return fmt.Errorf("Docker cannot be asked: %w", err)
	}
	if doubt := a.doubt(ctx, l); doubt != "" {
		return errors.New(doubt)
	}
	a.users = map[string]inventory.Container{}
	for _, c := range l.Containers {
		a.users[c.ImageID], a.users[c.Image] = c, c
	}
	return a.lost()
}

// lost raises the alarm for images that were deleted under a container.
func (a *applier) lost() error {
	var errs []error
	for id, d := range a.gone {
		c, ok := a.users[id]
		if !ok {
			continue
		}
		delete(a.gone, id)
		o := d.outcome(CodeLost, "container "+c.ID.Short()+" was made from it while it was deleted: it has to be pulled again")
		a.report.Lost = append(a.report.Lost, o)
		a.notify(Event{Type: "images.lost", Object: o.Name, Message: o.Reason})
		errs = append(errs, a.write(audit.Refused, d, CodeLost, o.Reason), fmt.Errorf("image %s: %s", o.Name, o.Reason))
	}
	return errors.Join(errs...)
}

// user returns a container that was made from an image, or that names it.
func (a *applier) user(d Decision) (inventory.Container, bool) {
	for _, name := range append([]string{d.ID}, d.Names...) {
		if c, ok := a.users[name]; ok {
			return c, true
		}
	}
	return inventory.Container{}, false
}

func madeFrom(c inventory.Container) string {
	return fmt.Sprintf("container %s (%s) was made from it meanwhile", c.ID.Short(), c.Service)
}

// delete deletes an image that is on its way out, unless somebody has turned up.
// It returns why the sweep may not go on; empty if it may.
func (a *applier) delete(ctx context.Context, d Decision, errs *[]error) (code, reason string) {
	if ctx.Err() != nil {
		code, reason = CodeFailed, "the sweep was ended"
	} else if a.Creations != nil && a.Creations() != a.creations || time.Since(a.looked) > fresh {
		if err := a.watch(ctx); err != nil {
			code, reason = CodeBlind, err.Error()
		}
	}
	if reason != "" {
		*errs = append(*errs, a.giveBack(ctx, d, code, reason))
		return code, reason
	}
	if c, used := a.user(d); used {
		*errs = append(*errs, a.giveBack(ctx, d, CodeRaced, madeFrom(c)))
		return "", ""
	}
	deleted, err := a.Remover.RemoveName(ctx, leavingName(d.ID))
	switch {
	case err != nil:
		*errs = append(*errs, a.giveBack(ctx, d, CodeRaced, err.Error()))
	case !deleted:
		*errs = append(*errs, a.giveBack(ctx, d, CodeRaced, "it was given a name meanwhile"))
	default:
		a.gone[d.ID] = d
		a.report.Predicted += d.Bytes
		*errs = append(*errs, a.removed(d), a.Ledger.Move(usage.Move{ID: d.ID, Done: true}))
	}
	return "", ""
}

// giveBack refuses an image that has lost names, and gives it those that no
// other image has by now. It does so even when the sweep is ended.
func (a *applier) giveBack(ctx context.Context, d Decision, code, reason string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	err := a.rename(ctx, usage.Move{ID: d.ID, Names: d.Names})
	if err != nil {
		reason += ", and its names are not back yet: " + err.Error()
	}
	return errors.Join(a.refuse(d, code, reason), err)
}

// giveBackTime is how long the names of one image may take to come back. What
// does not come back then comes back with the next look.
const giveBackTime = 15 * time.Second

// rename gives an image the names back that a move took from it. Digests cannot
// be given; they come back with the next pull. Without any other name the image
// keeps that of one on its way out: with its last name the Engine deletes it.
func (s *Sweeper) rename(ctx context.Context, m usage.Move) error {
	store, err := s.Lister.Store(ctx, false, false)
	if err != nil {
		return err
	}
	taken := map[string]string{}
	for _, i := range store.Images {
		for _, name := range i.Names() {
			taken[name] = i.ID
		}
	}
	i := slices.IndexFunc(store.Images, func(i inventory.Image) bool { return i.ID == m.ID })
	if i < 0 {
		return s.Ledger.Move(usage.Move{ID: m.ID, Done: true})
	}
	named := len(stripped(store.Images[i]).Names()) > 0
	for _, name := range m.Names {
		if taken[name] == "" && !strings.Contains(name, "@") {
			if err := s.Remover.AddName(ctx, m.ID, name); err != nil {
				return err
			}
			named = true
		}
	}
	if named && taken[leavingName(m.ID)] == m.ID {
		if _, err := s.Remover.RemoveName(ctx, leavingName(m.ID)); err != nil {
			return err
		}
	}
	return s.Ledger.Move(usage.Move{ID: m.ID, Done: true})
}

// stripped is an image without the name of one on its way out.
func stripped(i inventory.Image) inventory.Image {
	i.Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(name string) bool { return usage.Repository(name) == leaving })
	return i
}

// recover ends the moves that a crash has left behind: whoever is not deleted
// gets its names back. The caller holds mu.
func (s *Sweeper) recover(ctx context.Context) error {
	var errs []error
	for _, m := range s.Ledger.Moves() {
		err := s.rename(ctx, m)
		if err == nil {
			reason := "the sweep that had taken its names did not end"
			err = s.Audit.Append(audit.Record{
				Time: s.now(), Action: audit.Recovered, Kind: string(Image), Path: nameOf(m), Container: digits(m.ID), Code: CodeFailed, Reason: reason,
			})
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

func (d Decision) outcome(code, reason string) Outcome {
	return Outcome{Kind: d.Kind, ID: d.ID, Name: d.Name(), Code: code, Reason: reason, Bytes: d.Bytes}
}

func (a *applier) refuse(d Decision, code, reason string) error {
	o := d.outcome(code, reason)
	a.report.Refused = append(a.report.Refused, o)
	a.notify(Event{Type: "images.refused", Object: o.Name, Message: reason})
	return a.write(audit.Refused, d, code, reason)
}

func (a *applier) refuseAll(all []Decision, code, reason string) error {
	var errs []error
	for _, d := range all {
		errs = append(errs, a.refuse(d, code, reason))
	}
	return errors.Join(errs...)
}

func (a *applier) removed(d Decision) error {
	o := d.outcome(d.Code, d.Reason)
	a.report.Removed = append(a.report.Removed, o)
	a.notify(Event{Type: "images.removed", Object: o.Name, Message: o.Reason, Bytes: o.Bytes})
	return a.write(audit.Purged, d, d.Code, d.Reason)
}

// write writes a record of the audit.
func (a *applier) write(action string, d Decision, code, reason string) error {
	return a.Audit.Append(audit.Record{
		Time: a.now(), Action: action, Kind: string(d.Kind), Path: d.Name(), Container: idOf(d),
		Plan: a.hash, Code: code, Reason: reason, Bytes: d.Bytes, By: a.by,
	})
}

// idOf is the object's ID as the audit has it and is searched for.
func idOf(d Decision) string {
	if d.Kind == Image {
		return digits(d.ID)
	}
	return d.ID
}

// digits are an image's ID without its algorithm.
func digits(id string) string {
	_, all, _ := strings.Cut(id, ":")
	return all
}
