package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) relay() *cobra.Command {
	c := &cobra.Command{
		Use:     "relay",
		Short:   "The dogstatsd relay: who sends what, and what became of it",
		Example: "  berth relay stats\n  berth relay tap --service orders\n  berth relay capture --for 30s",
	}
	c.AddCommand(s.relayStats(), s.relayTap(), s.relayCapture())
	return c
}

func (s *session) relayStats() *cobra.Command {
	var container, service string
	c := &cobra.Command{
		Use: "stats", Args: cobra.NoArgs,
		Short: "What the relay has counted, by upstream and by container",
		Long: "What the relay has counted since the daemon was started. A message is a line of a\n" +
			"datagram. Each one is delivered, dropped, or still held; why it was dropped stands\n" +
			"in the last column. Containers that are gone keep their counts for a while.",
		Example: "  berth relay stats\n  berth relay stats --service orders\n" +
			"  berth relay stats --json | jq '.senders[] | select(.count.dropped | add > 0)'",
	}
	s.senderFlags(c, &container, &service)
	c.RunE = func(c *cobra.Command, _ []string) error {
		all, err := s.client().Relay(c.Context())
		if err != nil {
			return err
		}
		all.Senders = chosen(all.Senders, container, service)
		return s.show(all, func(p *page) { p.relay(all) })
	}
	return c
}

// senderFlags are how a command is told of which containers.
func (s *session) senderFlags(c *cobra.Command, container, service *string) {
	c.Flags().StringVar(container, "container", "", "only what the container with this beginning of an ID sends")
	c.Flags().StringVar(service, "service", "", "only what this service's containers send")
	_ = c.RegisterFlagCompletionFunc("container", s.completeSenders(func(r api.RelaySender) string { return hint(short(r.Container), r.Service) }))
	_ = c.RegisterFlagCompletionFunc("service", s.completeSenders(func(r api.RelaySender) string { return hint(r.Service, "") }))
}

func (s *session) completeSenders(word func(api.RelaySender) string) completer {
	return func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return s.completing(func(ctx context.Context, client *api.Client) []string {
			all, _ := client.Relay(ctx)
			var words []string
			for _, r := range all.Senders {
				words = append(words, word(r))
			}
			return words
		})(c, nil, begun)
	}
}

func (s *session) relayTap() *cobra.Command {
	var f api.RelayFilter
	c := &cobra.Command{
		Use: "tap", Args: cobra.NoArgs,
		Short: "Show the lines that pass, until interrupted",
		Long: "Show the lines that pass the relay as they go to the upstream, with the container\n" +
			"that each is from, until interrupted. The relay waits for nobody: lines that come\n" +
			"faster than they are read are left out and counted.",
		Example: "  berth relay tap\n  berth relay tap --service orders --name orders.\n  berth relay tap --json | jq -r .line",
	}
	s.senderFlags(c, &f.Container, &f.Service)
	c.Flags().StringVar(&f.Name, "name", "", "only metrics whose name begins so")
	c.RunE = func(c *cobra.Command, _ []string) error {
		missed := uint64(0)
		err := s.client().RelayTap(c.Context(), f, func(l api.RelayLine) error {
			news := l.Missed - missed
			missed = l.Missed
			return s.tapped(l, news)
		})
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	return c
}

// tapped shows one line at once.
func (s *session) tapped(l api.RelayLine, missed uint64) error {
	if s.json {
		return s.object(l)
	}
	if s.quiet {
		return nil
	}
	p := s.page()
	if missed > 0 {
		p.line("%s", ink{fmt.Sprintf("… %d lines came faster than they were read", missed), yellow})
	}
	if l.Line != "" {
		who := cmp.Or(short(l.Container), l.Address, "unknown")
		p.line("%s  %s  %s  %s", ink{p.clock(l.Time), dim}, ink{fmt.Sprintf("%-12s", who), bold}, cmp.Or(l.Service, "-"), l.Line)
	}
	return s.write(p.text.Bytes())
}

func (s *session) relayCapture() *cobra.Command {
	var r api.CaptureRequest
	length := 10 * time.Second
	c := &cobra.Command{
		Use: "capture", Args: cobra.NoArgs,
		Short: "Write the datagrams that come to a file, for a time",
		Long: "Write the datagrams that come to the relay, as they come, to a file below the daemon's\n" +
			"state folder, where the newest eight stay, and print its path. The Datadog agent replays it: datadog-agent\n" +
			"dogstatsd-replay -f PATH. It takes the rights to operate.",
		Example: "  berth relay capture --for 30s\n  berth relay capture --service orders --json | jq -r .path",
	}
	s.senderFlags(c, &r.Container, &r.Service)
	c.Flags().DurationVar(&length, "for", length, "how long, from 1s to 10m")
	c.RunE = func(c *cobra.Command, _ []string) error {
		r.Seconds = int(length.Round(time.Second).Seconds())
		waited := s.waiting("capturing…")
		done, err := s.client().RelayCapture(c.Context(), r)
		waited()
		if err != nil {
			return err
		}
		return s.show(done, func(p *page) {
			p.line("%d datagrams, %s: %s", done.Datagrams, size(done.Bytes), done.Path)
			if done.Missed > 0 {
				p.line("%s", ink{fmt.Sprintf("%d datagrams came faster than they could be written", done.Missed), yellow})
			}
			if done.Full {
				p.line("%s", ink{"the file is as large as one may be: the capture ended early", yellow})
			}
		})
	}
	return c
}
