package line_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
)

const id = "ci-4f1c9a20"

func TestNextSplitsADatagramIntoItsLines(t *testing.T) {
	tests := map[string][]string{
		"":                      nil,
		"\n\r\n\n":              nil,
		"a:1|c":                 {"a:1|c"},
		"a:1|c\nb:2|g\r\n":      {"a:1|c", "b:2|g"},
		"\n\na:1|c\r\r\n\nb:2|": {"a:1|c\r", "b:2|"},
	}
	for datagram, want := range tests {
		var got []string
		for l, rest, ok := line.Next([]byte(datagram)); ok; l, rest, ok = line.Next(rest) {
			got = append(got, string(l))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", datagram, diff)
		}
	}
}

func TestAFieldIsAppended(t *testing.T) {
	field, override := line.Field(id, false), line.Field(id, true)
	const mark = "|c:" + id
	tests := []struct{ name, in, want, override string }{
		{"a metric", "a:1|c", "a:1|c" + mark, ""},
		{"values, rate, tags, time", "a:1:2|d|@0.5|#x:y|T1656581400", "a:1:2|d|@0.5|#x:y|T1656581400" + mark, ""},
		{"a client that knows itself", "a:1|c|c:ci-77|#x", "a:1|c|c:ci-77|#x", "a:1|c|#x" + mark},
		{"two of them", "a:1|c|c:1|#x|c:2", "a:1|c|c:1|#x|c:2", "a:1|c|#x" + mark},
		{"a tag that looks like one", "a:1|c|#c:ci-77", "a:1|c|#c:ci-77" + mark, ""},
		{"a cardinality", "a:1|c|card:none", "a:1|c|card:none" + mark, ""},
		{"a set's value that looks like a field", "a:c:1|s", "a:c:1|s" + mark, ""},
		{"no type", "a:1", "a:1", ""},
		{"a service check", "_sc|db|0|#x|m:down", "_sc|db|0|#x|m:down" + mark, ""},
		{"a service check of datadog-go", "_sc|db|0|m:down|c:ci-77", "_sc|db|0|m:down|c:ci-77", "_sc|db|0|m:down" + mark},
		{"a service check without status", "_sc|db", "_sc|db", ""},
		{"an event", "_e{5,4}:title|text", "_e{5,4}:title|text" + mark, ""},
		{"an event whose text has fields", "_e{5,9}:ti|#e|te|c:ci-1|#x", "_e{5,9}:ti|#e|te|c:ci-1|#x" + mark, ""},
		{"an event of a client that knows itself", "_e{1,1}:a|b|c:ci-1|t:info", "_e{1,1}:a|b|c:ci-1|t:info", "_e{1,1}:a|b|t:info" + mark},
		{"an event that is cut", "_e{5,40}:title|text|c:ci-1", "_e{5,40}:title|text|c:ci-1", ""},
		{"an event without lengths", "_e{}:title|text", "_e{}:title|text", ""},
		{"an event without a title", "_e{0,4}:|text", "_e{0,4}:|text", ""},
		{"an event with lengths as the agent reads them", "_e{+1,-0x:a||c:ci-1", "_e{+1,-0x:a||c:ci-1", "_e{+1,-0x:a|" + mark},
		{"an event with lengths beyond all bounds", "_e{9,99999999999999999999}:a|b", "_e{9,99999999999999999999}:a|b", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, field, tt.in, tt.want)
			if tt.override == "" {
				tt.override = tt.want
			}
			check(t, override, tt.in, tt.override)
		})
	}
}

