package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A release is one run.
type release struct {
	version string
	time    time.Time // the only one that stands anywhere in the result
	root    string    // of the repository
	out     string
	stages  string
}

func main() {
	version := flag.String("version", "", "version of the packages; empty: what git describes")
	out := flag.String("out", "bin/dist", "folder for the result")
	arches := flag.String("arch", "amd64,arm64", "architectures, as Go names them")
	formats := flag.String("format", "deb,rpm,tar", "which of them")
	flag.Parse()
	if err := produce(*version, *out, strings.Split(*arches, ","), strings.Split(*formats, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func produce(version, out string, arches, formats []string) error {
	r, err := begin(version, out)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(r.stages) }()
	for _, arch := range arches {
		if err := r.arch(arch, formats); err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
	}
	installer, err := os.ReadFile(filepath.Join(r.root, "packaging/install.sh"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.out, "install.sh"), installer, 0o755); err != nil {
		return err
	}
	return r.sums()
}

func begin(version, out string) (*release, error) {
	root, err := output("", "go", "env", "GOMOD")
	if err != nil {
		return nil, err
	}
	r := &release{version: version, root: filepath.Dir(root)}
	if r.time, err = r.epoch(); err != nil {
		return nil, err
	}
	if r.version == "" {
		r.version = r.describe()
	}
	if r.out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(r.out); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return nil, err
	}
	r.stages, err = os.MkdirTemp("", "berth-release-")
	return r, err
}

// epoch is the time that all files of the release have.
func (r *release) epoch() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		commit, err := output(r.root, "git", "log", "-1", "--format=%ct")
		if err != nil {
			return time.Time{}, fmt.Errorf("no commit to take the time from: set SOURCE_DATE_EPOCH: %w", err)
		}
		text = commit
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// describe names a commit: its tag, or one that sorts before every release.
func (r *release) describe() string {
	if tag, err := output(r.root, "git", "describe", "--tags", "--exact-match", "--match", "v[0-9]*"); err == nil {
		return strings.TrimPrefix(tag, "v")
	}
	commit, err := output(r.root, "git", "rev-parse", "--short=8", "HEAD")
	if err != nil {
		commit = "unknown"
	}
	return "0.0.0~git" + r.time.Format("20060102150405") + "." + commit
}

// arch makes everything for one architecture.
func (r *release) arch(arch string, formats []string) error {
	s := &stage{release: r, arch: arch, dir: filepath.Join(r.stages, arch)}
	if err := s.fill(); err != nil {
		return err
	}
	for _, format := range formats {
		var err error
		switch format {
		case "tar":
			err = s.archive()
		case "deb", "rpm":
			err = s.nfpm(format)
		default:
			err = errors.New("it is none of deb, rpm, tar")
		}
		if err != nil {
			return fmt.Errorf("make %s: %w", format, err)
		}
	}
	return nil
}

// nfpm makes a package from the stage, which its configuration is relative to.
func (s *stage) nfpm(format string) error {
	tool, err := output(s.root, "go", "tool", "-modfile=packaging/nfpm.mod", "-n", "nfpm")
	if err != nil {
		return err
	}
	cmd := exec.Command(tool, "package", "--config", filepath.Join(s.root, "packaging/nfpm.yaml"), "--packager", format, "--target", s.out+"/")
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "VERSION="+s.version, "ARCH="+s.arch, "SOURCE_DATE_EPOCH="+s.epochText())
	return run(cmd)
}

func (r *release) epochText() string { return strconv.FormatInt(r.time.Unix(), 10) }

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// output runs a program and returns its first line.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
