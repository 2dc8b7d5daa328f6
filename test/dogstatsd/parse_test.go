package dogstatsd_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/test/dogstatsd"
)

func TestParseReadsWhatTheDocumentShows(t *testing.T) {
	tests := map[string]dogstatsd.Message{
		"page.views:1|c":                         {Name: "page.views", Type: "c", Values: []float64{1}, Rate: 1},
		"fuel.level:0.5|g":                       {Name: "fuel.level", Type: "g", Values: []float64{0.5}, Rate: 1},
		"song.length:240:234|h|@0.5":             {Name: "song.length", Type: "h", Values: []float64{240, 234}, Rate: 0.5},
		"users.uniques:12:34|s":                  {Name: "users.uniques", Type: "s", Set: "12:34", Rate: 1},
		"users.online:1|c|@0.5|#country:china":   {Name: "users.online", Type: "c", Values: []float64{1}, Rate: 0.5, Tags: []string{"country:china"}},
		"page.views:1|g|#env:dev|c:ci-83c0":      {Name: "page.views", Type: "g", Values: []float64{1}, Rate: 1, Tags: []string{"env:dev"}, Container: "ci-83c0"},
		"page.views:15|c|#env:dev|T1656581400":   {Name: "page.views", Type: "c", Values: []float64{15}, Rate: 1, Tags: []string{"env:dev"}, Time: 1656581400},
		"a:1|d|e:it-false,cn-web,pu-75|card:low": {Name: "a", Type: "d", Values: []float64{1}, Rate: 1, External: "it-false,cn-web,pu-75", Cardinality: "low"},
		"_e{21,36}:An exception occurred|Cannot parse CSV file from 10.0.0.17|t:warning|#err_type:bad_file": {
			Kind: dogstatsd.Event, Name: "An exception occurred", Text: "Cannot parse CSV file from 10.0.0.17", Alert: "warning", Tags: []string{"err_type:bad_file"},
		},
		"_e{3,2}:|#a|c:|p:low|d:7|h:web|k:x|s:y": {Kind: dogstatsd.Event, Name: "|#a", Text: "c:", Level: "low", Time: 7, Host: "web", Key: "x", Source: "y"},
		"_sc|Redis connection|2|#env:dev|m:Redis connection timed out after 10s|c:in-7": {
			Kind: dogstatsd.Check, Name: "Redis connection", Status: 2, Tags: []string{"env:dev"}, Text: "Redis connection timed out after 10s", Container: "in-7",
		},
	}
	for line, want := range tests {
		got, err := dogstatsd.Parse(line)
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestParseRefusesWhatTheDocumentDoesNotHave(t *testing.T) {
	for _, line := range []string{
		"", "a", "a:1", "a|c", ":1|c", "a:|c", "a:x|c", "a:1:|c", "a:1|", "a:1|x", "a:1|c|", "a:1|c||#x", "a:1|c|#x|#y", "a:1|c|c:1|c:2",
		"a:1|c|@2", "a:1|c|@NaN", "a:1|c|Tnow", "a:1|c|card:some", "a:1|c|x:y", "a:1|c\n",
		"_e{1,1}", "_e{1,1}:a", "_e{1,1}:ab|", "_e{2,1}:a|b", "_e{0,1}:|b", "_e{1}:a|b", "_e{-1,1}:a|b", "_e{1,1}:a|bc", "_e{1,1}:a|b|t:bad", "_e1,1}:a|b",
		"_sc|a", "_sc||0", "_sc|a|4", "_sc.a:1|c", "_sc|a|0|m:b|#c", "_sc|a|0|t:info",
	} {
		if m, err := dogstatsd.Parse(line); err == nil {
			t.Errorf("%q is taken for %+v", line, m)
		}
	}
}
