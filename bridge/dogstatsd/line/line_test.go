package line_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
)

func all(datagram string) (lines []string) {
	for rest := []byte(datagram); ; {
		var ln []byte
		var more bool
		if ln, rest, more = line.Next(rest); !more {
			return lines
		}
		lines = append(lines, string(ln))
	}
}

func TestADatagramIsSplitAtItsLineEnds(t *testing.T) {
	tests := map[string][]string{
		"":                     nil,
		"\n\r\n\n":             nil,
		"a:1|c":                {"a:1|c"},
		"a:1|c\n":              {"a:1|c"},
		"a:1|c\r\nb:1|c\n\nc:": {"a:1|c", "b:1|c", "c:"},
		"a\rb:1|c\r\r\n":       {"a\rb:1|c\r"},
	}
	for datagram, want := range tests {
		if got := all(datagram); !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", datagram, got, want)
		}
	}
}

// The lines are of each version of the protocol, as the document has them.
func TestAMarkIsAddedByTheRules(t *testing.T) {
	field, forced := line.Field("ci-abc", false), line.Field("ci-abc", true)
	tags, strip := line.Tags([]string{"service:orders", "env:prod"}, false), line.Strip()
	tests := []struct{ in, field, forced, tags, strip string }{
		{in: "page.views:1|c", field: "|c:ci-abc", tags: "|#service:orders,env:prod"},
		{in: "fuel.level:0.5|g|#a:b,c", field: "|c:ci-abc", tags: ",service:orders,env:prod"},
		{in: "song.length:240:234|h|@0.5", field: "|c:ci-abc", tags: "|#service:orders,env:prod"},
		{in: "users.uniques:a:b|s|#", field: "|c:ci-abc", tags: "service:orders,env:prod"},
		{in: "page.views:15|c|#env:dev|T1656581400", field: "|c:ci-abc", tags: "page.views:15|c|#env:dev,service:orders,env:prod|T1656581400"},
		{in: "m:1|c|e:it-true,cn-app|card:low", field: "|c:ci-abc", tags: "|#service:orders,env:prod"},
		{in: "m:1|c|card:none", field: "|c:ci-abc", tags: "-"},
		{in: "m:1|c|#dd.internal.card:none,a:b", field: "|c:ci-abc", tags: "-"},
		{in: "m:1|c|#xdd.internal.card:none", field: "|c:ci-abc", tags: ",service:orders,env:prod"},
		{in: "m:1|c|c:ci-me|#a:b", field: "-", forced: "m:1|c|#a:b|c:ci-abc", tags: ",service:orders,env:prod", strip: "m:1|c|#a:b"},
		{in: "m:1|c|c:me|#a|c:in-7", field: "-", forced: "m:1|c|#a|c:ci-abc", tags: "m:1|c|c:me|#a,service:orders,env:prod|c:in-7", strip: "m:1|c|#a"},
		{in: "_e{5,4}:ti|#t|te|c|p:low|#a", field: "|c:ci-abc", tags: ",service:orders,env:prod"},
		{in: `_e{2,9}:a||c:x|#y:\n|h:host`, field: "|c:ci-abc", tags: "|#service:orders,env:prod"},
		{in: "_e{2,9}:short|text", field: "-", tags: "-"},
		{in: "_e{99999999999999999999,1}:a|b", field: "-", tags: "-"},
		{in: "_e{1,1}:a|bc|#a", field: "-", tags: "-"},
		{in: "_sc|Redis connection|2|#env:dev|m:timed out |#a |c:x after 10s", field: "_sc|Redis connection|2|#env:dev|c:ci-abc|m:timed out |#a |c:x after 10s", forced: "", tags: "_sc|Redis connection|2|#env:dev,service:orders,env:prod|m:timed out |#a |c:x after 10s"},
		{in: "_sc|a|0", field: "|c:ci-abc", tags: "|#service:orders,env:prod"},
		{in: "_sc|a|0|m:ok|c:me", field: "-", forced: "_sc|a|0|c:ci-abc|m:ok", tags: "_sc|a|0|#service:orders,env:prod|m:ok|c:me", strip: "_sc|a|0|m:ok"},
		{in: "_sc|a", field: "-", tags: "-"},
		{in: "garbage", field: "-", tags: "-"},
		{in: ":1|c", field: "-", tags: "-"},
		{in: "no.type:1", field: "-", tags: "-"},
	}
	for _, tt := range tests {
		for _, m := range []struct {
			name string
			mark line.Mark
			want string
		}{{"field", field, tt.field}, {"forced", forced, tt.forced}, {"tags", tags, tt.tags}, {"strip", strip, tt.strip}, {"nothing", line.Mark{}, "-"}} {
			want := m.want
			switch {
			case want == "" && m.name == "strip", want == "-":
				want = tt.in
			case want == "" && tt.field == "-":
				want = tt.in
			case want == "":
				want = tt.in + tt.field
				if !strings.HasPrefix(tt.field, "|") {
					continue // the table says it under field
				}
			case !strings.HasPrefix(want, tt.in[:2]):
				want = tt.in + want
			}
			if got := string(m.mark.Append(nil, []byte(tt.in))); got != want+"\n" {
				t.Errorf("%s: %q becomes %q, want %q", m.name, tt.in, got, want)
			}
			if most := m.mark.Max([]byte(tt.in)); most < len(want)+1 {
				t.Errorf("%s: %q takes %d bytes, and Max says %d", m.name, tt.in, len(want)+1, most)
			}
		}
	}
}

