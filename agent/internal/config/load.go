package config

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
)

// Sources are where a configuration comes from, least first: the file, the
// environment, the flags.
type Sources struct {
	File     string   // path; empty: none
	Optional bool     // a file that does not exist is no fault
	Env      []string // as os.Environ gives it; only what begins with BERTH_ is looked at
	Set      []string // key=value, as flags give it; the last of the same key wins
	Checks   Checks
}

// Loaded is a configuration without faults.
type Loaded struct {
	Config  Config
	Sources map[string]string // where each dotted key was given: "default", "/etc/berth/berth.yaml:12", "environment BERTH_X", "flag --set"
	File    string            // path of the file that was read; empty: none was
	Digest  [sha256.Size]byte // SHA-256 of the file's content; zero: none was read
}

// Load reads all sources. Its error is an [*Invalid] with every fault of every
// source.
func Load(s Sources) (Loaded, error) {
	c, d := Default(), newDecoder(s.Checks)
	loaded := Loaded{}
	if text, found := d.open(s); found {
		loaded.File, loaded.Digest = s.File, sha256.Sum256(text)
		d.document(text, &c)
	}
	d.environment(s.Env, &c)
	d.flags(s.Set, &c)
	d.cross(c)
	d.order(s.File)
	if err := d.err(); err != nil {
		return Loaded{}, err
	}
	loaded.Config, loaded.Sources = c, map[string]string{}
	for _, l := range leavesOf(&c) {
		loaded.Sources[l.path] = "default"
		if o, given := d.origins[l.path]; given {
			loaded.Sources[l.path] = o.source()
		}
	}
	return loaded, nil
}

func newDecoder(c Checks) *decoder {
	return &decoder{keys: keys(c), origins: map[string]origin{}, bad: map[string]bool{}}
}

// open reads the file of s, if there is one to read.
func (d *decoder) open(s Sources) (text []byte, found bool) {
	if s.File == "" {
		return nil, false
	}
	text, err := readFile(s.File)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && s.Optional:
		return nil, false
	case missing:
		d.add(Fault{File: s.File, Message: "does not exist"})
		return nil, false
	case err != nil:
		d.add(Fault{File: s.File, Message: err.Error()})
		return nil, false
	}
	d.file, d.inline = s.File, false
	return text, true
}

// document puts a whole file into c.
func (d *decoder) document(text []byte, c *Config) {
	root, fault := parse(text)
	if fault != nil {
		fault.File = d.file
		d.add(*fault)
		return
	}
	if root != nil && d.usable(root, "") {
		d.section(root, "", reflect.ValueOf(c).Elem())
	}
}

// order sorts the faults by layer and place.
func (d *decoder) order(file string) {
	layer := func(f Fault) int {
		switch {
		case f.File == file:
			return 0
		case strings.HasPrefix(f.File, environment):
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(d.found, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(layer(a), layer(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
