package tombstone

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// What the journal says of a stone. An intent to bury or purge is on disk before
// the rename or the first unlink. One to restore is written before the rename,
// and that something is done afterwards; neither needs a sync: what is lost of
// it shows in that the stone is not there.
const (
	opBury    = "bury"
	opConfirm = "confirm"
	opRestore = "restore"
	opStay    = "stay" // the restore came to nothing
	opPurge   = "purge"
	opGone    = "gone"
)

// A record is one value of the journal.
type record struct {
	Op    string `json:"op"`
	Name  string `json:"name,omitempty"`
	Stone *Stone `json:"stone,omitempty"` // with bury
	Rel   []byte `json:"rel,omitempty"`   // with bury, where Stone.Rel is not UTF-8 and JSON would change it
}

func buried(s Stone) record {
	r := record{Op: opBury, Stone: &s}
	if !utf8.ValidString(s.Rel) {
		r.Rel = []byte(s.Rel)
	}
	return r
}

func decode(b []byte) (r record, err error) {
	if err := json.Unmarshal(b, &r); err != nil {
		return r, err
	}
	if r.Op == opBury {
		if r.Stone == nil || !isStoneName(r.Stone.Name) {
			return r, errors.New("bury without a stone")
		}
		if r.Rel != nil {
			r.Stone.Rel = string(r.Rel)
		}
	}
	return r, nil
}