func TestATagCannotEndItself(t *testing.T) {
	m := line.Tags([]string{"a:b|c:evil,x\n_e{"}, false)
	if got := string(m.Append(nil, []byte("m:1|c"))); got != "m:1|c|#a:b_c:evil_x__e{\n" {
		t.Errorf("got %q", got)
	}
}

func TestNamesAndContexts(t *testing.T) {
	for ln, want := range map[string]string{"a.b:1|c": "a.b", "_sc|my check|0|#a": "my check", "_e{1,1}:a|b": "_e", "x": "x"} {
		if got := string(line.Name([]byte(ln))); got != want {
			t.Errorf("the name of %q is %q, want %q", ln, got, want)
		}
	}
	same := []string{"a:1|c|#x:y", "a:2|c|#x:y", "a:2:3|c|@0.1|#x:y|T1656581400", "a:1|c|c:ci-x|#x:y"}
	for _, ln := range same {
		if line.Context([]byte(ln)) != line.Context([]byte(same[0])) {
			t.Errorf("%q has another context than %q", ln, same[0])
		}
	}
	seen := map[uint64]string{}
	for _, ln := range []string{"a:1|c|#x:y", "a:1|g|#x:y", "b:1|c|#x:y", "a:1|c", "a:1|c|#x:z", "_sc|a|0|#x:y"} {
		c := line.Context([]byte(ln))
		if other, taken := seen[c]; taken {
			t.Errorf("%q and %q have one context", ln, other)
		}
		seen[c] = ln
	}
}

// Whatever comes: the line is still there, byte for byte, and what was added is
// in one piece. What was forced away was a container field.
func FuzzAMarkChangesNothingElse(f *testing.F) {
	for _, s := range []string{"a:1|c|#x", "_e{1,2}:a|bc|#t", "_sc|a|0|m:x|c:y", "m:1|c|c:ci-me|#a:b", "||", "_e{0,0}:|", "a:|#", "a:b|c|c:|#|c:"} {
		f.Add([]byte(s))
	}
	marks := map[string]line.Mark{
		"|c:ci-abc": line.Field("ci-abc", false), "k:v": line.Tags([]string{"k:v"}, false), "": {},
	}
	strip := line.Strip()
	f.Fuzz(func(t *testing.T, datagram []byte) {
		for rest := datagram; ; {
			ln, next, more := line.Next(rest)
			if !more {
				return
			}
			rest = next
			for added, m := range marks {
				got := m.Append([]byte("before"), ln)
				out, ok := bytes.CutPrefix(got, []byte("before"))
				if !ok || out[len(out)-1] != '\n' || len(out) > m.Max(ln) {
					t.Fatalf("%q becomes %q", ln, got)
				}
				if long := m.Unusual([]byte("before"), ln); !bytes.Equal(got, long) {
					t.Fatalf("%q becomes %q on the short way, and %q on the long one", ln, got, long)
				}
				out = out[:len(out)-1]
				if !bytes.Equal(out, ln) && !isWith(out, ln, added) {
					t.Fatalf("%q becomes %q", ln, out)
				}
			}
			bare := strip.Append(nil, ln)
			if again := strip.Append(nil, bare[:len(bare)-1]); !bytes.Equal(again, bare) {
				t.Fatalf("%q without its container is %q, and that %q", ln, bare, again)
			}
		}
	})
}

// isWith reports whether out is ln with something added at one place: the text,
// or the text as tags.
func isWith(out, ln []byte, text string) bool {
	for _, added := range []string{text, "," + text, "|#" + text} {
		at := len(ln)
		for ; at >= 0; at-- {
			if bytes.HasPrefix(out, ln[:at]) && bytes.HasPrefix(out[at:], []byte(added)) && bytes.Equal(out[at+len(added):], ln[at:]) {
				return true
			}
		}
	}
	return false
}

func BenchmarkAppend(b *testing.B) {
	ln := []byte("orders.checkout.duration.seconds:0.2387|d|@0.5|#env:prod,region:eu-west-1,ver:12")
	buffer := make([]byte, 0, 1024)
	for name, m := range map[string]line.Mark{
		"field": line.Field("ci-"+strings.Repeat("0123456789abcdef", 4), false),
		"inode": line.Field("in-4026531840", false),
		"tags":  line.Tags([]string{"service:orders", "task_family:orders", "container_name:app"}, false),
		"none":  {},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buffer = m.Append(buffer[:0], ln)
			}
		})
	}
}
