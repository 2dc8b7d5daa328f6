package config

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Show returns the whole configuration in force as YAML that [Load] reads
// back, except that secrets in URLs are replaced by ***.
func (l Loaded) Show() string {
	var b strings.Builder
	block(&b, encode(reflect.ValueOf(&l.Config).Elem(), mask), "")
	return b.String()
}

// encode returns v, which must be addressable, as a YAML tree in the order of
// its fields. Texts pass through show.
func encode(v reflect.Value, show func(string) string) *yaml.Node {
	if d, ok := reflect.TypeAssert[time.Duration](v); ok {
		return text(formatDuration(d))
	}
	switch {
	case isText(v):
		out, _ := v.Interface().(encoding.TextMarshaler).MarshalText() // none of ours fails
		return text(string(out))
	case v.Kind() == reflect.Struct:
		return encodeStruct(v, show)
	case v.Kind() == reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.Len() {
			n.Content = append(n.Content, encode(v.Index(i), show))
		}
		return n
	case v.Kind() == reflect.Map:
		return encodeMap(v, show)
	case v.Kind() == reflect.Bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v.Bool())}
	case v.Kind() == reflect.Int:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(v.Int(), 10)}
	default:
		return text(show(v.String()))
	}
}

func encodeStruct(v reflect.Value, show func(string) string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := range v.NumField() {
		n.Content = append(n.Content, text(v.Type().Field(i).Tag.Get("yaml")), encode(v.Field(i), show))
	}
	return n
}

// encodeMap puts the names in order. They are texts.
func encodeMap(v reflect.Value, show func(string) string) *yaml.Node {
	n, names := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, map[string]reflect.Value{}
	for name, value := range v.Seq2() {
		names[name.String()] = value
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		n.Content = append(n.Content, text(name), encode(names[name], show))
	}
	return n
}

func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}
