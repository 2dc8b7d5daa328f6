package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

func TestKeysAreReadAsTheyAreWritten(t *testing.T) {
	for _, k := range []store.Key{
		{Cluster: "default", Host: "i-0123456789abcdef0"}, {Cluster: "h", Host: "h"}, {Cluster: "ümlaut", Host: "web-1.example.org"},
	} {
		if got := k.String(); got != "berth/v1/"+k.Cluster+"/h/"+k.Host {
			t.Errorf("got %s", got)
		}
		if got, err := store.ParseKey(k.String()); err != nil || got != k {
			t.Errorf("%s: got %+v, %v", k, got, err)
		}
	}
}

func TestNamesThatWouldMisleadAreRefused(t *testing.T) {
	for _, name := range []string{
		"", "a/b", "/", ".", "..", "a b", "a\n", "a\x00", "\x1b[31m", "\u200b", "\xff", strings.Repeat("x", 256),
	} {
		for _, k := range []store.Key{{Cluster: name, Host: "h"}, {Cluster: "c", Host: name}} {
			if err := k.Check(); err == nil {
				t.Errorf("%+v was allowed", k)
			}
			if _, err := store.ParseKey(k.String()); err == nil {
				t.Errorf("%q was read", k.String())
			}
		}
	}
	for _, text := range []string{"", "berth/v1/", "berth/v2/c/h/h", "berth/v1/c/h", "other/berth/v1/c/h/h"} {
		if k, err := store.ParseKey(text); err == nil {
			t.Errorf("%q was read as %+v", text, k)
		}
	}
}

func TestALaterIncarnationIsAhead(t *testing.T) {
	noon := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	var all []string
	for i := range 1000 {
		all = append(all, store.NewIncarnation(noon.Add(time.Duration(i)*time.Millisecond), ""))
	}
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) || len(all[0]) != 26 {
		t.Errorf("incarnations do not sort by their beginning: %v", all[:3])
	}
	last := all[len(all)-1]
	for i, after := range []string{last, strings.Repeat("Z", 26), "~", "z", ""} {
		name := store.NewIncarnation(noon.Add(-time.Hour), after)
		if !(store.Record{Incarnation: name}).Ahead(store.Record{Incarnation: after, Seq: 1 << 40}) {
			t.Errorf("%d: with the clock set back, %s does not beat %s", i, name, after)
		}
	}
	if a, b := store.NewIncarnation(noon, ""), store.NewIncarnation(noon, ""); a == b {
		t.Errorf("two hosts got the same incarnation %s", a)
	}
}

func TestWithinAnIncarnationTheNumberDecides(t *testing.T) {
	at := func(inc string, seq uint64) store.Record { return store.Record{Incarnation: inc, Seq: seq} }
	if !at("A", 2).Ahead(at("A", 1)) || at("A", 1).Ahead(at("A", 1)) || at("A", 9).Ahead(at("B", 1)) {
		t.Error("records are in the wrong order")
	}
}
