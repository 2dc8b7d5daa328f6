package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Fault is one thing wrong with a configuration.
type Fault struct {
	File       string `json:"file"`   // path, "environment BERTH_X" or "flag --set"
	Line       int    `json:"line"`   // from 1; 0 where there is none
	Column     int    `json:"column"` // from 1, in characters; 0 where there is none
	Key        string `json:"key"`    // dotted path; empty where the file as a whole is meant
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"` // what was probably meant; may be empty
}

// String returns the fault as compilers write theirs, on one line:
//
//	/etc/berth/berth.yaml:12:5: logs.shedule: unknown key (did you mean "schedule"?)
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	if f.Key != "" {
		b.WriteString(": " + f.Key)
	}
	b.WriteString(": " + f.Message)
	if f.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", f.Suggestion)
	}
	return b.String()
}

// Invalid is the error of a configuration that cannot be used. Faults are in
// the order of the file, then of the environment, then of the flags.
type Invalid struct {
	Faults []Fault // at least one
}

// Error returns the faults, one on a line.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds what a file of nothing but faults can cost.
const maxFaults = 100

// faults collects; the zero value is ready.
type faults struct {
	found []Fault
	more  int // beyond maxFaults
}

func (f *faults) add(fault Fault) {
	if len(f.found) == maxFaults {
		f.more++
		return
	}
	f.found = append(f.found, fault)
}

// err returns nil where there was no fault.
func (f *faults) err() error {
	if len(f.found) == 0 {
		return nil
	}
	list := f.found
	if f.more > 0 {
		last := list[len(list)-1]
		list = append(list, Fault{File: last.File, Message: fmt.Sprintf("and %d more faults", f.more)})
	}
	return &Invalid{Faults: list}
}

// closest returns the one of known that word was probably meant to be: the
// same in another case, a word it only goes on from, or one at most two typing
// errors away with no more than half of it wrong. Empty: none.
func closest(word string, known []string) string {
	word = strings.ToLower(word)
	best, least := "", min(2, max(1, len(word)/2))+1
	for _, k := range known {
		lower := strings.ToLower(k)
		if len(k) >= 4 && strings.HasPrefix(word, lower) {
			return k
		}
		if d := len(word) - len(k); d > 2 || d < -2 {
			continue
		}
		if d := distance(word, lower); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours between two words.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// quote shows a value in a message: on one line, not at length, and without
// the password of a URL.
func quote(s string) string {
	s = mask(s)
	if r := []rune(s); len(r) > 80 {
		s = string(r[:79]) + "…"
	}
	return strconv.Quote(s)
}

// plainKey shows a key that came from outside as part of a dotted path.
func plainKey(s string) string {
	if s != "" && len(s) <= 80 && isPlain(s) && !strings.ContainsAny(s, " .[]:\"") {
		return s
	}
	return quote(s)
}

var (
	userinfo    = regexp.MustCompile(`(?s)(://).*@`)
	secretParam = regexp.MustCompile(`(?i)([?&][^=&\s]*(?:pass|secret|token|key)[^=&\s]*=)[^&\s]*`)
)

// mask replaces what may be secret in a URL: its userinfo, and parameters that
// are named like one.
func mask(s string) string {
	s = userinfo.ReplaceAllString(s, "${1}***@")
	return secretParam.ReplaceAllString(s, "${1}***")
}
