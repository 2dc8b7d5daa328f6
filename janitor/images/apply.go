package images

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images/usage"
)

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

	gone map[string]Decision // images deleted by this sweep, by ID
}

// apply removes what was chosen: stopped containers, volumes, the build cache,
// then images.
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
	if a.Space == nil || a.seen.root == "" {
		return 0
	}
	return a.Space(a.seen.root).Free
}

// removeOther removes a stopped container, a volume, or a record of the build
// cache. The Engine refuses one that has come into use.
func (a *applier) removeOther(ctx context.Context, d Decision) error {
	if err := a.write(audit.Removed, d); err != nil {
		return err
	}
	var err error
	switch d.Kind {
	case Container:
		err = a.Remover.RemoveContainer(ctx, inventory.ID(d.ID))
	case Volume:
		err = a.Remover.RemoveVolume(ctx, d.ID)
	case Cached:
		err = a.Remover.RemoveCached(ctx, d.ID, a.Policy.Cached)
	default:
		err = fmt.Errorf("remove %s %s: nobody knows how", d.Kind, d.ID)
	}
	if err != nil {
		return a.refuse(d, CodeFailed, err.Error())
	}
	a.report.Predicted += d.Bytes
	a.removed(d)
	return a.write(audit.Purged, d)
}

// removeImages takes the names of all, waits, looks, and deletes one after the
// other. Whatever goes wrong, those that are not deleted get their names back.
func (a *applier) removeImages(ctx context.Context, images []Decision) error {
	if len(images) == 0 {
		return nil
	}
	if code, reason := a.mayGoOn(ctx); reason != "" {
		return a.refuseAll(images, code, reason)
	}
	leaving, err := a.unnameAll(ctx, images)
	errs := []error{err}
	code, reason := a.settle(ctx, leaving)
	var deleted []Decision
	for _, d := range leaving {
		if reason == "" {
			code, reason = a.mayGoOn(ctx)
		}
		if reason != "" {
			errs = append(errs, a.giveBack(ctx, d, code, reason))
		} else if ok, err := a.delete(ctx, d); ok {
			deleted = append(deleted, d)
		} else {
			errs = append(errs, err)
		}
	}
	errs = append(errs, a.write(audit.Purged, deleted...), a.Ledger.Move(ended(deleted)...))
	if len(deleted) > 0 {
		errs = append(errs, a.watch(context.WithoutCancel(ctx)), a.alarm())
	}
	return errors.Join(errs...)
}

// ended are the ends of the moves of images.
func ended(images []Decision) []usage.Move {
	moves := make([]usage.Move, len(images))
	for n, d := range images {
		moves[n] = usage.Move{ID: d.ID, Done: true}
	}
	return moves
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
	case <-timer.C:
	}
	a.seen.asked = time.Time{}
	return a.mayGoOn(ctx)
}

// mayGoOn looks at the containers again if the last look is old, or one was
// created since. It returns why the sweep may not go on; empty if it may.
func (a *applier) mayGoOn(ctx context.Context) (code, reason string) {
	if ctx.Err() != nil {
		return CodeFailed, "the sweep was ended"
	}
	if time.Since(a.seen.asked) <= fresh && a.created() == a.seen.creations {
		return "", ""
	}
	if err := a.watch(ctx); err != nil {
		return CodeBlind, err.Error()
	}
	if len(a.report.Lost) > 0 {
		return CodeRaced, "the sweep has ended with the loss of another image"
	}
	return "", ""
}

// watch lists the containers, and finds whoever was made from an image that is
// gone.
func (a *applier) watch(ctx context.Context) error {
	asked, creations := time.Now(), a.created()
	l, err := a.Lister.List(ctx)
	if err != nil {
		return fmt.Errorf("ask Docker who is there: %w", err)
	}
	if doubt := a.doubt(ctx, l); doubt != "" {
		return errors.New(doubt)
	}
	a.see(l, asked, creations)
	return a.lost()
}

