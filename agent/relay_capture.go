package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/bridge/dogstatsd/capture"
)

// mostCapture is how large a capture's payloads may be together, in bytes: what
// a busy host sends in ten minutes would fill a small disk.
const mostCapture = 256 << 20

const (
	keptCaptures = 8      // in the state folder, the newest
	captureEnd   = ".dog" // as the agent calls its own
)

// RelayCapture writes the datagrams that come to a new file, and returns when
// that is over. What was written is whole whenever it ends.
func (a *Agent) RelayCapture(ctx context.Context, by api.Peer, r api.CaptureRequest) (api.Capture, error) {
	if a.relay == nil {
		return api.Capture{}, errNoRelay()
	}
	if !a.capturing.CompareAndSwap(false, true) {
		return api.Capture{}, api.Conflict("a capture is being written already")
	}
	defer a.capturing.Store(false)
	folder := filepath.Join(a.generation().loaded.Config.StateDir, "captures")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return api.Capture{}, fmt.Errorf("make folder of captures: %w", err)
	}
	if err := makeRoom(folder); err != nil {
		return api.Capture{}, err
	}
	path := filepath.Join(folder, time.Now().UTC().Format("20060102T150405.000Z")+captureEnd)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return api.Capture{}, fmt.Errorf("make capture: %w", err)
	}
	a.component("relay").Info("capture", "by", caller(by), "file", path, "seconds", r.Seconds)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(r.Seconds)*time.Second)
	defer cancel()
	done, err := a.capture(ctx, file, dogstatsd.Filter{Container: r.Container, Service: r.Service, Datagrams: true})
	if info, e := file.Stat(); e == nil {
		done.Bytes = info.Size()
	}
	done.Path = path
	if err := errors.Join(err, file.Close()); err != nil {
		return done, errors.Join(fmt.Errorf("write capture %s: %w", path, err), os.Remove(path))
	}
	return done, nil
}

// makeRoom removes the oldest captures, so that there is room for one more
// among as many as are kept. Their names are the times they were made.
func makeRoom(folder string) error {
	all, err := filepath.Glob(filepath.Join(folder, "*"+captureEnd))
	if err != nil {
		return err
	}
	slices.Sort(all)
	for _, path := range all[:max(0, len(all)-keptCaptures+1)] {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove old capture: %w", err)
		}
	}
	return nil
}

// capture writes until ctx ends or there is enough.
func (a *Agent) capture(ctx context.Context, file *os.File, f dogstatsd.Filter) (done api.Capture, err error) {
	w, err := capture.NewWriter(file)
	if err != nil {
		return done, err
	}
	tap := a.relay.Tap(f)
	defer tap.Close()
	containers, size := map[int]string{}, 0
	for !done.Full {
		select {
		case <-ctx.Done():
			done.Missed = tap.Missed()
			return done, w.Close(containers)
		case t := <-tap.C:
			if t.PID != 0 {
				containers[t.PID] = string(t.Container)
			}
			if err := w.Write(capture.Message{Time: t.Time, PID: t.PID, Payload: t.Bytes}); err != nil {
				return done, err
			}
			done.Datagrams++
			size += len(t.Bytes)
			done.Full = size >= mostCapture
		}
	}
	done.Missed = tap.Missed()
	return done, w.Close(containers)
}
