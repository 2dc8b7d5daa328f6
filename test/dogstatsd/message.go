package dogstatsd

import (
	"errors"
	"fmt"
	"strings"
)

// A Kind is one of the three things that a line can be.
type Kind int

// The kinds.
const (
	Metric Kind = iota
	Event
	Check
)

// A Message is what one line says.
type Message struct {
	Kind Kind
	Name string // of the metric or service check; the title of an event

	Type   string    // of a metric: c g ms h s d
	Values []float64 // of a metric but a set
	Set    string    // of a set
	Rate   float64   // of a metric; 1 if it does not say

	Text   string // of an event; the message of a service check
	Status int    // of a service check
	Host   string // of an event or a service check
	Key    string // of an event: by which others of its kind are found
	Level  string // of an event: its priority
	Source string // of an event: the name of its source's type
	Alert  string // of an event: its alert type

	Tags        []string
	Time        int64 // Unix, in seconds; 0 if it does not say
	Container   string
	External    string
	Cardinality string
}

// Parse returns what a line says, or why the document does not let it.
func Parse(line string) (m Message, err error) {
	var rest string
	switch {
	case strings.ContainsAny(line, "\n"):
		return m, errors.New("a newline inside a line")
	case strings.HasPrefix(line, "_e"):
		m.Kind = Event
		rest, err = m.event(line)
	case strings.HasPrefix(line, "_sc"):
		m.Kind = Check
		rest, err = m.check(line)
	default:
		rest, err = m.metric(line)
	}
	if err == nil {
		err = m.fields(rest)
	}
	if err != nil {
		return Message{}, fmt.Errorf("parse %.200q: %w", line, err)
	}
	return m, nil
}

// fields takes in what follows the type, status or text: nothing, or "|" and
// fields with "|" between them.
func (m *Message) fields(rest string) error {
	if rest == "" {
		return nil
	}
	if rest[0] != '|' {
		return fmt.Errorf("%q where a field should begin", rest)
	}
	seen := map[string]bool{}
	for field := range strings.SplitSeq(rest[1:], "|") {
		kind, value, known := m.kindOf(field)
		if !known {
			return fmt.Errorf("field %q, which the document does not have", field)
		}
		if seen[kind] {
			return fmt.Errorf("a second field %q", field)
		}
		if seen["m:"] && kind != "c:" && kind != "e:" && kind != "card:" {
			return fmt.Errorf("field %q after the message", field)
		}
		seen[kind] = true
		if err := m.field(kind, value); err != nil {
			return fmt.Errorf("field %q: %w", field, err)
		}
	}
	return nil
}

// kindOf returns with which of the beginnings of fields one begins.
func (m *Message) kindOf(field string) (kind, value string, known bool) {
	kinds := [...][]string{
		Metric: {"#", "c:", "e:", "card:", "@", "T"},
		Event:  {"#", "c:", "e:", "card:", "d:", "h:", "k:", "p:", "s:", "t:"},
		Check:  {"#", "c:", "e:", "card:", "d:", "h:", "m:"},
	}
	for _, kind := range kinds[m.Kind] {
		if value, is := strings.CutPrefix(field, kind); is {
			return kind, value, true
		}
	}
	return "", "", false
}
