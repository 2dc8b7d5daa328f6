package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/berth-dev/berth/agent/api"
)

// chosen are the senders that were asked for.
func chosen(all []api.RelaySender, container, service string) []api.RelaySender {
	return slices.DeleteFunc(all, func(r api.RelaySender) bool {
		return !strings.HasPrefix(r.Container, container) || service != "" && r.Service != service
	})
}

func (p *page) relay(r api.Relay) {
	if r.State.Listen == "off" {
		p.line("there is no relay: relay.listen is off")
		return
	}
	p.fact("Listens", p.listens(r.State))
	p.fact("Origin", p.mode(r.State))
	for _, f := range r.State.Faults {
		p.fact("", ink{f, yellow})
	}
	if r.State.Apart != "" {
		p.fact("Apart", ink{text: r.State.Apart})
	}
	p.outlets(r.State.Upstreams)
	if len(r.Senders) == 0 {
		p.line("no container has sent anything")
	}
	t := p.table("~SERVICE", "CONTAINER", "ADDRESS", "LAST", ">DATAGRAMS", ">MESSAGES", ">DELIVERED", ">HELD", ">NO ORIGIN", "~DROPPED")
	for _, s := range r.Senders {
		t.row(s.Service, short(s.Container), s.Address, p.moment(s.Last), s.Count.Datagrams, s.Count.Messages, s.Count.Delivered, s.Count.Held, s.Count.Unresolved, drops(s.Count.Dropped))
	}
	if len(r.Senders) > 1 {
		t.row(ink{"all", bold}, "", "", "", r.Total.Datagrams, r.Total.Messages, r.Total.Delivered, r.Total.Held, r.Total.Unresolved, drops(r.Total.Dropped))
	}
	t.draw()
}

func (p *page) outlets(all []api.RelayOutlet) {
	t := p.table("<UPSTREAM", "STATE", ">DATAGRAMS", ">MESSAGES", ">BYTES", ">HELD", ">DROPPED")
	for _, o := range all {
		state := ink{"not used yet", dim}
		switch at := p.moment(o.Since); {
		case o.Up:
			state = ink{"up since " + at, green}
		case o.Fault != "":
			state = ink{"away since " + at, red}
		}
		t.row(o.URL, state, o.Datagrams, o.Messages, size(o.Bytes), size(o.Held), o.Dropped)
	}
	t.draw()
}

// drops are what was lost, by cause, most first.
func drops(by map[string]uint64) string {
	var parts []string
	for _, cause := range slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b))
	}) {
		if by[cause] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", cause, by[cause]))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *page) listens(r api.RelayState) ink {
	if len(r.Addresses) == 0 {
		return ink{"nowhere (" + r.Listen + ")", yellow}
	}
	return ink{text: strings.Join(r.Addresses, ", ")}
}

func (p *page) mode(r api.RelayState) ink {
	if r.Why == "" {
		return ink{text: r.Mode}
	}
	return ink{text: r.Mode + ": " + r.Why}
}

// relayState is the relay in one line of the status.
func (p *page) relayState(r api.RelayState) ink {
	if r.Listen == "off" || r.Listen == "" {
		return ink{"off", dim}
	}
	where := p.listens(r)
	text := fmt.Sprintf("%s%s%s", where.text, gap, r.Mode)
	if len(r.Upstreams) > 0 {
		text += " to " + r.Upstreams[0].URL
	}
	counts := []string{fmt.Sprintf("%s%d messages", gap, r.Messages)}
	for _, part := range []struct {
		n    uint64
		what string
	}{{r.Dropped, "dropped"}, {r.Held, "held"}, {r.Unresolved, "without an origin"}} {
		if part.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if len(r.Faults) > 0 || r.Dropped > 0 {
		where.style = yellow
	}
	return ink{text + strings.Join(counts, ", "), where.style}
}
