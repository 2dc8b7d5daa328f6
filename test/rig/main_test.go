package rig_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The releases under test: the first twice, from copies of the tree in two
// folders, and one that follows it.
type releases struct {
	old, again, next string // folders
}

var made releases

// epoch is the time of all of them.
const epoch = "1764288000"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(with(m))
}

func with(m *testing.M) int {
	dir, err := os.MkdirTemp("", "berth-rig-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := release(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func release(dir string) error {
	made = releases{filepath.Join(dir, "old"), filepath.Join(dir, "again"), filepath.Join(dir, "next")}
	one, two := filepath.Join(dir, "tree"), filepath.Join(dir, "a-tree-elsewhere")
	script := `set -eu
	cd "$(go list -m -f '{{.Dir}}')"
	for tree in "$1" "$2"; do
		mkdir "$tree"
		tar -c --exclude=./.git --exclude=./bin . | tar -xC "$tree"
	done
	find "$2" -exec touch -d 2001-01-01 {} +
	(cd "$1" && umask 022 && go run ./packaging/release -version 0.1.0 -out "$3")
	(cd "$2" && umask 077 && TZ=Asia/Tokyo HOSTNAME=other USER=other GOAMD64=v2 go run ./packaging/release -version 0.1.0 -out "$4")
	(cd "$1" && go run ./packaging/release -version 0.2.0 -arch amd64 -format deb,rpm -out "$5")`
	cmd := exec.Command("sh", "-c", script, "sh", one, two, made.old, made.again, made.next)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+epoch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the releases: %w\n%s", err, out)
	}
	return nil
}

// file is one file of a release, by a pattern.
func file(t *testing.T, release, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(release, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s in %s: %v, %v", pattern, release, found, err)
	}
	return found[0]
}

// root is the repository's.
func root(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// tool runs a program of this machine that must succeed, and returns all that
// it printed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: is it installed? make setup\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
