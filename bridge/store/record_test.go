package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/bridge/store"
)

var (
	update  = flag.Bool("update", false, "rewrite the golden files")
	byValue = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}
)

// full is a record with every field in use.
func full() store.Record {
	ip := netip.MustParseAddr("10.1.2.3")
	return store.Record{
		V: store.Version, Host: "i-0123456789abcdef0", Cluster: "prod", Instance: "1f2e3d", IP: ip,
		Boot: "3c9d3a2e-0b5e-4c8e-9d0e-0f6f1f9b3a11", Incarnation: "06G9ZK7V1QJX2Y3WC4D5E6F7G8", Seq: 412, State: store.OK, Cut: 5,
		Reservation: &store.Reservation{
			CPU:    store.Vector{Registered: 16384, Scheduled: 12032, Host: 12288, Unmanaged: 512},
			Memory: store.Vector{Registered: 63488, Scheduled: 50176, Host: 50688},
			GPU:    store.Vector{Registered: 1}, Tasks: 18, Pending: 1, Stopping: 2, Unknown: 3, ErrCPU: 4, Exact: true, Source: "docker",
			Ports:  []string{"80/tcp"},
			Shapes: []store.Shape{{Service: "orders", ECS: "orders-live", Family: "orders:211", CPU: 256, Memory: 512, GPU: 1, Ports: []string{"80/tcp"}, Tasks: 2}},
		},
		Mappings: []store.Mapping{{
			Service: "orders", Instance: 2, Family: "orders:211", Task: "3f2a9c1e", Container: "app", ID: "0123456789ab",
			Port: 5555, Protocol: "tcp", IP: ip, HostPort: 32801, Name: "jmxmp", URL: "service:jmx:jmxmp://10.1.2.3:32801",
			Health: "healthy", Since: 1790000000,
		}, {Service: "redis", Instance: 1, Container: "redis", ID: "ba9876543210", Port: 6379, Protocol: "tcp", HostPort: 6379, Local: true, Paused: true}},
	}
}

// TestTheCanonicalFormIsFixed because other hosts read it.
func TestTheCanonicalFormIsFixed(t *testing.T) {
	for name, r := range map[string]store.Record{
		"full":  full(),
		"empty": {V: store.Version, Host: "h1", Cluster: "default", State: store.DockerDown},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := store.Encode(r)
			if err != nil {
				t.Fatal(err)
			}
			var indented bytes.Buffer
			if err := json.Indent(&indented, got, "", "\t"); err != nil {
				t.Fatal(err)
			}
			path := "testdata/" + name + ".json"
			if *update {
				if err := os.WriteFile(path, indented.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), indented.String()); diff != "" {
				t.Error(diff)
			}
			back, err := store.Decode(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, back, byValue); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheHashIsOfTheContentAlone(t *testing.T) {
	was := full().Hash()
	same := full()
	same.Incarnation, same.Seq = "another", 1
	if same.Hash() != was || len(was) != 64 {
		t.Errorf("the hash went from %s to %s with the incarnation", was, same.Hash())
	}
	for name, change := range map[string]func(*store.Record){
		"state":       func(r *store.Record) { r.State = store.Draining },
		"boot":        func(r *store.Record) { r.Boot = "another" },
		"mapping":     func(r *store.Record) { r.Mappings[0].HostPort++ },
		"reservation": func(r *store.Record) { r.Reservation.CPU.Host++ },
		"unknown":     func(r *store.Record) { r.Extra = store.Extra{"x": json.RawMessage("1")} },
	} {
		r := full()
		if change(&r); r.Hash() == was {
			t.Errorf("another %s has the same hash", name)
		}
	}
}

func TestUnknownFieldsAreKept(t *testing.T) {
	text := `{"v":1,"host":"h","cluster":"c","inc":"A","seq":1,"state":"ok","rsv":{"cpu":{"reg":1,"burst":2},"later":[]},` +
		`"maps":[{"svc":"s","tls":true,"H":"not h"}],"zone":"eu-west-1a","Host":"not host"}`
	r, err := store.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if r.Host != "h" || r.Mappings[0].HostPort != 0 {
		t.Errorf("names in another case were taken for known ones: %+v", r)
	}
	again, err := store.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"burst":2`, `"later":[]`, `"tls":true`, `"H":"not h"`, `"Host":"not host","zone":"eu-west-1a"}`} {
		if !strings.Contains(string(again), part) {
			t.Errorf("%s has gone from %s", part, again)
		}
	}
}

func TestOnlyThisVersionIsRead(t *testing.T) {
	for _, text := range []string{`{"v":2,"host":7}`, `{"v":0,"host":"h"}`, `{"host":"h","cluster":"c"}`} {
		_, err := store.Decode([]byte(text))
		if _, ok := errors.AsType[*store.VersionError](err); !ok || !errors.Is(err, store.ErrVersion) {
			t.Errorf("%s: got %v, want ErrVersion", text, err)
		}
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for _, text := range []string{
		``, `null`, `[]`, `"x"`, `{"v":"1"}`, `{"v":1}`, `{"v":1,"host":"h","cluster":"c","ip":"localhost"}`,
		`{"v":1,"host":"a/b","cluster":"c"}`, `{"v":1,"host":"h","cluster":"c","maps":{}}`, `{"v":1,"host":"h","cluster":"c","seq":-1}`,
	} {
		if r, err := store.Decode([]byte(text)); err == nil {
			t.Errorf("%s: got %+v, want an error", text, r)
		}
	}
	large := `{"v":1,"host":"h","cluster":"c","x":"` + strings.Repeat("x", store.MaxRecord) + `"}`
	if _, err := store.Decode([]byte(large)); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("a large one: got %v, want ErrTooLarge", err)
	}
}

// FuzzRecord checks that what is read can be written, and is then read as the
// same and written as the same.
func FuzzRecord(f *testing.F) {
	text, err := store.Encode(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"v":1,"host":"h","cluster":"c","maps":[{"x":{"y":[1e400,"\u2028<"]},"ip":""}],"rsv":null,"Z":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := store.Decode(text)
		if err != nil {
			return
		}
		once, err := store.Encode(r)
		if errors.Is(err, store.ErrTooLarge) {
			return // escapes can make it longer
		}
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", text, err)
		}
		back, err := store.Decode(once)
		if err != nil {
			t.Fatalf("%q was written and cannot be read: %v", once, err)
		}
		twice, err := store.Encode(back)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("written as %q, then as %q: %v", once, twice, err)
		}
		if !r.Same(back) || r.Ahead(back) || back.Ahead(r) {
			t.Errorf("%q was read as another record", once)
		}
	})
}
