package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitDenied      = 4
	exitDegraded    = 6
	exitInvalid     = 78
)

// An outcome ends a command with a code when everything has been said already.
type outcome int

// Error is for who sees the code without having run the command.
func (o outcome) Error() string { return fmt.Sprintf("exit code %d", int(o)) }

// A misuse is a command line that is wrong in itself.
type misuse struct{ error }

// Unwrap returns what is wrong.
func (m misuse) Unwrap() error { return m.error }

func misused(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

// code is the exit code of what a command returned.
func code(err error) int {
	if err == nil {
		return exitOK
	}
	if o, ok := errors.AsType[outcome](err); ok {
		return int(o)
	}
	if _, ok := errors.AsType[misuse](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*config.Invalid](err); ok {
		return exitInvalid
	}
	if _, ok := errors.AsType[*api.Unreachable](err); ok {
		if errors.Is(err, fs.ErrPermission) {
			return exitDenied
		}
		return exitUnreachable
	}
	if p, ok := errors.AsType[*api.Problem](err); ok {
		switch p.Status {
		case http.StatusForbidden:
			return exitDenied
		case http.StatusUnprocessableEntity:
			return exitInvalid
		}
	}
	return exitFailed
}

// explain writes why a command did not do what it was asked.
func explain(w io.Writer, path string, err error) {
	if _, said := errors.AsType[outcome](err); said {
		return
	}
	if invalid, ok := errors.AsType[*config.Invalid](err); ok {
		for _, fault := range invalid.Faults {
			_, _ = fmt.Fprintln(w, printable(fault.String()))
		}
		return
	}
	if p, ok := errors.AsType[*api.Problem](err); ok {
		for _, fault := range p.Errors {
			_, _ = fmt.Fprintln(w, printable(config.Fault(fault).String()))
		}
	}
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	_, _ = fmt.Fprintf(w, "berth: %s\n", printable(oneLine(text)))
	if _, ok := errors.AsType[misuse](err); ok {
		_, _ = fmt.Fprintf(w, "See: %s --help\n", path)
	}
}

// oneLine joins the lines of an error that was joined of many.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }), "; ")
}
