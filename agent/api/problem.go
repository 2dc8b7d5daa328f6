package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// mimeProblem is what a refusal is served as.
const mimeProblem = "application/problem+json"

// A Problem is a refusal, as RFC 9457 has it.
type Problem struct {
	Type     string  `json:"type"` // urn:berth:problem:<name>, stable
	Title    string  `json:"title"`
	Status   int     `json:"status"` // the HTTP status
	Detail   string  `json:"detail"` // one sentence on this very case
	Instance string  `json:"instance"`
	Errors   []Fault `json:"errors"` // faults of a refused configuration; else empty
}

// Error is the title and the detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// Is reports whether target is a problem of the same type, so that errors.Is
// can ask for a kind of problem.
func (p *Problem) Is(target error) bool {
	other, ok := target.(*Problem)
	return ok && other.Type == p.Type
}

func newProblem(status int, name, title, detail string) *Problem {
	return &Problem{Type: "urn:berth:problem:" + name, Title: title, Status: status, Detail: detail}
}

// BadRequest is a request that cannot be understood; 400.
func BadRequest(format string, args ...any) *Problem {
	return newProblem(http.StatusBadRequest, "bad-request", "Request not understood", fmt.Sprintf(format, args...))
}

// Forbidden is a caller without the right; 403.
func Forbidden(format string, args ...any) *Problem {
	return newProblem(http.StatusForbidden, "forbidden", "Not permitted", fmt.Sprintf(format, args...))
}

// NotFound is an object or route that does not exist; 404.
func NotFound(format string, args ...any) *Problem {
	return newProblem(http.StatusNotFound, "not-found", "Not found", fmt.Sprintf(format, args...))
}

// MethodNotAllowed is a route asked with the wrong method; 405.
func MethodNotAllowed(format string, args ...any) *Problem {
	return newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed", fmt.Sprintf(format, args...))
}

// Conflict is something that the present state does not allow: a job that
// runs already, a plan that is no longer true; 409.
func Conflict(format string, args ...any) *Problem {
	return newProblem(http.StatusConflict, "conflict", "Conflict", fmt.Sprintf(format, args...))
}

// TooLarge is a body over the limit; 413.
func TooLarge(format string, args ...any) *Problem {
	return newProblem(http.StatusRequestEntityTooLarge, "too-large", "Request too large", fmt.Sprintf(format, args...))
}

// InvalidConfig is a configuration that was refused, with all its faults; 422.
func InvalidConfig(faults []Fault, format string, args ...any) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid-config", "Configuration rejected", fmt.Sprintf(format, args...))
	p.Errors = faults
	return p
}

// Internal is an error of the daemon's own; 500.
func Internal(err error) *Problem {
	return newProblem(http.StatusInternalServerError, "internal", "Internal error", err.Error())
}

// Unavailable is a daemon that is not ready or not well; 503.
func Unavailable(err error) *Problem {
	return newProblem(http.StatusServiceUnavailable, "unavailable", "Not ready", err.Error())
}

// maxProblem bounds how much of a refusal a client reads, in bytes.
const maxProblem = 1 << 20

// readProblem reads a refusal; what is no problem document becomes one.
func readProblem(r *http.Response) *Problem {
	text, _ := io.ReadAll(io.LimitReader(r.Body, maxProblem))
	p := &Problem{}
	if err := json.Unmarshal(text, p); err == nil && p.Status != 0 {
		return p
	}
	return newProblem(r.StatusCode, "unknown", http.StatusText(r.StatusCode), strings.TrimSpace(string(text)))
}
