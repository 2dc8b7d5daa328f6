package logs_test

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A site is a place in the code that makes a system call, by the callers.
type site [6]uintptr

// visits count what came to a site. Calls are sampled.
type visits struct{ calls, kills, fails int }

func (m *model) site() *visits {
	var at site
	runtime.Callers(4, at[:])
	v := m.sites[at]
	if v == nil {
		v = &visits{}
		m.sites[at] = v
	}
	return v
}

// reached fails the test if a place that makes system calls was never killed
// at, and logs how often each was.
func reached(t *testing.T, hosts []*model) {
	t.Helper()
	all := map[string]*visits{}
	for _, m := range hosts {
		for at, v := range m.sites {
			name := at.String()
			if all[name] == nil {
				all[name] = &visits{}
			}
			all[name].calls += v.calls
			all[name].kills += v.kills
			all[name].fails += v.fails
		}
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := all[name]
		lines = append(lines, fmt.Sprintf("%6d kills %6d faults  %s", v.kills, v.fails, name))
		if v.kills == 0 && v.calls > 100 && !strings.HasSuffix(name, "Openat2") {
			t.Errorf("the daemon was never killed at %s", name)
		}
	}
	t.Logf("system calls that it was killed at:\n%s", strings.Join(lines, "\n"))
}

// String names the functions of the janitor, the outermost first.
func (s site) String() string {
	var names []string
	for frames := runtime.CallersFrames(s[:]); ; {
		frame, more := frames.Next()
		name := frame.Function[strings.LastIndexByte(frame.Function, '/')+1:]
		if strings.Contains(frame.Function, "/janitor/") && !strings.Contains(name, "_test.") && !strings.Contains(name, "func") && !strings.Contains(name, "opened") {
			names = append(names, strings.NewReplacer("(*", "", ")", "").Replace(name))
		}
		if !more {
			break
		}
	}
	slices.Reverse(names)
	return strings.Join(names[max(0, len(names)-3):], " > ")
}
