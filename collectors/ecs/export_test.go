package ecs

import (
	"encoding/json"

	"github.com/berth-dev/berth/collectors/inventory"
)

// What the tests need of the inside.
var (
	CgroupSize = cgroupSize
	Limits     = limits
	ErrNone    = errNoCgroup
)

// ReadTasks reads an answer of introspection.
func ReadTasks(text []byte) ([]inventory.Task, error) {
	var l list
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, err
	}
	return l.tasks()
}

// ReadSize reads an answer of the metadata endpoint.
func ReadSize(text []byte) (*inventory.TaskSize, error) {
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, err
	}
	return d.size(), nil
}
