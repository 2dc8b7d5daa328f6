package logs

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// Placeholders of a pattern.
const (
	anyPart     = "*"
	servicePart = "{service}"
	idPart      = "{id}"
)

// A Pattern says where below a root the log folders of containers are:
// "{service}/containers/{id}". Its parts are fixed names, "*" for any name,
// "{service}", at most once, and "{id}", which is the last. Names that begin
// with a dot are matched by fixed parts alone.
type Pattern struct{ parts []string }

// ParsePattern reads a pattern. One that could match anything but the folder
// of a container is refused.
func ParsePattern(s string) (Pattern, error) {
	parts := strings.Split(s, "/")
	if s == "" || parts[len(parts)-1] != idPart {
		return Pattern{}, fmt.Errorf("pattern %q: its last part must be {id}, as in {service}/containers/{id}", s)
	}
	for i, part := range parts {
		switch {
		case part == "" || part == "." || part == "..":
			return Pattern{}, fmt.Errorf("pattern %q: part %d is %q: give the path below the root, without %q", s, i+1, part, part)
		case part == idPart && i < len(parts)-1:
			return Pattern{}, fmt.Errorf("pattern %q: {id} may only be the last part", s)
		case part == tombstone.Home:
			return Pattern{}, fmt.Errorf("pattern %q: %s is where removed folders wait", s, part)
		case part == anyPart, part == servicePart, part == idPart:
		case strings.ContainsAny(part, "{}*?[]\\\x00"):
			return Pattern{}, fmt.Errorf("pattern %q: part %q is neither a name nor one of *, {service}, {id}", s, part)
		}
	}
	if i := slices.Index(parts, servicePart); i >= 0 && slices.Contains(parts[i+1:], servicePart) {
		return Pattern{}, fmt.Errorf("pattern %q: {service} is there twice", s)
	}
	return Pattern{parts}, nil
}

// String returns what ParsePattern read.
func (p Pattern) String() string { return strings.Join(p.parts, "/") }

// match reports whether a name fits the part at this depth. One that is not
// UTF-8 fits none: neither the journals nor the socket could say it.
func (p Pattern) match(depth int, name string) bool {
	switch part := p.parts[depth]; part {
	case idPart:
		return IsFolderName(name)
	case anyPart, servicePart:
		return !strings.HasPrefix(name, ".") && utf8.ValidString(name)
	default:
		return name == part
	}
}

// service is the part of a relative path that names the service; empty if the
// pattern has none.
func (p Pattern) service(rel string) string {
	for _, part := range p.parts {
		name, rest, _ := strings.Cut(rel, "/")
		if part == servicePart {
			return name
		}
		rel = rest
	}
	return ""
}

// IsFolderName reports whether a name is 12 or 64 lower-case hexadecimal
// digits: the only names that a container's log folder can have.
func IsFolderName(name string) bool {
	return (len(name) == inventory.ShortIDLen || len(name) == inventory.IDLen) && inventory.IsHex(name)
}

// FolderFor returns where below root the log folder of a container would be:
// one of its mounts leads to the root, to a folder above its log folder, or to
// that folder itself. The name is the ID's first 12 digits, which is what a
// container finds as its hostname. Empty: no mount leads there.
func (p Pattern) FolderFor(root, service string, mounts []inventory.Mount, id inventory.ID) string {
	for _, m := range mounts {
		rel, ok := strings.CutPrefix(m.Source+"/", root+"/")
		if !ok {
			continue
		}
		if folder, ok := p.complete(strings.Trim(rel, "/"), service, id); ok {
			return path.Join(root, folder)
		}
	}
	return ""
}

// complete fills a path that the first parts of the pattern match up to the
// whole of it.
func (p Pattern) complete(rel, service string, id inventory.ID) (string, bool) {
	var parts []string
	if rel != "" {
		parts = strings.Split(rel, "/")
	}
	if len(parts) > len(p.parts) {
		return "", false
	}
	for i, name := range parts {
		if !p.match(i, name) {
			return "", false
		}
	}
	for _, part := range p.parts[len(parts):] {
		switch part {
		case idPart:
			part = id.Short()
		case servicePart:
			part = service
		case anyPart:
			return "", false
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "/"), true
}
