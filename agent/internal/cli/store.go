package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) store() *cobra.Command {
	c := &cobra.Command{
		Use:     "store",
		Short:   "Records of all hosts in the central store",
		Example: "  berth store ls\n  berth store get hosts/i-0abc123",
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
		Use: "get KEY", Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeRecords,
		Short:   "Print one record, as JSON",
		Example: "  berth store get hosts/i-0abc123 | jq .record",
		RunE: func(c *cobra.Command, args []string) error {
			records, err := s.client().Records(c.Context())
			if err != nil {
				return err
			}
			at := slices.IndexFunc(records, func(r api.StoreRecord) bool { return r.Key == args[0] })
			if at < 0 {
				return fmt.Errorf("the store holds no record %s: see berth store ls", args[0])
			}
			return s.document(records[at])
		},
	}
}
