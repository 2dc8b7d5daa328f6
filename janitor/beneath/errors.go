package beneath

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// What a step can be refused for.
var (
	ErrMount       = errors.New("another file system is mounted here")
	ErrSymlink     = errors.New("is a symbolic link")
	ErrNotFolder   = errors.New("is not a folder")
	ErrName        = errors.New("is not the name of one entry")
	ErrReplaced    = errors.New("is no longer the folder that was opened")
	ErrReadOnly    = errors.New("is on a read-only file system")
	ErrUnsupported = errors.New("this kernel can neither openat2 nor tell mounts apart")
)

// refusal turns the kernel's word for a refused step into ours, keeping the
// errno reachable for errors.Is.
func refusal(name string, err error) error {
	var reason error
	switch {
	case errors.Is(err, unix.EXDEV):
		reason = ErrMount
	case errors.Is(err, unix.ELOOP):
		reason = ErrSymlink
	case errors.Is(err, unix.ENOTDIR):
		reason = ErrNotFolder
	default:
		return fmt.Errorf("open %q: %w", name, err)
	}
	return fmt.Errorf("open %q: %w (%w)", name, reason, err)
}
