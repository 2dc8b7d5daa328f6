package remote_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-dev/berth/bridge/store/remote"
)

// TestPasswordComesFromSystemd, if its file is named without a folder; with one,
// it is that file.
func TestPasswordComesFromSystemd(t *testing.T) {
	handed, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "token")
	for path, password := range map[string]string{filepath.Join(handed, "store-token"): "handed\n", elsewhere: "elsewhere"} {
		if err := os.WriteFile(path, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", handed)
	for file, want := range map[string]string{"store-token": "handed", elsewhere: "elsewhere"} {
		a, err := remote.ParseAddress("redis://h:1?user=berth&passwordfile="+file, "redis")
		if err != nil {
			t.Fatal(err)
		}
		if a.User != "berth" || a.Password != want {
			t.Errorf("%s: got %s with %s, want berth with %s", file, a.User, a.Password, want)
		}
	}
}

// TestErrorsKeepSecrets: an address that cannot be used is named in logs.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, url := range []string{
		"redis://me:hunter2%zz@h:1", "other://me:hunter2@h:1", "redis://me:hunter2@", "redis://me:hunter2@h:1?a=%zz&b=hunter2",
	} {
		_, err := remote.ParseAddress(url, "redis")
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want an error without the password", url, err)
		}
	}
}