func TestTagsAreMerged(t *testing.T) {
	mark, override := line.Tags([]string{"service:orders", "", "family:a|b,c\nd"}, false), line.Tags([]string{"service:orders", "family:a_b_c_d"}, true)
	const tags = "service:orders,family:a_b_c_d"
	tests := []struct{ name, in, want, override string }{
		{"no tags", "a:1|c", "a:1|c|#" + tags, ""},
		{"tags at the end", "a:1|c|#x:y", "a:1|c|#x:y," + tags, ""},
		{"tags before others", "a:1|c|#x:y|T1656581400", "a:1|c|#x:y," + tags + "|T1656581400", ""},
		{"no tags, but a time", "a:1|c|T1656581400", "a:1|c|T1656581400|#" + tags, ""},
		{"an empty section", "a:1|c|#|@0.5", "a:1|c|#" + tags + "|@0.5", ""},
		{"a comma at its end", "a:1|c|#x,", "a:1|c|#x," + tags, ""},
		{"two sections, of which the last counts", "a:1|c|#x|#y", "a:1|c|#x|#y," + tags, ""},
		{"a container", "a:1|c|c:ci-1|#x", "a:1|c|c:ci-1|#x," + tags, "a:1|c|#x," + tags},
		{"a container after the tags", "a:1|c|#x|c:ci-1", "a:1|c|#x," + tags + "|c:ci-1", "a:1|c|#x," + tags},
		{"a cardinality of none", "a:1|c|#x|card:none", "a:1|c|#x|card:none", ""},
		{"a cardinality of low", "a:1|c|#x|card:low", "a:1|c|#x," + tags + "|card:low", ""},
		{"a tag that wants none", "a:1|c|#x,dd.internal.card:none,y", "a:1|c|#x,dd.internal.card:none,y", ""},
		{"a tag that nearly wants none", "a:1|c|#xdd.internal.card:none,dd.internal.card:nonesuch", "a:1|c|#xdd.internal.card:none,dd.internal.card:nonesuch," + tags, ""},
		{"a container and no wish", "a:1|c|c:ci-1|card:none", "a:1|c|c:ci-1|card:none", "a:1|c|card:none"},
		{"a service check", "_sc|db|0|h:web|m:down", "_sc|db|0|h:web|#" + tags + "|m:down", ""},
		{"a service check with tags", "_sc|db|0|#x|m:down", "_sc|db|0|#x," + tags + "|m:down", ""},
		{"an event", "_e{5,6}:title|te|#xt|t:info", "_e{5,6}:title|te|#xt|t:info|#" + tags, ""},
		{"an event that is cut", "_e{5,7}:title|te|#x", "_e{5,7}:title|te|#x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, mark, tt.in, tt.want)
			if tt.override == "" {
				tt.override = tt.want
			}
			check(t, override, tt.in, tt.override)
		})
	}
}

// proves R1: without an origin nothing changes.
func TestAMarkWithoutOriginAddsNothing(t *testing.T) {
	const in = "a:1|c|c:ci-1|#x"
	check(t, line.Plain(), in, in)
	check(t, line.Mark{}, in, in)
	check(t, line.Tags(nil, false), in, in)
	check(t, line.Strip(), in, "a:1|c|#x")
	check(t, line.Tags(nil, true), in, "a:1|c|#x")
	check(t, line.Strip(), "a:1|c|#x", "a:1|c|#x")
}

func TestALineHasAName(t *testing.T) {
	for in, want := range map[string]string{
		"page.views:1|c|#a:b": "page.views", "page.views": "page.views", "a|c:1": "a", "": "",
		"_e{5,4}:title|text": "_e", "_sc|db.up|0": "db.up", "_sc": "_sc",
	} {
		if got := string(line.Name([]byte(in))); got != want {
			t.Errorf("the name of %q is %q, want %q", in, got, want)
		}
	}
}

func TestAContextIsNameTypeAndTags(t *testing.T) {
	of := func(l string) uint64 { return line.Context([]byte(l)) }
	base := of("page.views:1|c|#env:prod,shop:berlin")
	for _, same := range []string{
		"page.views:2:3|c|#env:prod,shop:berlin", "page.views:1|c|@0.1|#env:prod,shop:berlin|T1656581400",
		"page.views:1|c|c:ci-1|#env:prod,shop:berlin|card:low",
	} {
		if of(same) != base {
			t.Errorf("%q is another context", same)
		}
	}
	seen := map[uint64]string{base: "the first"}
	for _, other := range []string{
		"page.view:1|c|#env:prod,shop:berlin", "page.views:1|g|#env:prod,shop:berlin", "page.views:1|c|#env:prod,shop:berli",
		"page.views:1|c", "page.views:1|c|#shop:berlin,env:prod", "_e{5,4}:title|text|#env:prod,shop:berlin",
		"_sc|page.views|0|#env:prod,shop:berlin", "", "page.views",
	} {
		if twin := seen[of(other)]; twin != "" {
			t.Errorf("%q is the context of %q", other, twin)
		}
		seen[of(other)] = other
	}
}

// check appends a line to what is there already, and holds it against want.
func check(t *testing.T, m line.Mark, in, want string) {
	t.Helper()
	got := string(m.Append([]byte("before\n"), []byte(in)))
	if got != "before\n"+want+"\n" {
		t.Errorf("%q became %q, want %q", in, strings.TrimPrefix(got, "before\n"), want+"\n")
	}
	if most := m.Max([]byte(in)); len(got)-len("before\n") > most {
		t.Errorf("%q became %d bytes, more than %d", in, len(got)-len("before\n"), most)
	}
}
