package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/berth-dev/berth/agent/internal/config"
)

const packaging = "../../../packaging"

// commentedKey is a key of the shipped file with its value.
var commentedKey = regexp.MustCompile(`(?m)^( *)#([a-z_]+: )`)

func shippedFile() string {
	return string(config.DefaultFile())
}

func TestShippedFileAndReferenceAreUpToDate(t *testing.T) {
	golden(t, filepath.Join(packaging, "berth.yaml"), shippedFile())
	golden(t, filepath.Join(packaging, "config.md"), string(config.Reference()))
}

func TestShippedFileSetsNothing(t *testing.T) {
	l := load(t, config.Sources{File: file(t, shippedFile())})
	for key, source := range l.Sources {
		if source != "default" {
			t.Errorf("%s is set by %s", key, source)
		}
	}
}

func TestShippedFileNamesEveryKeyWithItsDefault(t *testing.T) {
	text := commentedKey.ReplaceAllString(shippedFile(), "$1$2")
	l := load(t, config.Sources{File: file(t, text)})
	if diff := diffConfig(config.Default(), l.Config); diff != "" {
		t.Errorf("-default +file:\n%s", diff)
	}
	for key, source := range l.Sources {
		if source == "default" {
			t.Errorf("%s is not in the file", key)
		}
	}
}

func TestShippedFileFitsATerminal(t *testing.T) {
	for i, line := range strings.Split(shippedFile(), "\n") {
		if len(line) > 80 {
			t.Errorf("line %d has %d characters", i+1, len(line))
		}
	}
}

func TestReferenceNamesEveryKeyWithItsDefault(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| [^|]+ \\| `([^`]*)` \\| [^|]+ \\| `(BERTH_[A-Z_]+)` \\|")
	var set, names []string
	for _, m := range row.FindAllStringSubmatch(string(config.Reference()), -1) {
		value := strings.Trim(m[2], `"`)
		set, names = append(set, m[1]+"="+value), append(names, m[1])
		if m[3] != config.Variable(m[1]) {
			t.Errorf("%s has the variable %s", m[1], m[3])
		}
	}
	l := load(t, config.Sources{Set: set})
	if diff := diffConfig(config.Default(), l.Config); diff != "" {
		t.Errorf("-default +reference:\n%s", diff)
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(l.Sources)), names); diff != "" {
		t.Errorf("-keys +reference:\n%s", diff)
	}
}

func TestSchemaHasTheDefaultsAndAWordOnEachKey(t *testing.T) {
	var root schema
	if err := json.Unmarshal(config.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	defaults := root.defaults(t, "")
	whole, err := json.Marshal(defaults) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	l := load(t, config.Sources{File: file(t, string(whole))})
	if diff := diffConfig(config.Default(), l.Config); diff != "" {
		t.Errorf("-default +schema:\n%s", diff)
	}
	for key, source := range l.Sources {
		if source == "default" {
			t.Errorf("%s has no default in the schema", key)
		}
	}
}

type schema struct {
	Description string
	Default     any
	Properties  map[string]schema
}

func (s schema) defaults(t *testing.T, path string) any {
	t.Helper()
	if path != "" && s.Description == "" {
		t.Errorf("%s has no description", path)
	}
	if s.Properties == nil {
		return s.Default
	}
	all := map[string]any{}
	for name, p := range s.Properties {
		all[name] = p.defaults(t, path+"."+name)
	}
	return all
}

// compiled returns the schema ready for use.
func compiled(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("berth.json", doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("berth.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// validate judges a YAML text by the schema.
func validate(tb testing.TB, s *jsonschema.Schema, text string) error {
	tb.Helper()
	loader, err := yaml.NewLoader(strings.NewReader(text), yaml.WithV4Defaults())
	if err != nil {
		return err
	}
	var v any
	if err := loader.Load(&v); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return s.Validate(v)
}

func TestSchemaTakesGoodFilesAndRefusesBadOnes(t *testing.T) {
	s := compiled(t)
	for name, text := range map[string]string{
		"the shipped file": shippedFile(), "its defaults": commentedKey.ReplaceAllString(shippedFile(), "$1$2"), "every key": everything,
	} {
		if err := validate(t, s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{
		"hots: {}", "logs: {shedule: x}", "logs: []", "logs: {grace: 72 hours}", "logs: {grace: 1}", "logs: {roots: [{}]}", "logs: {roots: /x}",
		"disk: {high: 101}", "disk: {low: 0}", "images: {keep_newest: two}", "images: {keep: [1]}", "containers: {stopped: false}",
		"log: {level: loud}", "relay: {origin: x}", "relay: {upstream: []}", "relay: {labels: {a: 1}}", "relay: {block: {a: b}}", "relay: {rate: -1}", "relay: {client_origin: x}", "publish: {jmxmp_port: 70000}",
		"config: {watch: maybe}", "cluster: {quorum: 3}", "state_dir: 1", "host: {id: null}", "- a",
	} {
		if err := validate(t, s, text); err == nil {
			t.Errorf("the schema takes %q", text)
		}
		refuse(t, config.Sources{File: file(t, text)})
	}
}
