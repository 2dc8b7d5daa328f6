package engine

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// repository is the name of the workload's image; its tag is the source's hash.
const repository = "berth-test/workload"

// Image makes sure that the Engine has the workload's image, whose entry point
// is /workload, and returns its name.
func (e *Engine) Image(t testing.TB) string {
	t.Helper()
	source := sourceOf(t, "test/workload")
	tag := hashOf(t, source)
	name := repository + ":" + tag
	err := e.Do(http.MethodGet, "/images/"+name+"/json", nil, nil)
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound {
		err = e.Import(repository, tag, Workload(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Import makes an image of one static binary, which becomes its entry point.
func (e *Engine) Import(repo, tag, binary string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := errors.Join(
		w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}),
		w.WriteHeader(&tar.Header{Name: "workload", Mode: 0o755, Size: int64(len(content))}),
	); err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	query := url.Values{
		"fromSrc": {"-"}, "repo": {repo}, "tag": {tag},
		"changes": {`ENTRYPOINT ["/workload"]`, "LABEL " + Label + "=workload"},
	}
	return e.Do(http.MethodPost, "/images/create?"+query.Encode(), &layer, nil)
}

// Workload returns the path of the static workload binary, which it builds
// unless an earlier run has left one of the same source in the user's cache.
func Workload(t testing.TB) string {
	t.Helper()
	source := sourceOf(t, "test/workload")
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	binary := filepath.Join(cache, "berth-test", "workload-"+hashOf(t, source))
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "workload")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", made, ".")
	build.Dir = source
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the workload: %v\n%s", err, out)
	}
	if err := place(made, binary); err != nil {
		t.Fatal(err)
	}
	return binary
}

// place copies a file beside its destination and renames it there, so that two
// test processes never see half a binary.
func place(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".workload")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Chmod(0o755), f.Close(), os.Rename(f.Name(), to))
}

// sourceOf finds a folder of this module from a test's working directory.
func sourceOf(t testing.TB, folder string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			return filepath.Join(up, folder)
		}
		if up == filepath.Dir(up) {
			t.Fatalf("no go.mod above %s", dir)
		}
	}
}

// hashOf names the Go files of a folder and the toolchain that would build
// them, in 12 digits.
func hashOf(t testing.TB, folder string) string {
	t.Helper()
	h := sha256.New()
	h.Write([]byte(runtime.Version() + runtime.GOARCH))
	files, err := fs.Glob(os.DirFS(folder), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("source of the workload in %s: %v", folder, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
