package images

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// unnameAll takes the names of all images that nobody has come to use, and
// returns those that are on their way. What it is about to do is on disk before
// it begins, for the audit (J6) and for the next start.
func (a *applier) unnameAll(ctx context.Context, images []Decision) (leaving []Decision, err error) {
	var errs []error
	var free []Decision
	var moves []usage.Move
	for _, d := range images {
		if c, used := a.user(d); used {
			errs = append(errs, a.refuse(d, CodeRaced, madeFrom(c)))
			continue
		}
		free, moves = append(free, d), append(moves, usage.Move{ID: d.ID, Names: d.Names})
	}
	if err := errors.Join(a.write(audit.Removed, free...), a.Ledger.Move(moves...)); err != nil {
		return nil, errors.Join(append(errs, err, a.refuseAll(free, CodeFailed, err.Error()), a.Ledger.Move(ended(free)...))...)
	}
	for n, err := range a.unnameEach(ctx, free) {
		switch {
		case err == nil:
			leaving = append(leaving, free[n])
		case errors.Is(err, errUntouched):
			errs = append(errs, a.refuse(free[n], CodeFailed, err.Error()), a.Ledger.Move(ended(free[n:n+1])...))
		default:
			errs = append(errs, a.giveBack(ctx, free[n], CodeFailed, err.Error()))
		}
	}
	return leaving, errors.Join(errs...)
}

// unnamedAtOnce is how many images lose their names at once. The Engine syncs
// two or three files for each, and takes the next call while it does.
const unnamedAtOnce = 4

// unnameEach takes the names of each image, and returns an error for each that is
// not on its way. No two images share a name, so that their order is all one;
// that of the calls for one image is not.
func (a *applier) unnameEach(ctx context.Context, images []Decision) []error {
	errs := make([]error, len(images))
	var begun atomic.Int64
	var workers sync.WaitGroup
	for range min(unnamedAtOnce, len(images)) {
		workers.Go(func() {
			for n := begun.Add(1) - 1; n < int64(len(images)); n = begun.Add(1) - 1 {
				errs[n] = a.unname(ctx, images[n])
			}
		})
	}
	workers.Wait()
	return errs
}

// errUntouched is the end of a sweep before an image has lost a name.
var errUntouched = errors.New("the sweep was ended")

// unname gives an image the name of one on its way out and takes all others:
// nobody can ask for it by name from then on (J7). Several run at once, so it
// calls the Engine and does nothing else. After an error the image may have any
// of its names, the answer alone may be lost.
func (a *applier) unname(ctx context.Context, d Decision) error {
	if ctx.Err() != nil {
		return errUntouched
	}
	if err := a.Remover.AddName(ctx, d.ID, leavingName(d.ID)); err != nil {
		return err
	}
	for _, name := range d.Names {
		if _, err := a.Remover.RemoveName(ctx, name); err != nil && !digestGoneWithTag(name, err) {
			return err
		}
	}
	return nil
}

// digestGoneWithTag reports whether the Engine lacks a digest because it took it
// away with the last tag of its repository.
func digestGoneWithTag(name string, err error) bool {
	return strings.Contains(name, "@") && strings.Contains(err.Error(), "No such image")
}
