package config

import "reflect"

// Diff compares two configurations. It returns the dotted keys whose new
// values can be put in force in the running process, and those whose new
// values wait for a restart; no key is in both.
func Diff(before, after Config) (changed, needsRestart []string) {
	t, b, a := keys(Checks{}), leavesOf(&before), leavesOf(&after)
	for i := range b {
		switch {
		case same(b[i].value, a[i].value):
		case t.find(b[i].path).restart:
			needsRestart = append(needsRestart, b[i].path)
		default:
			changed = append(changed, b[i].path)
		}
	}
	return changed, needsRestart
}

// same reports equality; a list or map without elements is like none.
func same(a, b reflect.Value) bool {
	if k := a.Kind(); (k == reflect.Slice || k == reflect.Map) && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
