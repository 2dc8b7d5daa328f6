package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/store"
)

// A hostPort is a published port and the host it is on.
type hostPort struct {
	Host string `json:"host"`
	api.Portmap
	Local bool `json:"local"` // other hosts cannot reach it
}

// A portChange is one line of a watch.
type portChange struct {
	Type string   `json:"type"` // up or down
	Port hostPort `json:"port"`
}

// portsIn are the ports of a record; of one service, if it is named.
func portsIn(r store.Record, service string) []hostPort {
	var all []hostPort
	for _, m := range r.Mappings {
		if service != "" && m.Service != service {
			continue
		}
		all = append(all, hostPort{Host: r.Host, Local: m.Local, Portmap: api.Portmap{
			Service: m.Service, Instance: m.Instance, Container: m.Container, ID: m.ID, Task: m.Task, Port: m.Port,
			Protocol: m.Protocol, HostIP: addrText(m.IP), HostPort: m.HostPort, Name: m.Name, URL: m.URL,
		}})
	}
	return all
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// at is where other hosts reach a port; empty: nowhere.
func (h hostPort) at() string {
	switch {
	case h.Local || h.HostIP == "":
		return ""
	case h.URL != "":
		return h.URL
	}
	return joined(h.HostIP, h.HostPort)
}

// joined is host:port.
func joined(host string, port uint16) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }

// allPorts are the ports in a list of records, by service.
func allPorts(records []api.StoreRecord, service string) ([]hostPort, error) {
	all := []hostPort{}
	for _, r := range records {
		record, err := recordOf(r)
		if err != nil {
			return nil, err
		}
		all = append(all, portsIn(record, service)...)
	}
	slices.SortStableFunc(all, func(a, b hostPort) int { return strings.Compare(a.Service, b.Service) })
	return all, nil
}

// formats by their names, beside the table and --json.
func formats() []string { return []string{"table", "json", "prom-http-sd", "service-url"} }

// showPorts writes the ports of all hosts in a format.
func (s *session) showPorts(all []hostPort, format, service string) error {
	switch {
	case s.quiet && !s.json:
		return nil
	case format == "prom-http-sd":
		return s.document(targets(all))
	case format == "json":
		return s.document(all)
	case format == "service-url":
		p := s.page()
		for _, h := range all {
			if h.URL != "" && !h.Local {
				p.line("%s", h.URL)
			}
		}
		return s.write(p.text.Bytes())
	}
	return s.show(all, func(p *page) {
		if len(all) == 0 {
			p.line("no port%s is published in the store", of(service))
		}
		t := p.table("~SERVICE", "~HOST", ">INSTANCE", "CONTAINER", "PORT", "NAME", "REACHED AT")
		for _, h := range all {
			t.row(h.Service, h.Host, h.Instance, short(h.ID), fmt.Sprintf("%d/%s", h.Port, h.Protocol), h.Name, h.at())
		}
		t.draw()
	})
}

func of(service string) string {
	if service == "" {
		return ""
	}
	return " of service " + service
}

// A target is one port as Prometheus takes it from HTTP service discovery.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// targets are the ports that other hosts can reach.
func targets(all []hostPort) []target {
	out := []target{}
	for _, h := range all {
		if h.Local || h.HostIP == "" {
			continue
		}
		out = append(out, target{[]string{joined(h.HostIP, h.HostPort)}, map[string]string{
			"__meta_berth_host": h.Host, "__meta_berth_service": h.Service, "__meta_berth_instance": strconv.Itoa(h.Instance),
			"__meta_berth_container": h.Container, "__meta_berth_container_id": h.ID, "__meta_berth_task": h.Task,
			"__meta_berth_port": strconv.Itoa(int(h.Port)), "__meta_berth_protocol": h.Protocol, "__meta_berth_name": h.Name,
			"__meta_berth_url": h.URL,
		}})
	}
	return out
}

// watchPorts tells of ports that come and go.
func (s *session) watchPorts(ctx context.Context, r *reading, service string) error {
	known := map[string][]hostPort{} // by key
	return s.follow(ctx, r, 0, func(e api.RecordEvent) error {
		next := map[string][]hostPort{}
		for _, r := range e.Records {
			if next[r.Key] = nil; e.Type == api.RecordGone {
				continue
			}
			record, err := recordOf(r)
			if err != nil {
				return err
			}
			next[r.Key] = portsIn(record, service)
		}
		if e.Type == api.RecordResync {
			for key := range known {
				if _, there := next[key]; !there {
					next[key] = nil
				}
			}
		}
		return s.compare(known, next)
	})
}

// compare tells what is new in next, and puts it into known.
func (s *session) compare(known, next map[string][]hostPort) error {
	for key, now := range next {
		was := known[key]
		known[key] = now
		for _, h := range was {
			if !slices.Contains(now, h) {
				if err := s.portChange(portChange{"down", h}); err != nil {
					return err
				}
			}
		}
		for _, h := range now {
			if !slices.Contains(was, h) {
				if err := s.portChange(portChange{"up", h}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *session) portChange(c portChange) error {
	if s.json {
		return s.object(c)
	}
	if s.quiet {
		return nil
	}
	p := s.page()
	h := c.Port
	p.line("%s %s %s  %s  %s  %s", ink{p.clock(p.now), dim}, ink{fmt.Sprintf("%-4s", c.Type), bold}, h.Service, h.Host, h.Name, h.at())
	return s.write(p.text.Bytes())
}
