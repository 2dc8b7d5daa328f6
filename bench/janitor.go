package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/logs"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// rounds is how often what is set beside a peer is measured; the least counts,
// for nothing makes a machine faster than it is.
const rounds = 3

// dead is what a sweep deletes: 100,000 files.
var dead = tree{folders: 2000, files: 50, size: 4096}

// purgeCPU sets what a deletion costs beside rm, where no disk hides it.
func purgeCPU(ctx context.Context, j *job, r *report) {
	dir := j.mount(ctx, 2<<30, 2*dead.all())
	var peer []time.Duration
	ours := map[string][]time.Duration{}
	tasks := []string{taskDelete, taskDelete4, taskPurge}
	for range rounds {
		peer = append(peer, j.remove(ctx, dir).cpu)
		for _, task := range tasks {
			ours[task] = append(ours[task], j.purge(ctx, dir, task).cpu)
		}
	}
	note := fmt.Sprintf("%d files, ext4 in memory, least of %d; rm -rf: %.0f ms", dead.all(), rounds, milli(quantile(peer, 0)))
	for i, name := range []string{"deletion alone", "deletion, 4 at a time", "the whole sweep"} {
		ratio := float64(quantile(ours[tasks[i]], 0)) / float64(quantile(peer, 0))
		r.add(figure{"purge CPU, " + name, "x rm -rf", ratio, 1.15, note})
	}
}

// purgeTime sets how long a deletion takes beside rm, on this machine's disk.
func purgeTime(ctx context.Context, j *job, r *report) {
	dir := j.TempDir()
	var peer, sweep []time.Duration
	for range rounds {
		peer = append(peer, j.remove(ctx, dir).wall)
		sweep = append(sweep, j.purge(ctx, dir, taskPurge).wall)
	}
	note := fmt.Sprintf("%d files on the disk of %s, cold, least of %d; rm -rf: %.0f ms", dead.all(), os.TempDir(), rounds, milli(quantile(peer, 0)))
	r.add(figure{"purge time", "x rm -rf", float64(quantile(sweep, 0)) / float64(quantile(peer, 0)), 0.5, note})
}

// remove measures rm.
func (j *job) remove(ctx context.Context, dir string) cost {
	j.grow(ctx, dir, dead)
	c, _ := j.measured(exec.CommandContext(ctx, "rm", "-rf", logsIn(dir)))
	return c
}

// purge measures a task that deletes what was removed.
func (j *job) purge(ctx context.Context, dir, task string) cost {
	j.grow(ctx, dir, dead)
	if c := j.child(ctx, taskBury, dir); c.Folders != dead.folders {
		j.Fatalf("%d folders were removed, want %d", c.Folders, dead.folders)
	}
	j.must(settle(dir))
	c := j.child(ctx, task, dir)
	if c.Folders != dead.folders {
		j.Fatalf("%d folders were deleted, want %d", c.Folders, dead.folders)
	}
	j.must(os.RemoveAll(filepath.Join(dir, "logs")))
	j.must(os.RemoveAll(filepath.Join(dir, "state")))
	return c
}

// huge measures the memory that one folder of very many files takes.
func huge(ctx context.Context, j *job, r *report) {
	one := tree{folders: 1, files: 1_000_000}
	dir := j.mount(ctx, 1<<30, one.files+1000)
	j.grow(ctx, dir, one)
	for _, task := range []string{taskBury, taskPurge} {
		c := j.child(ctx, task, dir)
		if c.Folders != 1 {
			j.Fatalf("%s: %d folders, want 1", task, c.Folders)
		}
		r.add(figure{
			"RSS growth, " + task + " of 1,000,000 files", "MiB", mebi(c.After - c.Before), 8,
			fmt.Sprintf("one folder; at most %.1f MiB in all, in %v", mebi(c.After), c.Took.Round(time.Millisecond)),
		})
	}
}

