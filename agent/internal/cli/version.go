package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

// Build is which build this is, as the Go toolchain noted it.
func Build() api.Version {
	v := api.Version{Version: "dev", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, API: "v1"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if tag := info.Main.Version; tag != "" && tag != "(devel)" {
		v.Version = strings.TrimPrefix(tag, "v")
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Date = s.Value
		}
	}
	return v
}

// Versions are this build and the daemon's.
type Versions struct {
	Client api.Version  `json:"client"`
	Server *api.Version `json:"server,omitempty"` // absent if no daemon answers
}

func (s *session) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Args: cobra.NoArgs,
		Short:   "Which build this is, and which one the daemon is",
		Example: "  berth version\n  berth version --json | jq -r .client.version",
		RunE: func(c *cobra.Command, _ []string) error {
			v := Versions{Client: Build()}
			server, err := s.client().Version(c.Context())
			if err == nil {
				v.Server = &server
			}
			return s.show(v, func(p *page) { p.version(v, err) })
		},
	}
}

func (p *page) version(v Versions, err error) {
	p.line("berth %s", buildLine(v.Client))
	switch {
	case err != nil:
		p.line("daemon: %s", ink{err.Error(), dim})
	case *v.Server == v.Client:
		p.line("daemon: the same build")
	default:
		p.line("daemon: %s", ink{buildLine(*v.Server), yellow})
	}
}

// buildLine is a build on one line.
func buildLine(v api.Version) string {
	parts := []string{}
	if v.Commit != "" {
		parts = append(parts, "commit "+v.Commit[:min(7, len(v.Commit))])
	}
	if v.Date != "" {
		parts = append(parts, v.Date)
	}
	parts = append(parts, v.Go, v.OS+"/"+v.Arch, "API "+v.API)
	return fmt.Sprintf("%s (%s)", cmp.Or(v.Version, "dev"), strings.Join(parts, ", "))
}
