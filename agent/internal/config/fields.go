package config

import (
	"encoding"
	"reflect"

	"go.yaml.in/yaml/v4"
)

// fieldsOf returns where in a struct each YAML key lives.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		fields[t.Field(i).Tag.Get("yaml")] = i
	}
	return fields
}

// isText reports whether a value is of a type that reads and writes itself.
func isText(v reflect.Value) bool {
	return reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// A leaf is one key with a value of its own.
type leaf struct {
	path  string
	value reflect.Value
}

// leaves returns the keys of v in the order of its fields; v is a struct that
// lives at path.
func leaves(path string, v reflect.Value) []leaf {
	var all []leaf
	for i := range v.NumField() {
		at, field := join(path, v.Type().Field(i).Tag.Get("yaml")), v.Field(i)
		if field.Kind() == reflect.Struct && !isText(field) {
			all = append(all, leaves(at, field)...)
		} else {
			all = append(all, leaf{at, field})
		}
	}
	return all
}

// leavesOf returns the keys of c; they can be set.
func leavesOf(c *Config) []leaf { return leaves("", reflect.ValueOf(c).Elem()) }

// join adds a key to a dotted path.
func join(path, name string) string {
	if path == "" {
		return plainKey(name)
	}
	return path + "." + plainKey(name)
}

// kind names in words what a node is.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section with keys of its own"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "a truth value"
	case "!!timestamp":
		return "a date"
	default:
		return "a single value"
	}
}
