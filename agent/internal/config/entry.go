package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// An entry is a section or a key together with its value in some Config: what
// the shipped file and the reference are written from.
type entry struct {
	key
	value    reflect.Value // invalid: a section
	elements []key         // keys of the elements of a list
}

// last is the name without its section.
func (e entry) last() string { return e.name[strings.LastIndex(e.name, ".")+1:] }

// entries returns the table beside the values of c.
func entries(c *Config) []entry {
	values := map[string]reflect.Value{}
	for _, l := range leavesOf(c) {
		values[l.path] = l.value
	}
	var all []entry
	for _, k := range keys(Checks{}) {
		switch element := strings.Contains(k.name, "[]"); {
		case !element:
			all = append(all, entry{key: k, value: values[k.name]})
		case k.doc != "":
			last := &all[len(all)-1]
			last.elements = append(last.elements, k)
		}
	}
	return all
}

// kind names the type of the value for people.
func (e entry) kind() string {
	switch e.value.Interface().(type) {
	case time.Duration:
		return "duration"
	case Age:
		return "duration or off"
	case Size:
		return "size or off"
	case Listen:
		return "address or off"
	case Upstream:
		return "URL or list of URLs"
	case []LogRoot:
		return "list"
	case []string:
		return "list of texts"
	case map[string]string:
		return "map of texts"
	case map[string][]string:
		return "map of lists"
	case bool:
		return "true or false"
	case int:
		return fmt.Sprintf("number from %d to %d", e.least, e.most)
	case string:
		if e.enum != nil {
			return strings.Join(e.enum, ", ")
		}
		return "text"
	default:
		return "address"
	}
}

// inline returns the value as YAML on one line.
func (e entry) inline() string { return inline(encode(e.value, mask)) }
