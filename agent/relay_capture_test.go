package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestOldCapturesMakeRoom(t *testing.T) {
	dir := t.TempDir()
	for n := range 2 * keptCaptures {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("2026112%02dT000000.000Z.dog", n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeRoom(dir); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != keptCaptures-1+1 || filepath.Base(left[0]) != fmt.Sprintf("2026112%02dT000000.000Z.dog", keptCaptures+1) {
		t.Errorf("left are %v, %v", left, err)
	}
}
