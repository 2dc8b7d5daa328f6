package dogstatsd

import (
	"strings"
	"time"
)

// most is what the agent reads of a datagram.
const most = 8192

// take counts a datagram, and returns how long the receiver is to do nothing.
func (r *Receiver) take(d Datagram) time.Duration {
	messages, errs := parseAll(d.Payload)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.counts
	c.Datagrams++
	c.Bytes += len(d.Payload)
	if len(d.Payload) > most {
		c.Cut++
	}
	if !strings.HasSuffix(d.Payload, "\n") {
		c.Unended++
	}
	for _, err := range errs {
		c.Messages, c.Errors, c.LastError = c.Messages+1, c.Errors+1, err
	}
	for _, m := range messages {
		c.add(m, d.PID)
	}
	if r.options.Keep {
		r.kept = append(r.kept, d)
	}
	return r.delay
}

func (c *Counts) add(m Message, pid int) {
	c.Messages++
	c.ByName[m.Name]++
	for _, tag := range m.Tags {
		c.ByTag[tag]++
	}
	if m.Container != "" {
		c.ByContainer[m.Container]++
	}
	if pid != 0 {
		c.ByPID[pid]++
	}
}

func parseAll(payload string) (messages []Message, errs []error) {
	for line := range strings.SplitSeq(payload, "\n") {
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			continue
		}
		m, err := Parse(line)
		if err != nil {
			errs = append(errs, err)
		} else {
			messages = append(messages, m)
		}
	}
	return messages, errs
}
