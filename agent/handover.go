package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// full is the build of this program that has etcd's client too, which would be
// a quarter of every host's binary and memory.
const full = "berth-etcd"

// HandOver replaces this process by the full build if the store that a URL names
// needs it: same process ID, arguments and environment. It returns nil if this
// build will do. Call it before anything is open.
func HandOver(url string) error {
	if scheme := schemeOf(url); hasEtcd || scheme != "etcd" && scheme != "etcds" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find %s: %w", full, err)
	}
	places := fullPlaces(self)
	for _, path := range places {
		if err = syscall.Exec(path, os.Args, os.Environ()); !errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("a store in etcd needs %s: %w", path, err)
		}
	}
	return fmt.Errorf("a store in etcd needs %s, which is not at %s: install the whole package, or run make build", full, strings.Join(places, " or "))
}

// fullPlaces is where the full build of a binary lies: beside it, where it was
// built, and where packages put it.
func fullPlaces(self string) []string {
	dir := filepath.Dir(self)
	return []string{filepath.Join(dir, full), filepath.Join(filepath.Dir(dir), "lib/berth", full)}
}
