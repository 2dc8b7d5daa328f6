package line_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
)

// An agentView is what the Datadog agent makes of a line's origin, with all its
// leniencies, as far as they can hide a container from us.
type agentView struct {
	taken     bool
	container string // the last one counts
	named     bool   // there is one, though it may be empty
	tags      string // the last section
}

// The agent takes what it took, and never sees another container than it
// should; tags are ours behind those that it saw.
func FuzzTheAgentSeesOneContainer(f *testing.F) {
	fuzzed(f, func(t *testing.T, in []byte) {
		before := seenByAgent(string(in))
		if !before.taken {
			if out := appended(t, line.Field(id, false), in); seenByAgent(string(out)).taken {
				t.Errorf("%q is not taken, and as %q it is", in, out)
			}
			return
		}
		want := before
		if want.named = true; !before.named {
			want.container = id
		}
		sees(t, line.Field(id, false), in, want)
		sees(t, line.Field(id, true), in, agentView{true, id, true, before.tags})
		for _, m := range []line.Mark{line.Strip(), line.Tags(addedTags, true)} {
			if after := seenByAgent(string(appended(t, m, in))); after.named {
				t.Errorf("the agent sees container %q in what became of %q", after.container, in)
			}
		}
		after := seenByAgent(string(appended(t, line.Tags(addedTags, false), in)))
		if !after.taken || after.container != before.container || !strings.HasPrefix(after.tags, before.tags) {
			t.Errorf("with tags the agent sees %+v in what became of %q", after, in)
		}
	})
}

func sees(t *testing.T, m line.Mark, in []byte, want agentView) {
	t.Helper()
	out := appended(t, m, in)
	if got := seenByAgent(string(out)); got != want {
		t.Errorf("%q became %q, in which the agent sees %+v, want %+v", in, out, got, want)
	}
}

// seenByAgent follows the agent's parser of version 7.6x.
func seenByAgent(in string) agentView {
	var fields string
	var more, taken bool
	switch {
	case strings.HasPrefix(in, "_e{"):
		fields, more, taken = eventByAgent(in)
	case strings.HasPrefix(in, "_sc"):
		fields, more, taken = checkByAgent(in)
	default:
		fields, more, taken = metricByAgent(in)
	}
	if !taken {
		return agentView{}
	}
	v := agentView{taken: true}
	for more {
		var field string
		field, fields, more = strings.Cut(fields, "|")
		if container, is := strings.CutPrefix(field, "c:"); is {
			v.container, v.named = container, true
		} else if tags, is := strings.CutPrefix(field, "#"); is {
			v.tags = tags
		}
	}
	return v
}

func metricByAgent(in string) (fields string, more, taken bool) {
	head, rest, ok := strings.Cut(in, "|")
	name, value, named := strings.Cut(head, ":")
	kind, rest, more := strings.Cut(rest, "|")
	taken = ok && named && name != "" && value != "" && slices.Contains([]string{"c", "g", "ms", "h", "s", "d"}, kind)
	for field := range strings.SplitSeq(rest, "|") {
		if rate, is := strings.CutPrefix(field, "@"); is {
			_, err := strconv.ParseFloat(rate, 64)
			taken = taken && err == nil
		}
	}
	return rest, more, taken
}

func checkByAgent(in string) (fields string, more, taken bool) {
	if strings.Count(in, "|") < 2 || len(in) < 4 {
		return "", false, false
	}
	name, rest, _ := strings.Cut(in[4:], "|")
	status, rest, more := strings.Cut(rest, "|")
	return rest, more, name != "" && slices.Contains([]string{"0", "1", "2", "3"}, status)
}

func eventByAgent(in string) (fields string, more, taken bool) {
	header, rest, ok := strings.Cut(in, ":")
	if !ok || len(header) < 7 {
		return "", false, false
	}
	titles, texts, ok := strings.Cut(header[3:len(header)-1], ",")
	title, err := strconv.Atoi(titles)
	text, errText := strconv.Atoi(texts)
	if !ok || err != nil || errText != nil || title <= 0 || text < 0 || title > len(rest) || text > len(rest) || title+1+text > len(rest) {
		return "", false, false
	}
	rest = rest[title+1+text:]
	return rest, rest != "", true
}
