package agent

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/store"
)

// ListRecords asks a store for the records of a cluster.
func ListRecords(ctx context.Context, s store.Store, cluster string) ([]api.StoreRecord, error) {
	shot, err := s.List(ctx, cluster)
	if err != nil {
		return nil, err
	}
	return recordsIn(shot)
}

// WatchRecords hands each change of a cluster to each, until ctx ends, the
// store is closed or each returns an error.
func WatchRecords(ctx context.Context, s store.Store, cluster string, since uint64, each func(api.RecordEvent) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := s.Watch(ctx, cluster, store.Rev(since))
	if err != nil {
		return err
	}
	for e := range events {
		told, err := eventOf(e)
		if err == nil {
			err = each(told)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func recordsIn(shot store.Snapshot) ([]api.StoreRecord, error) {
	records := make([]api.StoreRecord, 0, len(shot.Entries))
	for _, e := range shot.Entries {
		r, err := recordIn(e)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

func recordIn(e store.Entry) (api.StoreRecord, error) {
	body, err := store.Encode(e.Record)
	if err != nil {
		return api.StoreRecord{}, fmt.Errorf("record of %s: %w", e.Key.Host, err)
	}
	return api.StoreRecord{Key: e.Key.String(), Rev: uint64(e.Rev), Expires: stamp(e.Expires), Record: json.RawMessage(body)}, nil
}

// eventOf is how readers outside are told of a change. A record that was not
// known when it went has its key alone.
func eventOf(e store.Event) (told api.RecordEvent, err error) {
	told = api.RecordEvent{Rev: uint64(e.Rev), Cause: string(e.Cause)}
	switch e.Kind {
	case store.Put:
		told.Type = api.RecordPut
	case store.Gone:
		told.Type = api.RecordGone
	default:
		told.Type = api.RecordResync
		told.Records, err = recordsIn(e.Snapshot)
		return told, err
	}
	if e.Entry.Record.V == 0 {
		told.Records = []api.StoreRecord{{Key: e.Entry.Key.String(), Record: map[string]any{}}}
		return told, nil
	}
	r, err := recordIn(e.Entry)
	told.Records = []api.StoreRecord{r}
	return told, err
}
