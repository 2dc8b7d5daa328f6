package embedded_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
)

// FuzzFile checks that a store opens whatever its file holds, and then works.
func FuzzFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "store")
	f.Add([]byte("00000000 {}\n"))
	f.Add([]byte("ea5d9b2f {\"rev\":1}\ntorn"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, _, err := embedded.Open(path, embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		shot, err := s.List(t.Context(), key.Cluster)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range shot.Entries {
			if _, err := store.Encode(e.Record); err != nil {
				t.Errorf("it holds %+v: %v", e.Record, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
