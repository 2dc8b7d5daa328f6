package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (s *session) man() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Args: cobra.ExactArgs(1),
		Short: "Write the manual pages of all commands into a folder",
		Long: "Write one manual page for each command into a folder, which is made if it is\n" +
			"missing. Packages bring the pages along; this is for whoever installs the binary\n" +
			"alone. SOURCE_DATE_EPOCH sets their date, so that the same build writes the same\n" +
			"bytes.",
		Example: "  berth man /usr/local/share/man/man8 && man berth-status",
		RunE: func(c *cobra.Command, args []string) error {
			date, err := s.manDate()
			if err != nil {
				return err
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("make folder of manual pages: %w", err)
			}
			pages, err := manual(c.Root(), args[0], date)
			if err != nil {
				return fmt.Errorf("write manual pages: %w", err)
			}
			return s.show(pages, func(p *page) { p.line("%d pages in %s", len(pages), args[0]) })
		},
	}
}

// manual writes the pages of a command and of all below it, and returns their
// paths.
func manual(c *cobra.Command, folder string, date time.Time) ([]string, error) {
	c.DisableAutoGenTag = true
	path := filepath.Join(folder, strings.ReplaceAll(c.CommandPath(), " ", "-")+".8")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	err = doc.GenMan(c, &doc.GenManHeader{
		Section: "8", Date: &date, Source: "Berth", Manual: "Host agent for container hosts",
	}, f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	pages := []string{path}
	for _, sub := range c.Commands() {
		if err != nil || !sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			continue
		}
		var below []string
		below, err = manual(sub, folder, date)
		pages = append(pages, below...)
	}
	return pages, err
}

// manDate is the date that stands below each page: what is asked for, else that
// of the build, else today.
func (s *session) manDate() (time.Time, error) {
	if epoch := s.env.get("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return time.Time{}, misused("SOURCE_DATE_EPOCH is %q and no number of seconds", epoch)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	if built, err := time.Parse(time.RFC3339, Build().Date); err == nil {
		return built, nil
	}
	if s.env.Now != nil {
		return s.env.Now(), nil
	}
	return time.Now(), nil
}
