package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A stage is a folder with what the packages of one architecture are made of:
// berth, and beside it what the tree has for packages, under the names of
// packaging/nfpm.yaml.
type stage struct {
	*release
	arch string
	dir  string
}

// texts are the files that go into a stage as they are, with their names there.
func texts() map[string]string {
	return map[string]string{
		"LICENSE":                     "LICENSE",
		"README.md":                   "README.md",
		"packaging/berth.yaml":        "berth.yaml",
		"packaging/config.md":         "config.md",
		"packaging/copyright":         "copyright",
		"packaging/lintian-overrides": "lintian-overrides",
		"packaging/install.sh":        "install.sh",
		"systemd/berth.service":       "systemd/berth.service",
		"systemd/sysusers.conf":       "systemd/sysusers.conf",
		"systemd/tmpfiles.conf":       "systemd/tmpfiles.conf",
		"systemd/README.md":           "systemd/README.md",
		"systemd/examples/*":          "systemd/examples/",
		"packaging/datadog/*.json":    "datadog/",
		"packaging/scripts/deb/*":     "scripts/deb/",
		"packaging/scripts/rpm/*":     "scripts/rpm/",
		"packaging/examples/*":        "examples/",
		"packaging/README.md":         "doc/packaging.md",
		"janitor/README.md":           "doc/janitor.md",
		"bridge/dogstatsd/README.md":  "doc/relay.md",
	}
}

func (s *stage) fill() error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	for from, to := range texts() {
		if err := s.take(from, to); err != nil {
			return err
		}
	}
	binary, full := filepath.Join(s.dir, "berth"), filepath.Join(s.dir, "berth-etcd")
	if err := errors.Join(s.build(binary, s.arch, ""), s.build(full, s.arch, "etcd,grpcnotrace")); err != nil {
		return err
	}
	if err := s.generated(); err != nil {
		return err
	}
	if err := s.changelog(); err != nil {
		return err
	}
	return s.bill(binary, full)
}

// take copies files of the repository that match a pattern. A pattern with a
// star may match none.
func (s *stage) take(pattern, to string) error {
	found, err := filepath.Glob(filepath.Join(s.root, pattern))
	if err != nil {
		return err
	}
	if len(found) == 0 && !strings.Contains(pattern, "*") {
		return fmt.Errorf("%s is missing", pattern)
	}
	for _, path := range found {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := to
		if strings.HasSuffix(to, "/") || to == "" {
			name = filepath.Join(to, filepath.Base(path))
		}
		if err := s.put(name, content); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file of the stage. Scripts are executable, whatever they were.
func (s *stage) put(name string, content []byte) error {
	mode := os.FileMode(0o644)
	if strings.HasPrefix(name, "scripts/") || strings.HasSuffix(name, ".sh") {
		mode = 0o755
	}
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// build makes a binary as the Makefile does. It has no time and no path in it,
// and its VCS facts are the commit's, where there is one; what the caller's
// environment says of builds has no part in it.
func (s *stage) build(binary, arch, tags string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-tags="+tags, "-buildvcs="+s.vcs(), "-ldflags", "-s -w", "-o", binary, "./agent/cmd/berth")
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=")
	if err := run(cmd); err != nil {
		return err
	}
	return os.Chmod(binary, 0o755)
}

// vcs is true where the tree is a repository of its own that git can read.
func (r *release) vcs() string {
	top, err := output(r.root, "git", "rev-parse", "--show-toplevel")
	return strconv.FormatBool(err == nil && top == r.root)
}

// generated has the command line document itself. The binary of the stage may
// be for another machine.
func (s *stage) generated() error {
	pages := filepath.Join(s.dir, "man")
	if _, err := s.berth("man", pages); err != nil {
		return err
	}
	if err := s.zipped(pages); err != nil {
		return err
	}
	for shell, name := range map[string]string{"bash": "berth.bash", "zsh": "_berth", "fish": "berth.fish"} {
		script, err := s.berth("completion", shell)
		if err != nil {
			return err
		}
		if err := s.put(filepath.Join("completions", name), script); err != nil {
			return err
		}
	}
	return nil
}

// berth runs the command line on this machine.
func (s *stage) berth(args ...string) ([]byte, error) {
	host := filepath.Join(s.stages, "berth")
	if _, err := os.Stat(host); err != nil {
		if err := s.build(host, "", ""); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(host, args...)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+s.epochText(), "BERTH_SOCKET=")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("berth %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

// zipped compresses each file of a folder.
func (s *stage) zipped(folder string) error {
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	for _, path := range found {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		if err := s.zip(rel+".gz", content); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// zip writes a compressed file of the stage, without name and time.
func (s *stage) zip(name string, content []byte) error {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return s.put(name, packed.Bytes())
}

// changelog writes the changes for people, and the entry that Debian wants.
func (s *stage) changelog() error {
	changes, err := os.ReadFile(filepath.Join(s.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	if err := s.zip("doc/CHANGELOG.md.gz", changes); err != nil {
		return err
	}
	entry := fmt.Sprintf("berth (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz in this folder.\n\n -- %s  %s\n",
		s.version, maintainer, s.time.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	return s.zip("doc/changelog.gz", []byte(entry))
}

const maintainer = "Berth maintainers <maintainers@berth.invalid>"
