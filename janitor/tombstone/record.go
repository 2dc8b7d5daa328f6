package tombstone

import "encoding/json"

// What the journal says of a stone. An intent is written before the rename or
// the first unlink, gone after the last.
const (
	opBury    = "bury"
	opConfirm = "confirm"
	opRestore = "restore"
	opPurge   = "purge"
	opGone    = "gone"
)

// A record is one value of the journal.
type record struct {
	Op    string `json:"op"`
	Name  string `json:"name,omitempty"`
	Stone *Stone `json:"stone,omitempty"` // with bury
}

func decode(b []byte) (r record, err error) {
	err = json.Unmarshal(b, &r)
	return r, err
}
