package ecs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-dev/berth/collectors/inventory"
)

const (
	unlimited = 1 << 60 // bytes; version 1 tells no limit as the largest page-aligned number
	mebi      = 1 << 20
)

// errNoCgroup is a task without a cgroup of its own: the ECS agent is told not
// to limit tasks.
var errNoCgroup = errors.New("the task has no cgroup")

// cgroupSize reads what a task's cgroup is limited to. parent is what its
// containers were created below.
func cgroupSize(root, parent string) (*inventory.TaskSize, error) {
	if !isTaskCgroup(parent) {
		return nil, errNoCgroup
	}
	base := filepath.Join(cmp.Or(root, "/"), "sys/fs/cgroup")
	if _, err := os.Stat(filepath.Join(base, "cgroup.controllers")); err == nil {
		return unified(base, parent)
	}
	return legacy(base, parent)
}

// isTaskCgroup reports whether a cgroup's name is one that the ECS agent gives:
// /ecs/<id>, or ecstasks-<id>.slice with systemd.
func isTaskCgroup(parent string) bool {
	id, plain := strings.CutPrefix(parent, "/ecs/")
	if !plain {
		var found bool
		if id, found = strings.CutPrefix(parent, "ecstasks-"); !found {
			return false
		}
		if id, found = strings.CutSuffix(id, ".slice"); !found {
			return false
		}
	}
	return inventory.IsHex(id)
}

// unified reads version 2. A slice lies in the one that its name begins with.
func unified(base, parent string) (*inventory.TaskSize, error) {
	folder := filepath.Join(base, parent)
	if strings.HasSuffix(parent, ".slice") {
		folder = filepath.Join(base, "ecstasks.slice", parent)
	}
	cpu, err1 := line(folder, "cpu.max")
	memory, err2 := line(folder, "memory.max")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	quota, period, _ := strings.Cut(cpu, " ")
	return limits(quota, period, memory)
}

// legacy reads version 1.
func legacy(base, parent string) (*inventory.TaskSize, error) {
	cpu := filepath.Join(base, "cpu", parent)
	quota, err1 := line(cpu, "cpu.cfs_quota_us")
	period, err2 := line(cpu, "cpu.cfs_period_us")
	memory, err3 := line(filepath.Join(base, "memory", parent), "memory.limit_in_bytes")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return limits(quota, period, memory)
}

// line is the first line of a small file.
func line(folder, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", errNoCgroup
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return first, err
}

// limits turns a quota and a limit back into what the task definition says: the
// quota is a share of a period, in whole microseconds. "max", -1 and the largest
// number are no limit.
func limits(quota, period, memory string) (*inventory.TaskSize, error) {
	s := &inventory.TaskSize{Source: inventory.FromCgroup}
	if quota != "max" && quota != "-1" {
		q, err1 := strconv.ParseInt(quota, 10, 64)
		p, err2 := strconv.ParseInt(period, 10, 64)
		if err := errors.Join(err1, err2); err != nil || q <= 0 || p <= 0 {
			return nil, fmt.Errorf("read a task's cgroup: quota %q of period %q", quota, period)
		}
		s.CPU = units(math.Round(float64(q) * 1024 / float64(p)))
	}
	if memory != "max" {
		bytes, err := strconv.ParseInt(memory, 10, 64)
		if err != nil || bytes < 0 {
			return nil, fmt.Errorf("read a task's cgroup: memory limit %q", memory)
		}
		if bytes < unlimited {
			s.Memory = bytes / mebi
		}
	}
	return s, nil
}
