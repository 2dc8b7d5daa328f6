package config

import (
	"fmt"
	"strings"
)

const fileHeader = `# Configuration of Berth, the host agent.
#
# Every key is shown with its default and commented out: remove the # before a
# key to change its value. Keys that are not set here follow the defaults of
# the version that runs.
#
# Durations are written 90s, 15m, 1h30m or 3d. Schedules are cron expressions
# and are read in UTC. Each key can also be set in the environment, as in
# BERTH_LOGS_GRACE=2h, or by a flag, as in --set logs.grace=2h. A flag wins over
# the environment, and the environment over this file.
#
# "berth config check" tells what is wrong with this file, and "berth config
# show" what is in force.
`

// DefaultFile returns the file that is shipped: every key with its meaning and
// its default, commented out, so that a host follows the defaults of the
// version it runs. With the # before each key removed it is [Default].
func DefaultFile() []byte {
	c := Default()
	var b strings.Builder
	b.WriteString(fileHeader)
	for _, e := range entries(&c) {
		if !e.value.IsValid() {
			b.WriteString("\n" + wrap("# ", "", e.doc) + e.name + ":\n")
			continue
		}
		indent := "  "
		if e.last() == e.name {
			indent = ""
			b.WriteString("\n")
		}
		doc := e.doc
		if e.enum != nil {
			doc = "One of " + e.kind() + ". " + doc
		}
		b.WriteString(wrap(indent+"# ", "", doc))
		for _, k := range e.elements {
			b.WriteString(wrap(indent+"# ", "  ", "- "+k.name[strings.LastIndex(k.name, ".")+1:]+": "+k.doc))
		}
		fmt.Fprintf(&b, "%s#%s: %s\n", indent, e.last(), e.inline())
	}
	return []byte(b.String())
}

// wrap breaks a text into lines of at most 80 characters, each after prefix,
// and all but the first after hang as well.
func wrap(prefix, hang, text string) string {
	var b strings.Builder
	line, empty := prefix, true
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) > 80 && !empty {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = prefix + hang
		}
		line, empty = line+word+" ", false
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}

const referenceHeader = `# Configuration reference

One YAML file, ` + "`/etc/berth/berth.yaml`" + `; each key can also be set by an environment variable or by ` + "`--set key=value`" + `.
Flags win over the environment, the environment over the file, the file over the defaults.
Unknown keys are errors. Durations are written ` + "`90s`, `15m`, `1h30m` or `3d`" + `; schedules are cron expressions in UTC.
Lists and maps in a variable or a flag are YAML in flow style: ` + "`BERTH_METRICS_TAGS='[\"env:prod\"]'`" + `.
`

// Reference returns the table of all keys, in Markdown.
func Reference() []byte {
	c := Default()
	var b strings.Builder
	b.WriteString(referenceHeader)
	fresh := false
	for _, e := range entries(&c) {
		if !e.value.IsValid() {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", e.name, e.doc)
			fresh = true
			continue
		}
		if e.last() == e.name {
			fmt.Fprintf(&b, "\n## %s\n", e.name)
			fresh = true
		}
		if fresh {
			b.WriteString("\n" + row("Key", "Type", "Default", "Meaning", "Variable", "A change"))
			b.WriteString(row("---", "---", "---", "---", "---", "---"))
			fresh = false
		}
		b.WriteString(row(code(e.name), e.kind(), code(e.inline()), e.doc, code(Variable(e.name)), e.reloads()))
		for _, k := range e.elements {
			b.WriteString(row(code(k.name), "text", "", k.doc, "", e.reloads()))
		}
	}
	return []byte(b.String())
}

// reloads says when a new value takes effect.
func (e entry) reloads() string {
	if e.restart {
		return "needs a restart"
	}
	return "reloads"
}

func code(s string) string { return "`" + s + "`" }

func row(cells ...string) string {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
