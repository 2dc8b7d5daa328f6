package api

import "time"

// The types of a [RecordEvent].
const (
	RecordPut    = "put"    // one record, new or changed
	RecordGone   = "gone"   // one record, as it was
	RecordResync = "resync" // all records, and no other
	RecordBeat   = "heartbeat"
)

// RecordEvent is one change of the records in the central store.
type RecordEvent struct {
	Type    string        `json:"type"`
	Rev     uint64        `json:"rev"`
	Cause   string        `json:"cause,omitempty"` // why it has gone: expired or withdrawn
	Records []StoreRecord `json:"records"`
}

// StoreRecord is one host's record as the store holds it.
type StoreRecord struct {
	Key     string    `json:"key"`
	Rev     uint64    `json:"rev"`
	Expires time.Time `json:"expires,omitzero"`
	Record  any       `json:"record"` // the record's own JSON; its schema is documented with the store
}
