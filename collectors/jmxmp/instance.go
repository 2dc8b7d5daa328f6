package jmxmp

import (
	"cmp"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A key names one instance: its service with its task, or with its container's
// ID outside ECS. The sidecars of a task are no instances of their own.
type key struct{ service, unit string }

func instance(c inventory.Container) key {
	return key{service: c.Service, unit: cmp.Or(c.Task, string(c.ID))}
}

// instances numbers the instances of every service by the start of their
// oldest container, then by its ID.
func instances(containers []inventory.Container) map[key]int {
	oldest := map[key]inventory.Container{}
	for _, c := range containers {
		if !counts(c) {
			continue
		}
		if o, seen := oldest[instance(c)]; !seen || older(c, o) < 0 {
			oldest[instance(c)] = c
		}
	}
	order := make([]inventory.Container, 0, len(oldest))
	for _, c := range oldest {
		order = append(order, c)
	}
	slices.SortFunc(order, older)
	numbers, last := make(map[key]int, len(order)), map[string]int{}
	for _, c := range order {
		last[c.Service]++
		numbers[instance(c)] = last[c.Service]
	}
	return numbers
}

// older orders by start. One whose start is not known yet has only just been
// started, so it comes last and no other's number moves when it is learned.
func older(a, b inventory.Container) int {
	return cmp.Or(unknown(a.Started)-unknown(b.Started), a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
}

func unknown(t time.Time) int {
	if t.IsZero() {
		return 1
	}
	return 0
}
