package rig

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	repository = "berth-test/rig"
	suite      = "bookworm"
)

// recipe is how the system of the image is made.
func recipe() []string {
	return []string{
		"--mode=root", "--variant=minbase", "--quiet",
		"--include=systemd,systemd-sysv,dbus,iproute2,docker.io,iptables,procps,curl,ca-certificates,rpm,man-db,openssh-client",
		// The package's own pages and documents must come through.
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/berth*",
		"--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/man/*/*", "--dpkgopt=path-include=/usr/share/man/man8/berth*",
		"--customize-hook=rm -rf \"$1\"/usr/lib/udev/hwdb.bin \"$1\"/var/cache/man",
		suite,
	}
}

// image makes sure that the machine's Engine has the rig's image, and returns
// its name.
func image(t testing.TB) string {
	t.Helper()
	sum := sha256.Sum256([]byte(strings.Join(recipe(), "\n")))
	name := repository + ":" + hex.EncodeToString(sum[:])[:12]
	if exec.Command("docker", "image", "inspect", name).Run() == nil {
		return name
	}
	tree := filepath.Join(t.TempDir(), "tree.tar")
	command(t, "mmdebstrap", append(recipe(), tree)...)
	command(t, "docker", "import", "--change", "LABEL berth.test=rig", tree, name)
	_ = os.Remove(tree)
	return name
}

// command runs a program of this machine and returns what it printed.
func command(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: is it installed? make setup\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
