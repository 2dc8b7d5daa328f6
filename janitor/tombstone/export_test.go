package tombstone

// SetCompact sets the size from which the journal is written anew.
func SetCompact(y *Yard, size int64) { y.compact = size }

// Decode reads a record of the journal; nil if it is not a burial.
func Decode(b []byte) (*Stone, error) {
	r, err := decode(b)
	if r.Op != opBury {
		return nil, err
	}
	return r.Stone, err
}

// StoneName makes a name.
var StoneName = stoneName

// Names of what is in a yard, and bounds.
const (
	StonesName  = stonesName
	GrowName    = growName
	JournalName = journalName
	MaxDepth    = maxDepth
)
