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

// NoEffect returns the dotted keys that somebody has set and that this version
// does nothing with, because the duty behind them does not run yet. A duty
// that was switched off gives what was asked for and is not among them.
func NoEffect(l Loaded) []string {
	var idle []string
	for _, e := range entries(&l.Config) {
		if !e.planned || !e.value.IsValid() || l.Sources[e.name] == "default" {
			continue
		}
		if s, ok := reflect.TypeAssert[interface{ Off() bool }](e.value); ok && s.Off() {
			continue
		}
		idle = append(idle, e.name)
	}
	return idle
}
