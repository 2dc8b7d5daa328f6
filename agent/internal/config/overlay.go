package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	envPrefix   = "BERTH_"
	environment = "environment "
	setFlag     = "flag --set"
)

// reserved are variables that the command line reads itself.
func reserved() []string { return []string{"BERTH_CONFIG", "BERTH_SOCKET"} }

// Variable returns the environment variable that sets a dotted key:
// logs.grace is BERTH_LOGS_GRACE.
func Variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// environment puts the BERTH_ variables into c.
func (d *decoder) environment(env []string, c *Config) {
	known, names := map[string]leaf{}, reserved()
	for _, l := range leavesOf(c) {
		known[Variable(l.path)] = l
		names = append(names, Variable(l.path))
	}
	for _, entry := range slices.Sorted(slices.Values(env)) {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(reserved(), name) {
			continue
		}
		l, ok := known[name]
		if !ok {
			at := origin{file: environment + plainKey(name)}
			d.add(at.fault("", closest(name, names), "unknown variable"))
			continue
		}
		d.overlay(environment+name, l, text)
	}
}

// flags puts key=value pairs into c.
func (d *decoder) flags(set []string, c *Config) {
	known, names := map[string]leaf{}, []string{}
	for _, l := range leavesOf(c) {
		known[l.path] = l
		names = append(names, l.path)
	}
	at := origin{file: setFlag}
	for _, entry := range set {
		name, text, ok := strings.Cut(entry, "=")
		l, isKey := known[name]
		switch isSection := slices.ContainsFunc(names, func(k string) bool { return strings.HasPrefix(k, name+".") }); {
		case !ok:
			d.add(at.fault("", "", "%s is not key=value (example: logs.grace=2h)", quote(entry)))
		case isKey:
			d.overlay(setFlag, l, text)
		case isSection:
			d.add(at.fault(name, "", "is a section: set one of its keys"))
		default:
			d.add(at.fault(plainPath(name), closestPath(name, names), "unknown key"))
		}
	}
}

// plainPath shows a dotted path that came from outside.
func plainPath(path string) string {
	if plainKey(strings.ReplaceAll(path, ".", "_")) == strings.ReplaceAll(path, ".", "_") {
		return path
	}
	return quote(path)
}

// closestPath suggests a dotted key, also to who left the section out.
func closestPath(path string, known []string) string {
	if best := closest(path, known); best != "" {
		return best
	}
	same := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.HasSuffix(k, "."+path) })
	if len(same) == 1 {
		return same[0]
	}
	return ""
}

// overlay puts a text from outside a file into one key. Lists and maps are
// YAML; everything else is taken as it stands, so that nobody must quote for
// two readers.
func (d *decoder) overlay(file string, l leaf, text string) {
	d.file, d.inline = file, true
	maps.DeleteFunc(d.origins, func(path string, _ origin) bool { return strings.HasPrefix(path, l.path+"[") })
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if fault := unreadable([]byte(text)); fault != nil {
		d.fault(n, l.path, "", "%s", fault.Message)
		return
	}
	_, single := reflect.TypeAssert[Upstream](l.value)
	single = single && !strings.HasPrefix(strings.TrimSpace(text), "[")
	switch k := l.value.Kind(); {
	case single || isText(l.value):
	case k == reflect.Slice || k == reflect.Map:
		root, fault := parse([]byte(text))
		if fault != nil {
			d.fault(n, l.path, "", "%s", fault.Message)
			return
		}
		if root != nil {
			n = root
		}
	case k == reflect.Bool && (text == "true" || text == "false"):
		n.Tag = "!!bool"
	case k == reflect.Int:
		n.Tag = "!!int"
	}
	d.value(n, l.path, l.value)
}