// undo measures the way of one folder into the yard and back, on this
// machine's disk.
func undo(ctx context.Context, j *job, r *report) {
	const folders = 1000
	dir := j.TempDir()
	j.grow(ctx, dir, tree{folders: folders, files: 1, size: 100})
	s, shut, err := newSweeper(dir)
	j.must(err)
	report, err := s.Sweep(ctx, logs.Options{By: "bench"})
	j.must(err)
	var back []time.Duration
	for _, f := range report.Removed {
		began := time.Now()
		restored, _, err := s.Restore(ctx, logs.Selector{Object: f.Path}, "bench")
		back = append(back, time.Since(began))
		if err != nil || len(restored) != 1 {
			j.Fatalf("undo: %d folders, %v", len(restored), err)
		}
	}
	shut()
	if len(back) != folders {
		j.Fatalf("%d folders were removed, want %d", len(back), folders)
	}
	away := j.bury(ctx, logsIn(dir), report.Removed)
	note := fmt.Sprintf("over %d folders on the disk of %s, synced", folders, os.TempDir())
	for _, of := range []struct {
		name string
		took []time.Duration
	}{{"tombstone", away}, {"undo", back}} {
		r.add(figure{of.name + " of one folder, p50", "ms", milli(quantile(of.took, 0.5)), 5, note})
		r.add(figure{of.name + " of one folder, p99", "ms", milli(quantile(of.took, 0.99)), 5, note})
	}
}

// bury takes each folder away by itself, as a sweep does.
func (j *job) bury(ctx context.Context, path string, folders []logs.Outcome) (took []time.Duration) {
	root, err := beneath.Open(path)
	j.must(err)
	defer root.Close()
	yard, err := tombstone.Open(root)
	j.must(err)
	defer yard.Close()
	_, err = yard.Recover()
	j.must(err)
	for _, f := range folders {
		j.must(ctx.Err())
		rel := strings.TrimPrefix(f.Path, path+"/")
		parent, err := root.OpenDir(filepath.Dir(rel))
		j.must(err)
		id, _, err := parent.Look(f.Container)
		j.must(errors.Join(err, parent.Close()))
		began := time.Now()
		stone, err := yard.Bury(tombstone.Folder{Rel: rel, Service: f.Service, Container: f.Container, Identity: id}, "bench", began)
		j.must(err)
		j.must(yard.Confirm(stone))
		took = append(took, time.Since(began))
	}
	return took
}

// history measures an answer from an audit that is nearly full.
func history(ctx context.Context, j *job, r *report) {
	dir := j.TempDir()
	l, err := audit.Open(dir)
	j.must(err)
	defer l.Close()
	const batch, reason = 1000, "its container was removed at 2026-01-01T00:00:00Z; last change 2026-01-01T00:00:00Z, 50 files, 204800 bytes"
	records, count := make([]audit.Record, batch), 0
	name := func(n int) string { return fmt.Sprintf("%012x", n*0x9e3779b1%(1<<48)) }
	for sizeOfAll(j, dir) < (audit.MaxSegments-1)*audit.SegmentSize+audit.SegmentSize*9/10 {
		j.must(ctx.Err())
		for i := range records {
			id := name(count)
			records[i] = audit.Record{
				Time: time.Now(), Action: audit.Removed, Path: "/var/log/apps/orders/containers/" + id,
				Service: "orders", Container: id, Plan: id, Code: logs.CodeGone, Reason: reason, Bytes: 204800, By: "schedule",
			}
			count++
		}
		j.must(l.Append(records...))
	}
	var took []time.Duration
	for i := range 101 {
		id := name(i * count / 101)
		began := time.Now()
		found, err := l.Find(id, 200)
		took = append(took, time.Since(began))
		if err != nil || len(found) != 1 {
			j.Fatalf("%d records of %s, %v", len(found), id, err)
		}
	}
	note := fmt.Sprintf("%d records in %.0f MiB", count, mebi(sizeOfAll(j, dir)))
	r.add(figure{"history of one container, first", "ms", milli(took[0]), 0, note + "; makes the indexes"})
	r.add(figure{"history of one container, p50", "ms", milli(quantile(took[1:], 0.5)), 10, note})
	r.add(figure{"history of one container, p99", "ms", milli(quantile(took[1:], 0.99)), 10, note})
}

// sizeOfAll is the size of the segments in a folder.
func sizeOfAll(j *job, dir string) (size int64) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	j.must(err)
	for _, path := range paths {
		size += sizeOf(j, path)
	}
	return size
}
