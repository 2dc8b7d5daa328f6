package api_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

type object = map[string]any

// document describes the table of routes in OpenAPI 3.1, whose schemas are
// JSON Schema 2020-12. A strict one allows no fields but those it names: it is
// for the tests, since readers ignore what they do not know.
func document(t *testing.T, strict bool) []byte {
	t.Helper()
	schemas, paths := object{}, object{}
	schemaOf(reflect.TypeFor[api.Problem](), schemas)
	for _, r := range api.Describe() {
		at, ok := paths[r.Path].(object)
		if !ok {
			at = object{}
			paths[r.Path] = at
		}
		at[strings.ToLower(r.Method)] = operation(r, schemas)
	}
	if strict {
		for _, schema := range schemas {
			schema.(object)["additionalProperties"] = false
		}
	}
	text, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Berth", "version": "1",
			"description": "The daemon's unix socket. Changes are additive only; readers ignore fields they do not know.",
		},
		"paths":      paths,
		"components": object{"schemas": schemas},
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func operation(r api.Described, schemas object) object {
	answer := schemaOf(r.Answer, schemas)
	problem := content("application/problem+json", object{"$ref": "#/components/schemas/Problem"})
	responses := object{
		"200":     object{"description": "The answer.", "content": content(r.MIME, answer)},
		"default": object{"description": "A refusal.", "content": problem},
	}
	op := object{"summary": r.Doc, "x-access": r.Access, "responses": responses}
	if params := parameters(r); len(params) > 0 {
		op["parameters"] = params
	}
	switch {
	case r.Body == nil:
	case r.Body.Kind() == reflect.String:
		op["requestBody"] = object{"required": true, "content": content("application/yaml", object{"type": "string"})}
	default:
		op["requestBody"] = object{"required": true, "content": content("application/json", schemaOf(r.Body, schemas))}
	}
	return op
}

func content(mime string, schema object) object {
	return object{mime: object{"schema": schema}}
}

func parameters(r api.Described) []object {
	var all []object
	for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(r.Path, -1) {
		all = append(all, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range r.Query {
		schema := object{"type": p.Kind}
		if p.Kind == "integer" {
			schema["minimum"] = 0
		}
		all = append(all, object{"name": p.Name, "in": "query", "required": p.Required, "description": p.Doc, "schema": schema})
	}
	return all
}

// schemaOf describes a Go type as its JSON; named structs go to schemas.
// Fields are required unless they may be left out.
func schemaOf(t reflect.Type, schemas object) object {
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Uint, reflect.Uint16, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), schemas)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t.Elem(), schemas)}
	case reflect.Pointer:
		return schemaOf(t.Elem(), schemas)
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return object{"type": "string", "format": "date-time"}
		}
		return structOf(t, schemas)
	default:
		return object{}
	}
}

func structOf(t reflect.Type, schemas object) object {
	ref := object{"$ref": "#/components/schemas/" + t.Name()}
	if _, done := schemas[t.Name()]; done {
		return ref
	}
	properties, required := object{}, []string{}
	schema := object{"type": "object", "properties": properties}
	schemas[t.Name()] = schema
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		properties[name] = schemaOf(field.Type, schemas)
		if options == "" {
			required = append(required, name)
		}
	}
	schema["required"] = required
	return ref
}
