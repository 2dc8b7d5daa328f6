package tombstone

// SetStep has f called between the steps of every change. If f returns an
// error the change ends there, as in a crash.
func SetStep(y *Yard, f func(step string) error) { y.step = f }

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
	JournalName = journalName
	MaxDepth    = maxDepth
)
