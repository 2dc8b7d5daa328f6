package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// An origin is where a value was given.
type origin struct {
	file         string
	line, column int
}

// source is how an origin reads in [Loaded].Sources.
func (o origin) source() string {
	if o.line == 0 {
		return o.file
	}
	return o.file + ":" + strconv.Itoa(o.line)
}

// fault returns a fault at this place.
func (o origin) fault(path, suggestion, format string, args ...any) Fault {
	return Fault{File: o.file, Line: o.line, Column: o.column, Key: path, Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
}

// A decoder puts the values of one layer after the other into a Config. What
// it cannot put becomes a fault and leaves the value as it was.
type decoder struct {
	faults
	keys    table
	origins map[string]origin // by path, list elements included
	bad     map[string]bool   // keys with a fault of their own
	file    string            // the layer being read
	inline  bool              // the layer has no lines and columns
}

// at returns where n is.
func (d *decoder) at(n *yaml.Node) origin {
	if d.inline {
		return origin{file: d.file}
	}
	return origin{d.file, n.Line, n.Column}
}

// fault notes what is wrong with the value of path at n.
func (d *decoder) fault(n *yaml.Node, path, suggestion, format string, args ...any) {
	base, _, _ := strings.Cut(path, "[")
	d.bad[base] = true
	d.add(d.at(n).fault(path, suggestion, format, args...))
}

// value puts n into v. It reports whether it could.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) bool {
	if !d.usable(n, path) {
		return false
	}
	d.origins[path] = d.at(n)
	switch k := d.keys.find(path); {
	case isText(v):
		return d.text(n, path, v) && d.judge(n, k, path, v)
	case v.Kind() == reflect.Struct:
		return d.section(n, path, v) && d.judge(n, k, path, v)
	case n.ShortTag() == "!!null":
		d.fault(n, path, "", "has no value: give one, or remove the key")
		return false
	case v.Kind() == reflect.Slice:
		return d.list(n, path, v) && d.judge(n, k, path, v)
	case v.Kind() == reflect.Map:
		return d.mapping(n, path, v) && d.judge(n, k, path, v)
	default:
		return d.scalar(n, path, v) && d.judge(n, k, path, v)
	}
}

// usable refuses what makes one place in a file mean another.
func (d *decoder) usable(n *yaml.Node, path string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.fault(n, path, "", "aliases are not supported: write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		d.fault(n, path, "", "tags are not supported: remove %s", quote(n.Tag))
	default:
		return true
	}
	return false
}

// section puts a mapping into a struct. A section without a value is empty.
func (d *decoder) section(n *yaml.Node, path string, v reflect.Value) bool {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return true
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, path, "", "is %s: keys with values are needed", kind(n))
		return false
	}
	fields := fieldsOf(v.Type())
	ok, seen := true, map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if !d.keyOnce(name, path, seen) {
			ok = false
			continue
		}
		index, known := fields[name.Value]
		if !known {
			d.fault(name, join(path, name.Value), closest(name.Value, slices.Sorted(maps.Keys(fields))), "unknown key")
			ok = false
			continue
		}
		ok = d.value(value, join(path, name.Value), v.Field(index)) && ok
	}
	return ok
}

// keyOnce reports whether name is a key at all, and not one given before.
func (d *decoder) keyOnce(name *yaml.Node, path string, seen map[string]*yaml.Node) bool {
	switch {
	case !d.usable(name, path):
	case name.Kind != yaml.ScalarNode:
		d.fault(name, path, "", "a key is %s: one word is needed", kind(name))
	case name.ShortTag() == "!!merge":
		d.fault(name, join(path, "<<"), "", "merges are not supported: write the keys out")
	case seen[name.Value] != nil:
		d.fault(name, join(path, name.Value), "", "is given twice, first in line %d", seen[name.Value].Line)
	default:
		seen[name.Value] = name
		return true
	}
	return false
}

// maxList bounds a list, whose elements are compared with each other.
const maxList = 200

// list puts a sequence into a slice. An [Upstream] may be a single text.
func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) bool {
	elements := n.Content
	if _, single := reflect.TypeAssert[Upstream](v); single && n.Kind == yaml.ScalarNode {
		elements = []*yaml.Node{n}
	} else if n.Kind != yaml.SequenceNode {
		d.fault(n, path, "", "is %s: a list is needed (example: [a, b])", kind(n))
		return false
	}
	if len(elements) > maxList {
		d.fault(n, path, "", "has %d elements: at most %d are allowed", len(elements), maxList)
		return false
	}
	ok, list := true, reflect.MakeSlice(v.Type(), len(elements), len(elements))
	for i, e := range elements {
		at := fmt.Sprintf("%s[%d]", path, i)
		if list.Index(i).Type() == reflect.TypeFor[LogRoot]() {
			list.Index(i).Set(reflect.ValueOf(LogRoot{Pattern: DefaultPattern}))
		}
		ok = d.value(e, at, list.Index(i)) && ok
	}
	if ok {
		v.Set(list)
	}
	return ok
}

// mapping puts a mapping of texts into a map.
func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value) bool {
	if n.Kind != yaml.MappingNode {
		d.fault(n, path, "", "is %s: names with values are needed (example: {a: b})", kind(n))
		return false
	}
	ok, seen, m := true, map[string]*yaml.Node{}, reflect.MakeMap(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		if !d.keyOnce(name, path, seen) {
			ok = false
			continue
		}
		if name.Value == "" || !isPlain(name.Value) {
			d.fault(name, path, "", "%s cannot be a name", quote(name.Value))
			ok = false
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		ok = d.value(n.Content[i+1], path+"["+plainKey(name.Value)+"]", e) && ok
		m.SetMapIndex(reflect.ValueOf(name.Value), e)
	}
	if ok {
		v.Set(m)
	}
	return ok
}
