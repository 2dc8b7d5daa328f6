package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

// completeTime bounds how long a shell waits for the daemon.
const completeTime = time.Second

// A completer offers words for an argument.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completing makes a completer of a question to the daemon. What it cannot
// answer it does not offer: a shell is no place for messages.
func (s *session) completing(ask func(context.Context, *api.Client) []string) completer {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words := ask(c.Context(), api.NewClient(s.socket, completeTime))
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		slices.Sort(words)
		return slices.CompactFunc(words, sameWord), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeObjects offers the containers there are, and those whose folders are
// known.
func (s *session) completeObjects(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	return s.completing(func(ctx context.Context, client *api.Client) []string {
		words := containerWords(ctx, client)
		if folders, err := client.LogFolders(ctx, false); err == nil {
			for _, f := range folders {
				words = append(words, hint(short(f.Container), f.Service+", "+f.State))
			}
		}
		return words
	})(c, args, word)
}

// containerWords are the containers there are.
func containerWords(ctx context.Context, client *api.Client) []string {
	all, _ := client.Containers(ctx, "")
	words := make([]string, 0, len(all.Containers))
	for _, c := range all.Containers {
		words = append(words, hint(short(c.ID), c.Name))
	}
	return words
}

// completeRestorable offers what can be brought back.
func (s *session) completeRestorable(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	return s.completing(func(ctx context.Context, client *api.Client) []string {
		folders, _ := client.LogFolders(ctx, false)
		var words []string
		for _, f := range folders {
			if f.State == "restorable" && !slices.Contains(args, short(f.Container)) {
				words = append(words, hint(short(f.Container), f.Service))
			}
		}
		return words
	})(c, nil, word)
}

func (s *session) completeJobs(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	return s.completing(func(ctx context.Context, client *api.Client) []string {
		jobs, _ := client.Jobs(ctx)
		var words []string
		for _, j := range jobs {
			words = append(words, hint(j.Name, j.Schedule))
		}
		return words
	})(c, args, word)
}

func (s *session) completeServices(c *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return s.completing(func(ctx context.Context, client *api.Client) []string {
		maps, _ := client.Portmaps(ctx)
		var words []string
		for _, m := range maps {
			words = append(words, hint(m.Service, ""))
		}
		return words
	})(c, nil, word)
}

func (s *session) completeRecords(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	return s.completing(func(ctx context.Context, client *api.Client) []string {
		records, _ := client.Records(ctx)
		var words []string
		for _, r := range records {
			words = append(words, hint(r.Key, ""))
		}
		return words
	})(c, args, word)
}

// hint is a word and what a shell may show beside it; empty if the word would
// not mean the same once it is typed.
func hint(word, about string) string {
	switch {
	case word == "" || !plain(word):
		return ""
	case about == "":
		return word
	default:
		return word + "\t" + printable(about)
	}
}

// sameWord compares what hints offer, not what they say of it.
func sameWord(a, b string) bool {
	a, _, _ = strings.Cut(a, "\t")
	b, _, _ = strings.Cut(b, "\t")
	return a == b
}
