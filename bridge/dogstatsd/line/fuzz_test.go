package line_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
	"github.com/berth-dev/berth/test/dogstatsd"
)

// seeds are lines of each version of the protocol, and such as lead astray.
var seeds = []string{
	"page.views:1|c", "fuel.level:0.5|g", "song.length:240:234|h|@0.5", "users.uniques:1234|s", "users.online:1|c|@0.5|#country:china",
	"page.views:1|g|#env:dev|c:83c0a99c0a54", "page.views:15|c|#env:dev|T1656581400", "a:1|ms|c:ci-83c0|#|T1", "a:1|c|c:in-4026532567",
	"a:1|d|e:it-false,cn-web,pu-75|card:low", "a:1|c|card:none|#x", "a:1|c|#dd.internal.card:none", "a:1|c|#dd.internal.entity_id:none,x",
	"a:c:1|s|#c:1|card:high", "a:1|c|#x|#y", "a:1|c|#x,|c:", "a:1|c|c:1|c:2", "a:1", "a", "|", "||", "a:1|c|",
	"_e{21,36}:An exception occurred|Cannot parse CSV file from 10.0.0.17|t:warning|#err_type:bad_file", "_e{5,9}:ti|#e|te|c:ci-1|#x", "_e{1,1}:a|b#x|c:1",
	"_e{1,1}:a|bc:1|#x", "_e{9,9}:a|b|#x", "_e{}:", "_e{+1,-0x:a||c:1",
	"_sc|Redis connection|2|#env:dev|m:Redis connection timed out after 10s", "_sc|a|0|m:b|c:ci-1", "_sc|a|0|h:x|d:7|m:b", "_sc.a:1|c", "_scxa|0", "_sc||",
}

func fuzzed(f *testing.F, property func(t *testing.T, in []byte)) {
	f.Helper()
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if l, _, ok := line.Next(in); ok {
			property(t, l)
		}
	})
}

var addedTags = []string{"service:orders", "family:shop"}

const (
	addedField   = "|c:" + id
	addedSection = "service:orders,family:shop"
)

// proves R1: but for the addition that is documented, out is in.
func FuzzTheAdditionIsAllThatIsNew(f *testing.F) {
	fuzzed(f, func(t *testing.T, in []byte) {
		for _, m := range []line.Mark{line.Plain(), line.Field(id, false), line.Tags(addedTags, false)} {
			out := appended(t, m, in)
			if !bytes.Equal(out, in) && string(out) != string(in)+addedField && !isInsertion(in, out) {
				t.Errorf("%q became %q", in, out)
			}
		}
	})
}

// isInsertion reports whether out is in with the tags put in at one place.
func isInsertion(in, out []byte) bool {
	for i := range len(in) + 1 {
		for _, separator := range []string{"", ",", "|#"} {
			if string(out) == string(in[:i])+separator+addedSection+string(in[i:]) {
				return true
			}
		}
	}
	return false
}

func FuzzThereIsNeverASecondSectionOfTags(f *testing.F) {
	fuzzed(f, func(t *testing.T, in []byte) {
		before := sections(in)
		for _, override := range []bool{false, true} {
			m := line.Tags(addedTags, override)
			out := appended(t, m, in)
			if after := sections(out); after > max(before, 1) {
				t.Errorf("%q with %d sections became %q with %d", in, before, out, after)
			}
		}
	})
}

// sections counts what looks like a section of tags after the parts of a line
// that may hold anything: an event's title and text, the name of a check.
func sections(in []byte) int {
	s := string(in)
	if m, err := dogstatsd.Parse(s); err == nil && m.Kind == dogstatsd.Event {
		_, s, _ = strings.Cut(s, "}:")
		s = s[len(m.Name)+1+len(m.Text):]
	} else if strings.HasPrefix(s, "_e{") {
		return 0 // what a server takes of it is beyond the document
	}
	if name, isCheck := strings.CutPrefix(s, "_sc"); isCheck && name != "" {
		_, s, _ = strings.Cut(name[1:], "|")
	}
	return strings.Count(s, "|#")
}

// What the document allows it also allows with the addition, and it says the
// same but for the origin.
func FuzzALineStillSaysWhatItSaid(f *testing.F) {
	fuzzed(f, func(t *testing.T, in []byte) {
		said, err := dogstatsd.Parse(string(in))
		if err != nil {
			return
		}
		for _, override := range []bool{false, true} {
			want := said
			if override || !hasContainer(in, said) {
				want.Container = id
			}
			says(t, line.Field(id, override), in, want)

			want = said
			if override {
				want.Container = ""
			}
			says(t, line.Tags(nil, override), in, want)
			if said.Cardinality != "none" && !slices.Contains(said.Tags, "dd.internal.card:none") {
				want.Tags = merged(said.Tags)
			}
			says(t, line.Tags(addedTags, override), in, want)
		}
	})
}

// hasContainer reports whether a line has a container field, which may be
// empty.
func hasContainer(in []byte, said dogstatsd.Message) bool {
	if said.Kind == dogstatsd.Event {
		_, in, _ = bytes.Cut(in, []byte("}:"))
		in = in[len(said.Name)+1+len(said.Text):]
	}
	return said.Container != "" || bytes.Contains(in, []byte("|c:"))
}

// merged returns tags and then ours. A section that is empty, or ends in a
// comma, has an empty last tag, and ours take its place.
func merged(tags []string) []string {
	if n := len(tags); n > 0 && tags[n-1] == "" {
		tags = tags[:n-1]
	}
	return slices.Concat(tags, addedTags)
}

func says(t *testing.T, m line.Mark, in []byte, want dogstatsd.Message) {
	t.Helper()
	out := appended(t, m, in)
	got, err := dogstatsd.Parse(string(out))
	if err != nil {
		t.Errorf("%q became %q: %v", in, out, err)
	} else if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q became %q (-want +got):\n%s", in, out, diff)
	}
}

func FuzzNextLosesNothingButLineEnds(f *testing.F) {
	f.Add([]byte("a:1|c\nb:2|g\r\n\n\r\nc"))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var want, got []string
		for l := range strings.SplitSeq(string(datagram), "\n") {
			if l = strings.TrimSuffix(l, "\r"); l != "" {
				want = append(want, l)
			}
		}
		for l, rest, ok := line.Next(datagram); ok; l, rest, ok = line.Next(rest) {
			got = append(got, string(l))
			line.Context(l)
			line.Name(l)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", datagram, diff)
		}
	})
}

// appended returns what becomes of a line, and holds it against the bound.
func appended(t *testing.T, m line.Mark, in []byte) []byte {
	t.Helper()
	out := m.Append(nil, in)
	if len(out) > m.Max(in) || !bytes.HasSuffix(out, []byte("\n")) || bytes.Count(out, []byte("\n")) != 1 {
		t.Fatalf("%q became %q", in, out)
	}
	return out[:len(out)-1]
}
