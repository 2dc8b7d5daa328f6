package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/ledger"
	"github.com/berth-dev/berth/janitor/logs"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// childArg is the first argument of a process that this program starts of
// itself: what the janitor does in it can be set beside what rm does in one.
const childArg = "child"

// What a child does below a folder.
const (
	taskBury    = "bury"    // a sweep that removes everything; it stays restorable
	taskPurge   = "purge"   // a sweep that deletes what was removed
	taskDelete  = "delete"  // the same without a sweep: only what deletes
	taskDelete4 = "delete4" // four at a time
)

// A result is what a child has to say.
type result struct {
	Folders int           `json:"folders"` // it has dealt with
	Took    time.Duration `json:"took"`
	Before  int64         `json:"before"` // the most memory it had until it began, in bytes of RSS
	After   int64         `json:"after"`  // the most it ever had
}

// A cost is what a process has cost.
type cost struct {
	result
	cpu  time.Duration // user and system
	wall time.Duration // of the whole process
}

// child runs a task in a process of its own.
func (j *job) child(ctx context.Context, task, dir string) (c cost) {
	self, err := os.Executable()
	j.must(err)
	c, out := j.measured(exec.CommandContext(ctx, self, childArg, task, dir))
	j.must(json.Unmarshal(out, &c.result))
	return c
}

// measured runs a command and returns what it cost and said.
func (j *job) measured(cmd *exec.Cmd) (cost, []byte) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := cmd.Run(); err != nil {
		j.Fatalf("%v: %v\n%s", cmd.Args, err, errs.Bytes())
	}
	return cost{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall: time.Since(began)}, out.Bytes()
}

// runChild is the main of a child.
func runChild(args []string) error {
	if len(args) != 2 {
		return errors.New("a child is started by this program alone")
	}
	r, err := perform(context.Background(), args[0], args[1])
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func perform(ctx context.Context, task, dir string) (result, error) {
	switch task {
	case taskDelete:
		return deleteAll(ctx, logsIn(dir), 1)
	case taskDelete4:
		return deleteAll(ctx, logsIn(dir), 4)
	}
	s, shut, err := newSweeper(dir)
	if err != nil {
		return result{}, err
	}
	defer shut()
	if task == taskPurge {
		s.Undo = 0
	}
	r := result{Before: peak()}
	began := time.Now()
	report, err := s.Sweep(ctx, logs.Options{By: "bench"})
	if err == nil && report.Result() != "ok" {
		err = fmt.Errorf("the sweep was %s: %s", report.Result(), report.Plan.Blind)
	}
	r.Folders, r.Took, r.After = len(report.Removed), time.Since(began), peak()
	if task == taskPurge {
		r.Folders = len(report.Purged)
	}
	return r, err
}

// deleteAll deletes every stone of a yard, some at a time.
func deleteAll(ctx context.Context, path string, atOnce int) (result, error) {
	root, err := beneath.Open(path)
	if err != nil {
		return result{}, err
	}
	defer root.Close()
	yard, err := tombstone.Open(root)
	if err != nil {
		return result{}, err
	}
	defer yard.Close()
	if _, err := yard.Recover(); err != nil {
		return result{}, err
	}
	r := result{Before: peak()}
	began := time.Now()
	stones := yard.Stones()
	if err := yard.Intend(stones...); err != nil {
		return result{}, err
	}
	var workers errgroup.Group
	for n := range atOnce {
		workers.Go(func() error {
			for i := n; i < len(stones); i += atOnce {
				if _, err := yard.Purge(ctx, stones[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = workers.Wait()
	r.Folders, r.Took, r.After = len(stones), time.Since(began), peak()
	return r, err
}

// newSweeper makes a sweeper over a folder's logs for which everything is long
// dead. The process table is the host's own.
func newSweeper(dir string) (*logs.Sweeper, func(), error) {
	pattern, err := logs.ParsePattern("{service}/containers/{id}")
	if err != nil {
		return nil, nil, err
	}
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, nil, err
	}
	known, err := ledger.Open(filepath.Join(state, "ledger"))
	if err != nil {
		return nil, nil, err
	}
	told, err := audit.Open(filepath.Join(state, "audit"))
	if err != nil {
		return nil, nil, errors.Join(err, known.Close())
	}
	s := &logs.Sweeper{
		Roots: []logs.Root{{Path: logsIn(dir), Pattern: pattern}}, Lister: nobody{}, Ledger: known, Audit: told,
		Log: slog.New(slog.DiscardHandler), Undo: time.Hour,
	}
	return s, func() { s.Close(); _ = known.Close(); _ = told.Close() }, nil
}

func logsIn(dir string) string { return filepath.Join(dir, "logs") }

// nobody is an Engine that has no container.
type nobody struct{}

// List returns an empty listing.
func (nobody) List(context.Context) (inventory.Listing, error) {
	now := time.Now()
	return inventory.Listing{Taken: now, Engine: inventory.Engine{RootDir: "/var/lib/docker", Started: now.Add(-time.Hour)}}, nil
}

// peak is the most memory that this process has had, in bytes; 0 if the kernel
// does not say.
func peak() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
			return kib << 10
		}
	}
	return 0
}
