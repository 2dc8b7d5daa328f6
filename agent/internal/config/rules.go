package config

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// A rule judges a value that already has the right type. Its error completes a
// sentence that begins with the key, and shows the value where that helps.
type rule func(v any) error

// Checks are the judges of what other packages parse. One that is nil lets
// everything pass.
type Checks struct {
	Schedule func(string) error // a cron expression
	Pattern  func(string) error // the pattern of a log root
}

// foreign makes a rule of another package's parser.
func foreign(check func(string) error) rule {
	if check == nil {
		check = func(string) error { return nil }
	}
	return func(v any) error {
		s := v.(string)
		if !isPlain(s) {
			return fmt.Errorf("%s has characters that cannot be shown", quote(s))
		}
		if err := check(s); err != nil {
			return fmt.Errorf("%s: %w", quote(s), err)
		}
		return nil
	}
}

// optional lets the empty text pass.
func optional(r rule) rule {
	return func(v any) error {
		if v == "" {
			return nil
		}
		return r(v)
	}
}

// matching makes a rule of an expression; what says what is expected.
func matching(re *regexp.Regexp, v any, what string) error {
	if s := v.(string); s != "" && !re.MatchString(s) {
		return fmt.Errorf("%s is not %s", quote(s), what)
	}
	return nil
}

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
	wordForm   = regexp.MustCompile(`^[!-~]{1,255}$`)
	groupForm  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}\$?$`)
	prefixForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,63}$`)
	tagForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]{0,99}$`)
	tableForm  = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
)

func isName(v any) error {
	return matching(nameForm, v, "a name of letters, digits, dots, colons, dashes and underscores")
}
func isWord(v any) error  { return matching(wordForm, v, "one word") }
func isGroup(v any) error { return matching(groupForm, v, "the name of a group") }
func isMetricPrefix(v any) error {
	return matching(prefixForm, v, `the beginning of a metric's name (example: "berth.")`)
}

func isTagName(v any) error {
	if v == "" {
		return errors.New("is empty: the name of a tag is needed")
	}
	return matching(tagForm, v, "the name of a tag")
}

// isTag refuses what would break out of a tag on the wire.
func isTag(v any) error {
	s := v.(string)
	if s == "" || strings.ContainsAny(s, ",|#") || !isPlain(s) {
		return fmt.Errorf(`%s is not a tag (example: "env:prod")`, quote(s))
	}
	return nil
}

// isPlain reports whether s can be shown on a terminal as it is.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func isPath(v any) error {
	s := v.(string)
	switch clean := filepath.Clean(s); {
	case !filepath.IsAbs(s):
		return fmt.Errorf("%s is not an absolute path", quote(s))
	case !isPlain(s):
		return fmt.Errorf("%s has characters that cannot be shown", quote(s))
	case clean != s:
		return fmt.Errorf("%s is not a clean path: write %s", quote(s), quote(clean))
	}
	return nil
}

// isSocket knows that the kernel takes paths of at most 107 bytes.
func isSocket(v any) error {
	s := v.(string)
	if p, found := strings.CutPrefix(s, "unix://"); found {
		return fmt.Errorf("%s is a URL: write the path alone, %s", quote(s), quote(p))
	}
	if len(s) > 107 {
		return fmt.Errorf("is %d bytes long: the path of a unix socket has at most 107", len(s))
	}
	return isPath(s)
}

func isRoot(v any) error {
	if v == "/" {
		return errors.New(`"/" cannot be a log root`)
	}
	return isPath(v)
}

func isLogRoot(v any) error {
	if v.(LogRoot).Path == "" {
		return errors.New("has no path")
	}
	return nil
}

func isImagePattern(v any) error {
	s := v.(string)
	if _, err := path.Match(s, ""); err != nil || s == "" || strings.ContainsFunc(s, unicode.IsSpace) || !isPlain(s) {
		return fmt.Errorf(`%s is not a pattern of images (example: "base/*")`, quote(s))
	}
	return nil
}

func isTTL(v any) error {
	if d := v.(time.Duration); d < 10*time.Second {
		return fmt.Errorf("%s is too short: the least is 10s", formatDuration(d))
	}
	return nil
}
