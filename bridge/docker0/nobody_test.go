package docker0_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// asNobody is set in the environment of the test binary where it runs again
// without rights, in a network namespace of its own.
const asNobody = "DOCKER0_TEST_NOBODY"

// Watching needs no rights. The stable address needs one, and its lack is said.
func TestNobodyWatchesAndCannotSetTheStableAddress(t *testing.T) {
	if os.Getenv(asNobody) != "" {
		w := watch(t, &namespace{}, stable("169.254.231.1"))
		until(t, w, "that docker0 is missing", faulty("docker0 is not there"))
		until(t, w, "the lack of a right", faulty("the stable address 169.254.231.1 could not be set: that needs CAP_NET_ADMIN"))
		return
	}
	c := exec.CommandContext(t.Context(), forAll(t), "-test.run=^"+t.Name()+"$")
	c.Dir, c.Env = "/", append(os.Environ(), asNobody+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET,
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534},
	}
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// forAll copies this test binary to where everybody can run it.
func forAll(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "docker0") // t.TempDir is for its owner alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "docker0.test")
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
