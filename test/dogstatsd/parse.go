package dogstatsd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// metric takes in "name:value|type", and returns what follows.
func (m *Message) metric(line string) (rest string, err error) {
	head, rest, _ := strings.Cut(line, "|")
	name, value, ok := strings.Cut(head, ":")
	if !ok || name == "" || value == "" {
		return "", errors.New("no name, or no value")
	}
	if m.Type, rest, ok = strings.Cut(rest, "|"); ok {
		rest = "|" + rest
	}
	m.Name, m.Rate = name, 1
	switch {
	case m.Type == "s":
		m.Set = value
		return rest, nil
	case !slices.Contains([]string{"c", "g", "ms", "h", "d"}, m.Type):
		return "", fmt.Errorf("type %q", m.Type)
	}
	for v := range strings.SplitSeq(value, ":") {
		number, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return "", fmt.Errorf("value %q: %w", v, err)
		}
		m.Values = append(m.Values, number)
	}
	return rest, nil
}

// event takes in "_e{4,5}:title|text", and returns what follows.
func (m *Message) event(line string) (rest string, err error) {
	header, rest, ok := strings.Cut(strings.TrimPrefix(line, "_e{"), "}:")
	title, text, both := strings.Cut(header, ",")
	if !ok || !both || !strings.HasPrefix(line, "_e{") {
		return "", errors.New("no header")
	}
	n, err := strconv.ParseUint(title, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("length of the title %q", title)
	}
	k, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", fmt.Errorf("length of the text %q", text)
	}
	if uint64(len(rest)) < n+1+k || rest[n] != '|' {
		return "", errors.New("title and text do not have the lengths of the header")
	}
	m.Name, m.Text = rest[:n], rest[n+1:n+1+k]
	return rest[n+1+k:], nil
}

// check takes in "_sc|name|status", and returns what follows.
func (m *Message) check(line string) (rest string, err error) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(line, "_sc|"), "|")
	if name == "" || !strings.HasPrefix(line, "_sc|") {
		return "", errors.New("no name")
	}
	status, rest, more := strings.Cut(rest, "|")
	if len(status) != 1 || status[0] < '0' || status[0] > '3' {
		return "", fmt.Errorf("status %q", status)
	}
	m.Name, m.Status = name, int(status[0]-'0')
	if more {
		rest = "|" + rest
	}
	return rest, nil
}

// field takes in one field by its beginning.
func (m *Message) field(kind, value string) (err error) {
	switch kind {
	case "#":
		m.Tags = strings.Split(value, ",")
	case "c:":
		m.Container = value
	case "e:":
		m.External = value
	case "h:":
		m.Host = value
	case "k:":
		m.Key = value
	case "s:":
		m.Source = value
	case "m:":
		m.Text = value
	case "T", "d:":
		m.Time, err = strconv.ParseInt(value, 10, 64)
	case "@":
		m.Rate, err = strconv.ParseFloat(value, 64)
		if !(m.Rate >= 0 && m.Rate <= 1) {
			err = errors.New("not between 0 and 1")
		}
	case "card:":
		m.Cardinality, err = value, oneOf(value, "none", "low", "orchestrator", "high")
	case "p:":
		m.Level, err = value, oneOf(value, "normal", "low")
	case "t:":
		m.Alert, err = value, oneOf(value, "error", "warning", "info", "success")
	}
	return err
}

func oneOf(value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return fmt.Errorf("none of %v", words)
}
