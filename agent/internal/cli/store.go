package cli

import (
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
		Example: "  berth store ls\n  berth store get",
	}
	c.AddCommand(s.storeList(), s.storeGet())
	return c
}

func (s *session) storeList() *cobra.Command {
	return &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Args: cobra.NoArgs,
		Short:   "List the records",
		Example: "  berth store ls\n  berth store ls --json | jq -r '.[].key'",
		RunE: func(c *cobra.Command, _ []string) error {
			records, err := s.client().Records(c.Context())
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

func (s *session) storeGet() *cobra.Command {
	return &cobra.Command{
		Use: "get [HOST]", Args: cobra.MaximumNArgs(1), ValidArgsFunction: s.completeRecords,
		Short:   "Print one host's record, as JSON; this host's if none is named",
		Example: "  berth store get\n  berth store get i-0abc123 | jq .record.maps",
		RunE: func(c *cobra.Command, args []string) error {
			host, err := s.hostOr(c, args)
			if err != nil {
				return err
			}
			records, err := s.client().Records(c.Context())
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
