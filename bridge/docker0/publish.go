package docker0

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The files that Publish writes.
const (
	EnvFile  = "dogstatsd.env"  // NAME=value lines: a shell's, Docker's --env-file, systemd's EnvironmentFile
	JSONFile = "dogstatsd.json" // the same for programs, and every address
)

// A place is the JSON file.
type place struct {
	Host      string           `json:"host"`
	Port      uint16           `json:"port"`
	URL       string           `json:"url"`
	Addresses []netip.AddrPort `json:"addresses"`
}

// Publish tells applications where to send: two files in dir, that anybody can
// read. The first of at is where they should; with none, the files are removed,
// as nobody listens. A reader finds a whole file, the old one or the new one.
func Publish(dir string, at []netip.AddrPort) error {
	if len(at) == 0 {
		return errors.Join(remove(dir, EnvFile), remove(dir, JSONFile))
	}
	twin, err := json.MarshalIndent(place{
		Host: at[0].Addr().String(), Port: at[0].Port(), URL: "udp://" + at[0].String(), Addresses: at,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", JSONFile, err)
	}
	return errors.Join(
		replace(dir, EnvFile, []byte(environment(at[0]))),
		replace(dir, JSONFile, append(twin, '\n')))
}

// environment has the names that clients read by themselves: Datadog's own the
// first three, statsd of Python and of Node the next two, statsd-instrument of
// Ruby the last. Datadog's tracers read DD_AGENT_HOST too, for traces, which
// are not relayed.
func environment(at netip.AddrPort) string {
	host, port := at.Addr().String(), strconv.Itoa(int(at.Port()))
	return strings.Join([]string{
		"DD_AGENT_HOST=" + host,
		"DD_DOGSTATSD_PORT=" + port,
		"DD_DOGSTATSD_URL=udp://" + at.String(),
		"STATSD_HOST=" + host,
		"STATSD_PORT=" + port,
		"STATSD_ADDR=" + at.String(),
	}, "\n") + "\n"
}

// replace writes a file beside its place and moves it there.
func replace(dir, name string, text []byte) error {
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(dir, name), err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", filepath.Join(dir, name), err)
	}
	return nil
}

func remove(dir, name string) error {
	if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("withdraw %s: %w", name, err)
	}
	return nil
}
