package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) store() *cobra.Command {
	c := &cobra.Command{
		Use:     "store",
		Short:   "Records of all hosts in the central store",
		Example: "  berth store ls\n  berth store get\n  berth store watch --store etcd://10.0.0.5:2379 --cluster prod --json",
	}
	r := s.reading(c)
	c.AddCommand(s.storeList(r), s.storeGet(r), s.storeWatch(r))
	return c
}

func (s *session) storeList(r *reading) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Args: cobra.NoArgs,
		Short:   "List the records",
		Example: "  berth store ls\n  berth store ls --json | jq -r '.[].key'",
		RunE: func(c *cobra.Command, _ []string) error {
			records, err := s.records(c.Context(), r)
			if err != nil {
				return err
			}
			return s.show(list(records), func(p *page) {
				if len(records) == 0 {
					p.line("the store holds no record")
				}
				t := p.table("~KEY", ">REVISION", "EXPIRES")
				for _, r := range records {
					t.row(r.Key, r.Rev, p.moment(r.Expires))
				}
				t.draw()
			})
		},
	}
}

// records are those of a reading's source.
func (s *session) records(ctx context.Context, r *reading) ([]api.StoreRecord, error) {
	from, done, err := s.source(r)
	if err != nil {
		return nil, err
	}
	defer done()
	return from.Records(ctx)
}

func (s *session) storeGet(r *reading) *cobra.Command {
	return &cobra.Command{
		Use: "get [HOST]", Args: cobra.MaximumNArgs(1), ValidArgsFunction: s.completeRecords,
		Short:   "Print one host's record, as JSON; this host's if none is named",
		Example: "  berth store get\n  berth store get i-0abc123 | jq .record.maps",
		RunE: func(c *cobra.Command, args []string) error {
			host, err := s.hostOr(c, args)
			if err != nil {
				return err
			}
			records, err := s.records(c.Context(), r)
			if err != nil {
				return err
			}
			at := slices.IndexFunc(records, func(r api.StoreRecord) bool {
				return r.Key == host || strings.HasSuffix(r.Key, "/"+host)
			})
			if at < 0 {
				return fmt.Errorf("the store holds no record of %s: see berth store ls", host)
			}
			return s.document(records[at])
		},
	}
}

// hostOr returns the host or key that was named, or this host.
func (s *session) hostOr(c *cobra.Command, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	status, err := s.client().Status(c.Context())
	return status.Host.ID, err
}

func (s *session) storeWatch(r *reading) *cobra.Command {
	var since uint64
	c := &cobra.Command{
		Use: "watch", Args: cobra.NoArgs,
		Short: "Follow the records until interrupted",
		Long: "Follow the records until interrupted. First come all of them, as of type resync; then\n" +
			"each that is put or gone. A resync later on replaces all that came before it. With\n" +
			"--json, one object a line; through the daemon a heartbeat shows that a silent stream\n" +
			"lives.",
		Example: "  berth store watch\n  berth store watch --json | jq -c 'select(.type == \"gone\")'\n  berth store watch --since 4711",
	}
	c.Flags().Uint64Var(&since, "since", 0, "revision up to which everything is known")
	c.RunE = func(c *cobra.Command, _ []string) error { return s.follow(c.Context(), r, since, s.change) }
	return c
}

// follow hands changes on until it is interrupted.
func (s *session) follow(ctx context.Context, r *reading, since uint64, each func(api.RecordEvent) error) error {
	from, done, err := s.source(r)
	if err != nil {
		return err
	}
	defer done()
	if err := from.WatchRecords(ctx, since, each); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// change shows one change at once.
func (s *session) change(e api.RecordEvent) error {
	if s.json {
		return s.object(e)
	}
	if s.quiet || e.Type == api.RecordBeat {
		return nil
	}
	p := s.page()
	p.line("%s %d  %s", ink{p.clock(p.now), dim}, e.Rev, ink{strings.TrimSpace(e.Type + " " + e.Cause), bold})
	for _, r := range e.Records {
		p.line("  %s", r.Key)
	}
	return s.write(p.text.Bytes())
}
