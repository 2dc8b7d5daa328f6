package store

import (
	"errors"
	"fmt"
)

// Errors that callers tell apart.
var (
	// ErrFenced is a record that is not ahead of the one in the store: another
	// agent publishes for the same host.
	ErrFenced = errors.New("another agent has published for this host")
	// ErrClosed is a store or session that has been closed.
	ErrClosed = errors.New("the store is closed")
	// ErrTooLarge is a record over MaxRecord.
	ErrTooLarge = fmt.Errorf("a record is larger than %d bytes", MaxRecord)
	// ErrVersion is a record of a version that this build does not know. The
	// error in full is a *VersionError.
	ErrVersion = errors.New("unknown version of a record")
)

// A VersionError says which version it was.
type VersionError struct{ V int64 }

// Error implements error.
func (e *VersionError) Error() string { return fmt.Sprintf("%v: %d", ErrVersion, e.V) }

// Is makes it match [ErrVersion].
func (e *VersionError) Is(target error) bool { return target == ErrVersion }
