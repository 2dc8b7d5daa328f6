package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/internal/config"
)

func TestAllFaultsOfAFileAreToldAtOnce(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			got := refuse(t, config.Sources{File: path})
			golden(t, strings.TrimSuffix(path, ".yaml")+".golden", got+"\n")
		})
	}
}

func TestWhatIsNoYAMLHasAPlaceAndAReason(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"a tab for indentation":   {"logs:\n\tgrace: 1h\n", ":2:1: a tab where only spaces are allowed"},
		"an open bracket":         {"metrics:\n  tags: [a\nlog: {}\n", ":3:4: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence begun at 2:9)"},
		"an open quote":           {"host: {id: 'a\n", ":2:1: not valid YAML: found unexpected end of stream (while scanning a quoted scalar begun at 1:12)"},
		"a colon in a value":      {"logs:\n  archive: a: b\n", ":2:13: a second colon in one line: indent it below its key, or put the value in quotes"},
		"an at sign":              {"host:\n  id: @x\n", ":2:7: a value cannot begin with '@': put it in quotes"},
		"a schedule unquoted":     {"logs:\n  schedule: */5 * * * *\n", ":2:18: a value cannot begin with '*': put it in quotes"},
		"a second document":       {"log: {}\n---\nlog: {}\n", ":2:1: a second document begins here: only one is read"},
		"a broken second":         {"log: {}\n---\n[\n", ":4:1: not valid YAML: did not find expected node content"},
		"a byte that is no UTF-8": {"# ok\nhost: {id: a\xff}\n", ":2:13: not valid UTF-8"},
		"a control character":     {"host: {id: a\x00}\n", ":1:13: control character U+0000 is not allowed"},
		"UTF-16":                  {"\xff\xfeh\x00", ":1:1: the file is in UTF-16: save it as UTF-8"},
		"an alias without anchor": {"host: *x\n", ":1:7: not valid YAML: unknown anchor 'x' referenced"},
		"a list":                  {"- a\n", ":1:1: is a list: keys with values are needed"},
		"a word":                  {"hello\n", ":1:1: is a single value: keys with values are needed"},
		"columns are characters":  {"metrics: {tags: [é], taggs: 1}\n", `:1:22: metrics.taggs: unknown key (did you mean "tags"?)`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(shown+tt.want, refuse(t, config.Sources{File: file(t, tt.text)})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestHugeInputIsRefusedSoon(t *testing.T) {
	bomb := "a0: &a0 [x]\n"
	for i := range 30 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9))
	}
	tests := map[string]struct{ text, want string }{
		"larger than a mebibyte": {strings.Repeat("#", config.MaxFile+1), shown + ": is larger than 1024 KiB"},
		"nested without end":     {strings.Repeat("[", 20000), "exceeded max depth"},
		"aliases of aliases":     {bomb, "a30: unknown key"},
		"nothing but faults":     {keysOf(1 << 16), "and 65436 more faults"},
		"a list without end":     {"metrics: {tags: [" + strings.Repeat("a,", 100000) + "]}", "metrics.tags: has 100000 elements: at most 200 are allowed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := refuse(t, config.Sources{File: file(t, tt.text)}); !strings.Contains(got, tt.want) {
				t.Errorf("got %.300s\nwant %s", got, tt.want)
			}
		})
	}
}

// keysOf returns n unknown keys.
func keysOf(n int) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

func TestAFileThatCannotBeReadIsAFault(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ path, want string }{
		"missing":        {filepath.Join(dir, "none"), "does not exist"},
		"a folder":       {dir, "is a folder, not a file"},
		"a link to self": {filepath.Join(dir, "loop"), "cannot be read: too many levels of symbolic links"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, want := refuse(t, config.Sources{File: tt.path}), shown+": "+tt.want; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestFaultsOfAllSourcesComeTogetherAndInOrder(t *testing.T) {
	got := refuse(t, config.Sources{
		File: file(t, "disk: {high: 60}\nlogs: {shedule: x}\n"),
		Env:  []string{"BERTH_LOGS_GRACE=soon", "BERTH_LOGS_GRAC=1h", "PATH=/bin", "BERTH_CONFIG=x", "BERTH_SOCKET=y"},
		Set:  []string{"log.levl=debug", "grace=1h", "logs=x", "novalue", "log.level=loud", "a b=c"},
	})
	golden(t, "testdata/sources.golden", got+"\n")
}

func TestASecretInAURLIsNotTold(t *testing.T) {
	for _, url := range []string{"redis://:hunter2@", "redis://u:hunter2/a@cache", "etcd://a?password=hunter2", "http://a?api_key=hunter2"} {
		got := refuse(t, config.Sources{
			File: file(t, "publish: {store: '"+url+"'}\n"), Env: []string{"BERTH_PUBLISH_STORE=" + url}, Set: []string{"publish.store=" + url, "publish.store" + url},
		})
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s: the faults tell the password:\n%s", url, got)
		}
	}
}

func TestInvalidIsFoundInAWrappedError(t *testing.T) {
	_, err := config.Load(config.Sources{Set: []string{"x=1"}})
	if bad, ok := errors.AsType[*config.Invalid](fmt.Errorf("reload: %w", err)); !ok || len(bad.Faults) != 1 || bad.Faults[0].Key != "x" {
		t.Errorf("got %#v", err)
	}
}

func TestTheECSAgentIsOnThisHost(t *testing.T) {
	for _, url := range []string{"http://169.254.169.254:80", "http://localhost:51678", "https://127.0.0.1:51678", "http://127.0.0.1", "http://u@127.0.0.1:1", "http://127.0.0.1:1/v4", "off"} {
		if _, err := config.Load(config.Sources{Set: []string{"ecs.metadata=" + url}}); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v, want it refused", url, err)
		}
	}
}
