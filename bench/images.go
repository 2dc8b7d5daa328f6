package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
	"github.com/berth-dev/berth/test/engine"
)

// How much the images part measures.
const (
	planImages  = 1000
	planLayers  = 5 // of each image, of its own; the base is shared by tens
	planRounds  = 21
	sweptImages = 16
	sweptFiles  = 8000
	sweptBytes  = 4 << 10 // of each file
	sweptRounds = 3
)

// imagePlans measures a plan over many images, and what a sweep costs beside the
// Engine's own deletion of the same.
func imagePlans(ctx context.Context, j *job, r *report) {
	facts, policy, now := manyImages()
	var took []time.Duration
	var allocated []float64
	for range planRounds {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		p := images.MakePlan(facts, policy, now)
		took = append(took, time.Since(began))
		runtime.ReadMemStats(&after)
		allocated = append(allocated, mebi(int64(after.TotalAlloc-before.TotalAlloc)))
		if len(p.Removals()) < planImages/4 {
			j.Fatalf("the plan removes %d of %d", len(p.Removals()), planImages)
		}
	}
	slices.Sort(allocated)
	note := fmt.Sprintf("median of %d, %d images with %d layers", planRounds, planImages, planImages*planLayers)
	r.add(figure{"plan of images", "ms", milli(quantile(took, 0.5)), 20, note})
	r.add(figure{"plan of images, memory", "MiB", allocated[planRounds/2], 8, note + "; all that was allocated"})
	imageSweep(ctx, j, r)
}

// manyImages is a host with many images, half of them long unused.
func manyImages() (images.Facts, images.Policy, time.Time) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	ledger := usage.New()
	var all []inventory.Image
	var running []inventory.Container
	for n := range planImages {
		i := inventory.Image{
			ID: fmt.Sprintf("sha256:%064x", n+1), Tags: []string{fmt.Sprintf("registry.test/team/app%d:%d", n%60, n)},
			Created: now.Add(-time.Duration(n) * time.Hour), Layers: []inventory.Layer{{Chain: fmt.Sprint("base", n%20), Size: 80 << 20}},
		}
		for l := range planLayers {
			i.Layers = append(i.Layers, inventory.Layer{Chain: fmt.Sprint(n, "/", l), Size: int64(1+l) << 20})
		}
		for _, l := range i.Layers {
			i.Size += l.Size
		}
		if all = append(all, i); n%5 == 0 {
			running = append(running, inventory.Container{ID: inventory.ID(fmt.Sprintf("%064x", n)), ImageID: i.ID, Image: i.Tags[0], Service: fmt.Sprint("app", n%60), State: inventory.Running})
		}
	}
	ledger.Listed(all, nil, now.Add(-200*time.Hour))
	ledger.Running(running, now.Add(-100*time.Hour))
	return images.Facts{
		Store: inventory.Store{Listing: inventory.Listing{Taken: now, Containers: running}, Images: all}, Usage: ledger.View(),
	}, images.Policy{MinAge: 72 * time.Hour, KeepNewest: 2, Keep: []string{"base/*"}}, now
}

// imageSweep removes the same images by the Engine's API alone and by a sweep,
// in turns. What filling the Engine has left to write is on disk before either
// begins: the deletion that syncs first would pay for it.
func imageSweep(ctx context.Context, j *job, r *report) {
	e := engine.Private(j)
	var alone, swept []time.Duration
	var shares []float64
	for round := range sweptRounds {
		names := fill(j, e, fmt.Sprint("alone", round))
		unix.Sync()
		began := time.Now()
		for _, name := range names {
			if err := e.Do(http.MethodDelete, "/images/"+name, nil, nil); err != nil {
				j.Fatal(err)
			}
		}
		alone = append(alone, time.Since(began))
		fill(j, e, fmt.Sprint("swept", round))
		all, deleting := sweepImages(ctx, j, e)
		swept, shares = append(swept, all), append(shares, float64(all)/float64(deleting))
	}
	ratio := float64(slices.Min(swept)) / float64(slices.Min(alone))
	note := fmt.Sprintf("%d images of %d files, least of %d; the wait left out", sweptImages, sweptFiles, sweptRounds)
	r.add(figure{"sweep of images, time", "x Engine", ratio, 1.1, fmt.Sprintf("%s; the Engine alone: %.0f ms", note, milli(slices.Min(alone)))})
	r.add(figure{"sweep of images, beside the deletions in it", "x", slices.Min(shares), 1.1, note})
}

// fill gives the Engine images that differ, and returns their names.
func fill(j *job, e *engine.Daemon, repo string) (names []string) {
	for n := range sweptImages {
		query := url.Values{"fromSrc": {"-"}, "repo": {"bench/" + repo}, "tag": {fmt.Sprint(n)}, "changes": {"LABEL " + engine.Label + "=bench"}}
		if err := e.Do(http.MethodPost, "/images/create?"+query.Encode(), archive(j), nil); err != nil {
			j.Fatal(err)
		}
		names = append(names, fmt.Sprintf("bench/%s:%d", repo, n))
	}
	return names
}

// archive is a layer of many small files, as an application's is.
func archive(j *job) *bytes.Buffer {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	content := make([]byte, sweptBytes)
	for n := range sweptFiles {
		_, _ = rand.Read(content)
		err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("app/%d/%d", n/100, n), Mode: 0o644, Size: sweptBytes})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			j.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		j.Fatal(err)
	}
	return &layer
}

// A stopwatch is a remover that counts how long the calls take that delete an
// image: what the same sweep spends beside them is Berth's alone, however busy
// the disk is.
type stopwatch struct {
	*docker.Remover
	deleting atomic.Int64 // nanoseconds
}

// RemoveName implements [images.Remover].
func (s *stopwatch) RemoveName(ctx context.Context, name string) (bool, error) {
	began := time.Now()
	deleted, err := s.Remover.RemoveName(ctx, name)
	if deleted {
		s.deleting.Add(int64(time.Since(began)))
	}
	return deleted, err
}

// sweepImages sweeps all that the Engine has, and returns how long that took
// without the wait, and how much of it the Engine needed for the deletions.
func sweepImages(ctx context.Context, j *job, e *engine.Daemon) (all, deleting time.Duration) {
	client, err := docker.Dial(e.Socket())
	if err != nil {
		j.Fatal(err)
	}
	defer client.CloseIdle()
	remover, err := client.Remover()
	if err != nil {
		j.Fatal(err)
	}
	defer remover.CloseIdle()
	dir, err := os.MkdirTemp("", "berth-bench-")
	if err != nil {
		j.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log, err := audit.Open(filepath.Join(dir, "audit"))
	if err != nil {
		j.Fatal(err)
	}
	defer log.Close()
	ledger, err := usage.Open(filepath.Join(dir, "images"))
	if err != nil {
		j.Fatal(err)
	}
	defer ledger.Close()
	const wait = time.Millisecond
	watch := &stopwatch{Remover: remover}
	s := &images.Sweeper{
		Lister: client, Remover: watch, Ledger: ledger, Audit: log, Log: slog.New(slog.DiscardHandler),
		Policy: images.Policy{MinAge: time.Hour}, Wait: wait,
	}
	s.Plan(ctx, false) // the ledger sees them
	s.Now = func() time.Time { return time.Now().Add(100 * time.Hour) }
	unix.Sync()
	report, err := s.Sweep(ctx, images.Options{})
	if err != nil || len(report.Removed) != sweptImages {
		j.Fatalf("removed %d of %d: %v", len(report.Removed), sweptImages, err)
	}
	return report.Duration - wait, time.Duration(watch.deleting.Load())
}
