package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/internal/cli"
)

// TestManualHasAPageForEachCommand, the same at every time of asking.
func TestManualHasAPageForEachCommand(t *testing.T) {
	folders := []string{filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")}
	for _, folder := range folders {
		berth(t, []string{"man", folder}, environ("SOURCE_DATE_EPOCH=1764288000")).ended(t, 0)
	}
	for _, c := range cli.New(cli.Env{}).Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		name := "berth-" + c.Name() + ".8"
		page, err := os.ReadFile(filepath.Join(folders[0], name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{".TH \"BERTH-" + strings.ToUpper(c.Name()) + "\" \"8\" \"Nov 2025\" \"Berth\"", ".SH NAME", ".SH EXAMPLE"} {
			if !c.HasSubCommands() && !strings.Contains(string(page), part) {
				t.Errorf("%s has no %s:\n%s", name, part, page)
			}
		}
		again, err := os.ReadFile(filepath.Join(folders[1], name))
		if err != nil || string(again) != string(page) {
			t.Errorf("%s differs the second time: %v", name, err)
		}
	}
	berth(t, []string{"man", t.TempDir()}, environ("SOURCE_DATE_EPOCH=noon")).ended(t, 2)
}
