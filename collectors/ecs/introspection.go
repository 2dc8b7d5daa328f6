package ecs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A list is the agent's answer to /v1/tasks. A pointer tells a missing list
// from an empty one.
type list struct {
	Tasks *[]listedTask
}

type listedTask struct {
	Arn           string
	DesiredStatus string
	KnownStatus   string
	Family        string
	Version       string
}

// An instance is the agent's answer to /v1/metadata.
type instance struct {
	Cluster              string
	ContainerInstanceArn string
}

// tasks returns the listed tasks, sorted by ARN. An answer that names one twice
// or without status is worth nothing as a whole.
func (l list) tasks() ([]inventory.Task, error) {
	if l.Tasks == nil {
		return nil, errors.New("read the ECS agent's answer: it holds no list")
	}
	all := make([]inventory.Task, 0, len(*l.Tasks))
	for _, t := range *l.Tasks {
		if t.Arn == "" || t.KnownStatus == "" {
			return nil, errors.New("read the ECS agent's answer: a task lacks its ARN or status")
		}
		all = append(all, inventory.Task{
			ARN: t.Arn, Family: revision(t.Family, t.Version), Desired: t.DesiredStatus, Known: t.KnownStatus,
		})
	}
	slices.SortFunc(all, func(a, b inventory.Task) int { return cmp.Compare(a.ARN, b.ARN) })
	for i := range all[min(1, len(all)):] {
		if all[i].ARN == all[i+1].ARN {
			return nil, errors.New("read the ECS agent's answer: it names a task twice")
		}
	}
	return all, nil
}

// revision is a family with its version: "orders:211".
func revision(family, version string) string {
	if family == "" {
		return ""
	}
	return strings.TrimSuffix(family+":"+version, ":")
}

// listTasks asks which tasks there are.
func (s server) listTasks(ctx context.Context) ([]inventory.Task, error) {
	var answer list
	if err := s.get(ctx, "/v1/tasks", &answer); err != nil {
		return nil, err
	}
	return answer.tasks()
}

// whoami asks for the cluster and the container instance.
func (s server) whoami(ctx context.Context) (instance, error) {
	var answer instance
	err := s.get(ctx, "/v1/metadata", &answer)
	answer.ContainerInstanceArn = answer.ContainerInstanceArn[strings.LastIndexByte(answer.ContainerInstanceArn, '/')+1:]
	return answer, err
}