// lost raises the alarm for images that were deleted under a container.
func (a *applier) lost() error {
	var errs []error
	for id, d := range a.gone {
		c, ok := a.seen.users[id]
		if !ok {
			continue
		}
		delete(a.gone, id)
		o := d.outcome(CodeLost, "container "+c.ID.Short()+" was made from it while it was deleted: it has to be pulled again")
		a.report.Lost = append(a.report.Lost, o)
		a.notify(Event{Type: "images.lost", Object: o.Name, Message: o.Reason})
		d.Code, d.Reason = CodeLost, o.Reason
		errs = append(errs, a.write(audit.Refused, d))
	}
	return errors.Join(errs...)
}

// alarm is the error of images that were lost; nil if none was.
func (a *applier) alarm() error {
	var errs []error
	for _, o := range a.report.Lost {
		errs = append(errs, fmt.Errorf("image %s: %s", o.Name, o.Reason))
	}
	return errors.Join(errs...)
}

// user returns a container that was made from an image, or that names it.
func (a *applier) user(d Decision) (inventory.Container, bool) {
	for _, name := range append([]string{d.ID}, d.Names...) {
		if c, ok := a.seen.users[name]; ok {
			return c, true
		}
	}
	return inventory.Container{}, false
}

func madeFrom(c inventory.Container) string {
	return fmt.Sprintf("container %s (%s) was made from it meanwhile", c.ID.Short(), c.Service)
}

// delete deletes an image that is on its way out, unless somebody has turned up.
func (a *applier) delete(ctx context.Context, d Decision) (bool, error) {
	if c, used := a.user(d); used {
		return false, a.giveBack(ctx, d, CodeRaced, madeFrom(c))
	}
	deleted, err := a.Remover.RemoveName(ctx, leavingName(d.ID))
	switch {
	case err != nil && a.answerLost(ctx, d):
	case err != nil:
		return false, a.giveBack(ctx, d, CodeRaced, err.Error())
	case !deleted:
		return false, a.giveBack(ctx, d, CodeRaced, "it was given a name meanwhile")
	}
	a.gone[d.ID] = d
	a.report.Predicted += d.Bytes
	a.removed(d)
	return true, nil
}

// answerLost reports whether an image is gone although its deletion seems to have
// failed. If not, it has its names back, where they could be given.
func (a *applier) answerLost(ctx context.Context, d Decision) bool {
	here, err := a.back(ctx, d)
	return err == nil && !here
}

func (d Decision) outcome(code, reason string) Outcome {
	return Outcome{Kind: d.Kind, ID: d.ID, Name: d.Name(), Code: code, Reason: reason, Bytes: d.Bytes}
}

func (a *applier) refuse(d Decision, code, reason string) error {
	o := d.outcome(code, reason)
	a.report.Refused = append(a.report.Refused, o)
	a.notify(Event{Type: "images.refused", Object: o.Name, Message: reason})
	d.Code, d.Reason = code, reason
	return a.write(audit.Refused, d)
}

func (a *applier) refuseAll(all []Decision, code, reason string) error {
	var errs []error
	for _, d := range all {
		errs = append(errs, a.refuse(d, code, reason))
	}
	return errors.Join(errs...)
}

func (a *applier) removed(d Decision) {
	o := d.outcome(d.Code, d.Reason)
	a.report.Removed = append(a.report.Removed, o)
	a.notify(Event{Type: "images.removed", Object: o.Name, Message: o.Reason, Bytes: o.Bytes})
}

// write writes a record of the audit for each.
func (a *applier) write(action string, all ...Decision) error {
	records := make([]audit.Record, len(all))
	for n, d := range all {
		records[n] = audit.Record{
			Time: a.now(), Action: action, Kind: string(d.Kind), Path: d.Name(), Container: idOf(d),
			Plan: a.hash, Code: d.Code, Reason: d.Reason, Bytes: d.Bytes, By: a.by,
		}
	}
	return a.Audit.Append(records...)
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
