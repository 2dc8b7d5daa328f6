package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Extra holds the fields of an object that this build does not know, so that a
// record keeps them when it is read and written again.
type Extra map[string]json.RawMessage

// MarshalJSON implements [json.Marshaler]. No mappings are an empty list,
// however that came about.
func (r Record) MarshalJSON() ([]byte, error) {
	type plain Record
	if r.Mappings == nil {
		r.Mappings = []Mapping{}
	}
	return join(plain(r), r.Extra)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Record) UnmarshalJSON(b []byte) error { return split(b, r, &r.Extra) }

// MarshalJSON implements [json.Marshaler].
func (r Reservation) MarshalJSON() ([]byte, error) {
	type plain Reservation
	return join(plain(r), r.Extra)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Reservation) UnmarshalJSON(b []byte) error { return split(b, r, &r.Extra) }

// MarshalJSON implements [json.Marshaler].
func (v Vector) MarshalJSON() ([]byte, error) { type plain Vector; return join(plain(v), v.Extra) }

// UnmarshalJSON implements [json.Unmarshaler].
func (v *Vector) UnmarshalJSON(b []byte) error { return split(b, v, &v.Extra) }

// MarshalJSON implements [json.Marshaler].
func (m Mapping) MarshalJSON() ([]byte, error) { type plain Mapping; return join(plain(m), m.Extra) }

// UnmarshalJSON implements [json.Unmarshaler].
func (m *Mapping) UnmarshalJSON(b []byte) error { return split(b, m, &m.Extra) }

// MarshalJSON implements [json.Marshaler].
func (s Shape) MarshalJSON() ([]byte, error) { type plain Shape; return join(plain(s), s.Extra) }

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Shape) UnmarshalJSON(b []byte) error { return split(b, s, &s.Extra) }

// join encodes the known fields and puts the others behind them, sorted.
func join(known any, extra Extra) ([]byte, error) {
	text, err := json.Marshal(known)
	if err != nil || len(extra) == 0 {
		return text, err
	}
	text = bytes.TrimSuffix(text, []byte("}"))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(append(text, key...), ':'), extra[name]...)
	}
	return append(text, '}'), nil
}

// split decodes the fields of the struct that into points to, by their exact
// names, and keeps the rest.
func split(text []byte, into any, extra *Extra) error {
	var rest map[string]json.RawMessage
	if err := json.Unmarshal(text, &rest); err != nil {
		return err
	}
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		raw, there := rest[name]
		if name == "-" || !there {
			continue
		}
		if err := json.Unmarshal(raw, v.Field(i).Addr().Interface()); err != nil {
			return fmt.Errorf("field %q: %w", name, err)
		}
		delete(rest, name)
	}
	*extra = nil
	if len(rest) > 0 {
		*extra = rest
	}
	return nil
}

// peekVersion reads the version alone.
func peekVersion(text []byte) (int64, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return 0, err
	}
	var version int64
	if raw, there := object["v"]; there {
		if err := json.Unmarshal(raw, &version); err != nil {
			return 0, fmt.Errorf("field %q: %w", "v", err)
		}
	}
	return version, nil
}
