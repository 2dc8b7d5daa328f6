package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A call is one request under way, its query checked.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	peer    Peer
	query   url.Values
	sent    int // the status sent; 0: none yet
}

// errGone is a caller that no longer takes the answer.
var errGone = errors.New("caller is gone")

func gone(err error) error { return fmt.Errorf("%w: %w", errGone, err) }

func (c *call) ctx() context.Context { return c.r.Context() }

// flag and number read values that check has seen.
func (c *call) flag(name string) bool { return c.query.Get(name) == "true" }

func (c *call) number(name string) uint64 {
	n, _ := strconv.ParseUint(c.query.Get(name), 10, 64)
	return n
}

// check refuses a query with names that the route does not know, or values
// that its kinds do not allow.
func (c *call) check(params []param) error {
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return BadRequest("the query is malformed: %v", err)
	}
	for name, values := range query {
		at := slices.IndexFunc(params, func(p param) bool { return p.name == name })
		if at < 0 {
			return BadRequest("unknown query value %q%s", name, known(params))
		}
		if len(values) != 1 {
			return BadRequest("query value %s is given %d times", name, len(values))
		}
		if err := params[at].check(values[0]); err != nil {
			return err
		}
	}
	for _, p := range params {
		if p.required && query.Get(p.name) == "" {
			return BadRequest("query value %s is missing: %s", p.name, p.doc)
		}
	}
	c.query = query
	return nil
}

func (p param) check(value string) error {
	switch p.kind {
	case "boolean":
		if value != "true" && value != "false" {
			return BadRequest("query value %s is true or false, not %q", p.name, value)
		}
	case "integer":
		if _, err := strconv.ParseUint(value, 10, 63); err != nil {
			return BadRequest("query value %s is a number from 0, not %q", p.name, value)
		}
	}
	return nil
}

// known names what could have been meant.
func known(params []param) string {
	if len(params) == 0 {
		return ": this route takes none"
	}
	var names []string
	for _, p := range params {
		names = append(names, p.name)
	}
	return ": this route takes " + strings.Join(names, ", ")
}

// text reads the body.
func (c *call) text() ([]byte, error) {
	_ = c.control.SetReadDeadline(time.Now().Add(bodyTime))
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	_ = c.control.SetReadDeadline(time.Time{}) // or it would end the request under way
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, TooLarge("the body is larger than %d bytes", maxBody)
	}
	if err != nil {
		return nil, BadRequest("the body cannot be read: %v", err)
	}
	return text, nil
}

// decode reads a body of one JSON object with no unknown fields.
func (c *call) decode(into any) error {
	text, err := c.text()
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return BadRequest("the body is empty: send a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return BadRequest("the body is not what this route takes: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return BadRequest("the body goes on after its JSON object")
	}
	return nil
}

// empty refuses a body where the route takes none.
func (c *call) empty() error {
	text, err := c.text()
	if err == nil && len(text) > 0 {
		err = BadRequest("this route takes no body")
	}
	return err
}

// send answers with v as JSON, its lists never null.
func (c *call) send(status int, mime string, v any) error {
	text, err := json.Marshal(filled(v))
	if err != nil {
		return fmt.Errorf("encode answer to %s: %w", c.r.URL.Path, err)
	}
	c.w.Header().Set("Content-Type", mime)
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	_ = c.control.SetWriteDeadline(time.Now().Add(writeTime))
	c.w.WriteHeader(status)
	c.sent = status
	if _, err := c.w.Write(append(text, '\n')); err != nil {
		return gone(err)
	}
	_ = c.control.SetWriteDeadline(time.Time{})
	return nil
}

// line sends one line of a stream.
func (c *call) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode line: %w", err)
	}
	_ = c.control.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := c.w.Write(append(text, '\n')); err != nil {
		return err
	}
	return c.control.Flush()
}

// refuse answers with a problem.
func (c *call) refuse(err error) {
	if errors.Is(err, errGone) || c.sent != 0 {
		return
	}
	problem, ok := errors.AsType[*Problem](err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled) && c.ctx().Err() != nil:
		problem = Unavailable(errors.New("berth is stopping"))
	default:
		problem = Internal(err)
	}
	shown := *problem // the backend may keep its own
	if shown.Instance == "" {
		shown.Instance = c.r.URL.Path
	}
	_ = c.send(shown.Status, mimeProblem, shown)
}
