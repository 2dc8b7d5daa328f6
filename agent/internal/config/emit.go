package config

import (
	"encoding/json"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// block writes a mapping made by encode over several lines: one for each key,
// and one for each element of a list.
func block(b *strings.Builder, n *yaml.Node, indent string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		b.WriteString(indent + inline(name) + ":")
		switch {
		case len(value.Content) == 0:
			b.WriteString(" " + inline(value) + "\n")
		case value.Kind == yaml.MappingNode:
			b.WriteString("\n")
			block(b, value, indent+"  ")
		default:
			b.WriteString("\n")
			for _, e := range value.Content {
				b.WriteString(indent + "  - " + inline(e) + "\n")
			}
		}
	}
}

// inline returns a node made by encode on one line.
func inline(n *yaml.Node) string {
	var parts []string
	switch {
	case n.Kind == yaml.SequenceNode:
		for _, e := range n.Content {
			parts = append(parts, inline(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, inline(n.Content[i])+": "+inline(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case n.Tag == "!!str":
		return scalar(n.Value)
	default:
		return n.Value
	}
}

var (
	plainForm    = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)*$`)
	durationForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(h|m|s|ms|µs|ns))+$`)
	wordsOfYAML  = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|y|n)$`)
)

// scalar quotes a text wherever a reader of YAML might take it for something
// else. A JSON string is one in YAML, too.
func scalar(s string) string {
	if plainForm.MatchString(s) && !wordsOfYAML.MatchString(s) || durationForm.MatchString(s) {
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text has no way to fail
	return strings.TrimSuffix(b.String(), "\n")
}
