package cli

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) ps() *cobra.Command {
	return &cobra.Command{
		Use: "ps [SERVICE|NAME|ID]", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: s.completing(containerWords),
		Short:             "The containers on this host",
		Long:              "Every container that exists on this host, in whatever state: its service, where\nit listens, what it has reserved and where its logs are. With a service, a name or\nthe beginning of an ID, only those.",
		Example:           "  berth ps\n  berth ps orders\n  berth ps --json | jq -r '.containers[] | select(.ecs | not).name'",
		RunE: func(c *cobra.Command, args []string) error {
			match := strings.Join(args, "")
			all, err := s.client().Containers(c.Context(), match)
			if err != nil {
				return err
			}
			return s.show(all, func(p *page) { p.containers(all, match) })
		},
	}
}

func (p *page) containers(all api.Containers, match string) {
	switch {
	case !all.Synced:
		p.line("%s", ink{"Docker has not been seen yet: this list is not complete", yellow})
	case all.Blind != "":
		p.line("%s", ink{"as of " + p.moment(all.At) + ": " + all.Blind, yellow})
	case len(all.Containers) == 0 && match != "":
		p.line("no container on this host is of a service or has a name or ID of %q", match)
	case len(all.Containers) == 0:
		p.line("there is no container on this host")
	}
	t := p.table("~SERVICE", "CONTAINER", "~NAME", "TASK", "STATE", "ADDRESS", "~PORTS", ">CPU", ">MEMORY", "<LOG FOLDER")
	for _, c := range all.Containers {
		cpu, memory := "", ""
		if c.Reserved.CPU > 0 {
			cpu = fmt.Sprint(c.Reserved.CPU)
		}
		if c.Reserved.Memory > 0 {
			memory = size(c.Reserved.Memory << 20)
		}
		t.row(c.Service, short(c.ID), c.Name, task(c.Task), p.state(c), strings.Join(c.Addresses, ","), ports(c.Ports), cpu, memory, c.LogFolder)
	}
	t.draw()
}

// task is the last part of a task's ARN, shortened.
func task(arn string) string {
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	if len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
		id = id[:12]
	}
	return id
}

// state is what a container does, and since when or how it ended.
func (p *page) state(c api.Container) ink {
	text, style := c.State, ""
	switch c.Health {
	case "unhealthy":
		text, style = text+" (unhealthy)", red
	case "starting":
		text += " (starting)"
	}
	switch c.State {
	case "running":
		if style == "" {
			style = green
		}
	case "exited", "dead":
		text, style = fmt.Sprintf("%s (%d)", text, c.ExitCode), dim
		if c.Finished != nil && p.screen {
			text += " " + p.moment(*c.Finished)
		}
	}
	return ink{text, style}
}

// ports are published ports as "host address:host port→port/protocol". The
// same port on all addresses of both families is one.
func ports(all []api.Port) string {
	var shown []string
	for _, port := range all {
		at := fmt.Sprint(port.Host)
		if addr, err := netip.ParseAddr(port.HostIP); err == nil && !addr.IsUnspecified() {
			at = netip.AddrPortFrom(addr, port.Host).String()
		}
		text := fmt.Sprintf("%s→%d/%s", at, port.Container, port.Protocol)
		if !slices.Contains(shown, text) {
			shown = append(shown, text)
		}
	}
	return strings.Join(shown, ",")
}
