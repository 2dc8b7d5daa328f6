package config

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// text puts a text into a type that reads texts itself.
func (d *decoder) text(n *yaml.Node, path string, v reflect.Value) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		d.fault(n, path, "", "is %s: a text is needed", kind(n))
		return false
	}
	read := v.Addr().Interface().(encoding.TextUnmarshaler)
	if err := read.UnmarshalText([]byte(n.Value)); err != nil {
		if ours := v.Type().PkgPath() == reflect.TypeFor[Config]().PkgPath(); ours {
			d.fault(n, path, closestOff(n.Value), "%s", err)
		} else {
			d.fault(n, path, "", "%s is not an IP address", quote(n.Value))
		}
		return false
	}
	return true
}

// closestOff suggests off to who wrote it another way.
func closestOff(s string) string {
	if slices.Contains([]string{"false", "no", "none", "never", "disabled", "Off", "OFF", "of"}, s) {
		return off
	}
	return ""
}

// scalar puts a text, number, truth value or duration into v.
func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) bool {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, path, "", "is %s: a single value is needed", kind(n))
		return false
	}
	if _, ok := reflect.TypeAssert[time.Duration](v); ok {
		return d.duration(n, path, v)
	}
	switch v.Kind() {
	case reflect.Bool:
		if n.ShortTag() != "!!bool" {
			d.fault(n, path, map[string]string{"yes": "true", "on": "true", "no": "false", off: "false"}[n.Value], "%s is neither true nor false", quote(n.Value))
			return false
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		i, err := strconv.ParseInt(n.Value, 0, 32)
		if err != nil || n.ShortTag() != "!!int" {
			d.fault(n, path, "", "%s is not a whole number", quote(n.Value))
			return false
		}
		v.SetInt(i)
	default:
		if n.ShortTag() != "!!str" {
			d.fault(n, path, "", "%s is %s, not a text: put it in quotes", n.Value, kind(n))
			return false
		}
		v.SetString(n.Value)
	}
	return true
}

// duration puts a duration into v. 0 needs no unit.
func (d *decoder) duration(n *yaml.Node, path string, v reflect.Value) bool {
	example := formatDuration(time.Duration(v.Int()))
	if v.Int() == 0 {
		example = "1h"
	}
	got, err := parseDuration(n.Value)
	if err != nil {
		d.fault(n, path, "", "%s %s (example: %s)", quote(n.Value), err, example)
		return false
	}
	if got < 0 {
		d.fault(n, path, "", "%s is below zero (example: %s)", quote(n.Value), example)
		return false
	}
	v.SetInt(int64(got))
	return true
}

// judge applies what the table says of the key to a value of the right type.
func (d *decoder) judge(n *yaml.Node, k key, path string, v reflect.Value) bool {
	if k.enum != nil && !slices.Contains(k.enum, v.String()) {
		d.fault(n, path, closest(v.String(), k.enum), "%s is not one of %s", quote(v.String()), strings.Join(k.enum, ", "))
		return false
	}
	if k.most > 0 && (v.Int() < int64(k.least) || v.Int() > int64(k.most)) {
		d.fault(n, path, "", "%d is not from %d to %d", v.Int(), k.least, k.most)
		return false
	}
	if k.rule == nil {
		return true
	}
	if err := k.rule(v.Interface()); err != nil {
		d.fault(n, path, "", "%s", err)
		return false
	}
	return true
}
