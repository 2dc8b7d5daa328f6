package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// What the relay may hold: less is no help in an outage, and more is not
// memory that a host has to spare.
const (
	leastHold Size = 64 << 10
	mostHold  Size = 1 << 30
)

func isHold(v any) error {
	if s := v.(Size); s < leastHold || s > mostHold {
		return fmt.Errorf("%s is not from %s to %s", s, leastHold, mostHold)
	}
	return nil
}

// maxLabels is how many labels of each container are carried along.
const maxLabels = 32

func isLabels(v any) error {
	if n := len(v.(map[string]string)); n > maxLabels {
		return fmt.Errorf("has %d labels: at most %d are allowed", n, maxLabels)
	}
	return nil
}

func isBlock(v any) error {
	for service, names := range v.(map[string][]string) {
		if len(names) == 0 {
			return fmt.Errorf("has no name for %s", quote(service))
		}
	}
	return nil
}

// isNameBeginning refuses what no metric's name can begin with.
func isNameBeginning(v any) error {
	s := v.(string)
	if s == "" {
		return errors.New("is empty: that would drop everything")
	}
	if !isPlain(s) || strings.ContainsAny(s, ":|@#,") || strings.ContainsFunc(s, unicode.IsSpace) {
		return fmt.Errorf("%s is not the beginning of a metric's name", quote(s))
	}
	return nil
}
