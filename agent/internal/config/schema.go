package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// durationPattern is what parseDuration reads, for editors.
const durationPattern = `^\+?([0-9]*\.?[0-9]*(d|h|m|s|ms|us|µs|μs|ns))+$`

// sizePattern is what a size looks like, for editors.
const sizePattern = `^[0-9]+([KMGT]i)?B$`

// Schema returns the JSON Schema (2020-12) of the file, with descriptions and
// defaults, for editors. Whatever [Load] takes, it takes; the judgement of
// values that contradict each other is Load's alone.
func Schema() []byte {
	c := Default()
	s := schemaOf(keys(Checks{}), "", reflect.ValueOf(&c).Elem())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Berth configuration"
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(s) // made of what json can write, and a buffer takes all
	return b.Bytes()
}

// schemaOf describes the value at path.
func schemaOf(t table, path string, v reflect.Value) map[string]any {
	k := t.find(path)
	s := typeOf(t, k, path, v)
	if k.doc != "" {
		s["description"] = k.doc
	}
	if section := v.Kind() == reflect.Struct && !isText(v); !section && k.doc != "" && generic(path) == path {
		s["default"] = plain(encode(v, mask))
	}
	return s
}

func typeOf(t table, k key, path string, v reflect.Value) map[string]any {
	switch v.Interface().(type) {
	case time.Duration:
		return map[string]any{"anyOf": []any{map[string]any{"type": "string", "pattern": durationPattern}, map[string]any{"enum": []any{0, "0", "+0", "-0"}}}}
	case Age:
		return map[string]any{"anyOf": []any{map[string]any{"const": off}, map[string]any{"type": "string", "pattern": durationPattern}}}
	case Size:
		return map[string]any{"anyOf": []any{map[string]any{"const": off}, map[string]any{"type": "string", "pattern": sizePattern}}}
	case Upstream:
		list := map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "minItems": 1, "maxItems": maxList}
		return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, list}}
	}
	switch {
	case isText(v):
		return map[string]any{"type": "string"}
	case v.Kind() == reflect.Struct:
		return objectOf(t, path, v)
	case v.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "maxItems": maxList, "items": schemaOf(t, path+"[]", reflect.New(v.Type().Elem()).Elem())}
	case v.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t, path+"[]", reflect.New(v.Type().Elem()).Elem())}
	case v.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case v.Kind() == reflect.Int:
		return map[string]any{"type": "integer", "minimum": k.least, "maximum": k.most}
	case k.enum != nil:
		return map[string]any{"type": "string", "enum": k.enum}
	default:
		return map[string]any{"type": "string"}
	}
}

// objectOf describes a section. One without a value is empty, not wrong; an
// element of a list must have its path.
func objectOf(t table, path string, v reflect.Value) map[string]any {
	properties := map[string]any{}
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		properties[name] = schemaOf(t, join(path, name), v.Field(i))
	}
	s := map[string]any{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	if v.Type() == reflect.TypeFor[LogRoot]() {
		s["type"], s["required"] = "object", []string{"path"}
	}
	return s
}

// plain turns a YAML tree made by encode into what package json writes.
func plain(n *yaml.Node) any {
	switch {
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for _, e := range n.Content {
			list = append(list, plain(e))
		}
		return list
	case n.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case n.Tag == "!!bool":
		return n.Value == "true"
	case n.Tag == "!!int":
		i, _ := strconv.Atoi(n.Value) // written by encode
		return i
	default:
		return n.Value
	}
}
