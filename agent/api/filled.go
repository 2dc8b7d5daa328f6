package api

import (
	"reflect"
	"time"
)

// filled returns a copy of v in which every list and map that is nil is empty
// instead, however deep, so that JSON shows [] and not null. The original is
// left alone: it may be a snapshot that others read. Values of interface type
// inside v are foreign and stay as they are.
func filled(v any) any {
	if v == nil {
		return nil
	}
	old := reflect.ValueOf(v)
	if !old.IsValid() {
		return v
	}
	fresh := reflect.New(old.Type()).Elem()
	fill(fresh, old)
	return fresh.Interface()
}

// fill sets fresh to a filled copy of old.
func fill(fresh, old reflect.Value) {
	fresh.Set(old)
	switch old.Kind() {
	case reflect.Slice:
		fresh.Set(reflect.MakeSlice(old.Type(), old.Len(), old.Len()))
		for i := range old.Len() {
			fill(fresh.Index(i), old.Index(i))
		}
	case reflect.Map:
		fresh.Set(reflect.MakeMapWithSize(old.Type(), old.Len()))
		for key, value := range old.Seq2() {
			item := reflect.New(old.Type().Elem()).Elem()
			fill(item, value)
			fresh.SetMapIndex(key, item)
		}
	case reflect.Pointer:
		if !old.IsNil() {
			fresh.Set(reflect.New(old.Type().Elem()))
			fill(fresh.Elem(), old.Elem())
		}
	case reflect.Struct:
		if old.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range old.NumField() {
			if old.Type().Field(i).IsExported() {
				fill(fresh.Field(i), old.Field(i))
			}
		}
	}
}
