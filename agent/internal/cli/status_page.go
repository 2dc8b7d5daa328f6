package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/berth-dev/berth/agent/api"
)

// frame returns the page as one that takes the place of what the screen shows:
// each line is cleared to its end, and so is all below the last.
func (p *page) frame() []byte {
	body := bytes.ReplaceAll(p.text.Bytes(), []byte("\n"), []byte("\x1b[K\n"))
	return slices.Concat([]byte("\x1b[H"), body, []byte("\x1b[J"))
}

func (p *page) status(s api.Status) {
	p.headline(s)
	p.fact("Docker", p.docker(s.Docker))
	p.fact("Images", p.imageState(s.Images))
	p.fact("Logs", p.logState(s.Logs))
	for _, r := range s.Logs.Roots {
		if r.Fault != "" {
			p.fact("", ink{r.Path + ": " + r.Fault, yellow})
		}
	}
	p.fact("Relay", p.relayState(s.Relay))
	p.fact("Store", p.storeState(s.Store))
	p.disks(s.Disks)
	p.fact("Config", p.configState(s))
	for _, f := range s.Config.Rejected {
		p.fact("", ink{"refused: " + faultText(f), yellow})
	}
	if len(s.Config.Restart) > 0 {
		p.fact("", ink{"waiting for a restart: " + strings.Join(s.Config.Restart, ", "), yellow})
	}
	for i, limit := range s.Limited {
		p.fact([]string{"Limited", ""}[min(i, 1)], ink{limit, yellow})
	}
	t := p.jobTable(s.Jobs)
	t.indent = "  "
	t.draw()
}

// headline says who this is and how it is. The reasons that do not fit beside
// it follow below.
func (p *page) headline(s api.Status) {
	who := printable(fmt.Sprintf("berth %s on %s%s", s.Version, cmp.Or(s.Host.ID, "this host"), about(s.Host)))
	verdict, style, reasons := "OK", green, s.Reasons
	if s.Verdict != api.OK {
		verdict, style = strings.ToUpper(printable(string(s.Verdict))), yellow
	} else if !s.Started.IsZero() {
		verdict += ", up " + duration(p.now.Sub(s.Started))
	}
	if len(reasons) > 0 {
		if with := verdict + ": " + printable(reasons[0]); !p.screen || p.room(p.width, who, with) >= 4 {
			verdict, reasons = with, reasons[1:]
		}
	}
	room := strings.Repeat(" ", max(p.room(headlineWidth, who, verdict), 4))
	p.line("%s %s%s%s", ink{"●", style}, ink{who, bold}, room, ink{verdict, style})
	for _, r := range reasons {
		p.line("  %s %s", ink{"!", style}, r)
	}
}

// headlineWidth is where the verdict ends if it can: further right it would be
// too far from the name.
const headlineWidth = 100

// room is how much is left of a headline that is at most this wide.
func (p *page) room(width int, who, verdict string) int {
	return min(p.width, width) - length("● ") - length(who) - length(verdict)
}

// about is the host's address and cluster.
func about(h api.Host) string {
	var parts []string
	if h.Address != "" {
		parts = append(parts, h.Address)
	}
	if h.Cluster != "" {
		parts = append(parts, "cluster "+h.Cluster)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// fact adds a line of the form "  Docker    25.0.16 …".
func (p *page) fact(name string, what ink) {
	p.line("  %s %s", ink{fmt.Sprintf("%-9s", name), bold}, what)
}

func (p *page) docker(d api.Docker) ink {
	var parts []string
	if d.Version != "" {
		parts = append(parts, fmt.Sprintf("%s (API %s)", d.Version, d.APIVersion))
	} else {
		parts = append(parts, d.Socket)
	}
	if d.Blind != "" {
		since := ""
		if !d.BlindSince.IsZero() {
			since = " for " + duration(p.now.Sub(d.BlindSince))
		}
		return ink{strings.Join(append(parts, "blind"+since+": "+d.Blind), gap), yellow}
	}
	if !d.Connected {
		return ink{strings.Join(append(parts, "not connected"), gap), yellow}
	}
	parts = append(parts, fmt.Sprintf("%s, %d up", plural(d.Containers, "container"), d.Up))
	if at := p.moment(d.LastEvent); at != "" {
		parts = append(parts, "last event "+at)
	}
	return ink{text: strings.Join(parts, gap)}
}

func (p *page) imageState(i api.Images) ink {
	switch {
	case i.Lost > 0:
		return ink{fmt.Sprintf("%d were removed while a container was made from them", i.Lost), red}
	case i.Blind != "":
		return ink{"nothing may be removed: " + i.Blind, yellow}
	case i.Unused == 0:
		return ink{text: fmt.Sprintf("%d, none to remove", i.Images)}
	}
	return ink{text: fmt.Sprintf("%d, %d to remove (%s)", i.Images, i.Unused, size(i.Frees))}
}

func (p *page) logState(l api.Logs) ink {
	if len(l.Roots) == 0 {
		return ink{"no log root is configured", dim}
	}
	var paths []string
	for _, r := range l.Roots {
		paths = append(paths, r.Path)
	}
	text := strings.Join(paths, ", ")
	if l.Restorable > 0 {
		text += fmt.Sprintf("%s%d restorable, holding %s", gap, l.Restorable, size(l.HeldBytes))
	}
	if !l.FirstSweep.IsZero() {
		text += gap + "scheduled sweeps only plan until " + p.moment(l.FirstSweep)
	}
	if l.Blind != "" {
		return ink{text + gap + "nothing swept: " + l.Blind, yellow}
	}
	return ink{text: text}
}

func (p *page) storeState(s api.StoreState) ink {
	text := fmt.Sprintf("%s%s%s", cmp.Or(s.Engine, "none"), gap, plural(s.Mappings, "mapping"))
	if at := p.moment(s.Published); at != "" {
		text += ", published " + at
	}
	if s.Fault != "" {
		return ink{text + gap + s.Fault, yellow}
	}
	return ink{text: text}
}

// disks adds one line for all file systems, in the order of how full they are.
func (p *page) disks(all []api.Disk) {
	if len(all) == 0 {
		return
	}
	all = slices.SortedStableFunc(slices.Values(all), func(a, b api.Disk) int { return cmp.Compare(full(b), full(a)) })
	p.put("  %s ", ink{fmt.Sprintf("%-9s", "Disk"), bold})
	for i, d := range all {
		text := fmt.Sprintf("%s %s", d.Path, percent(d.BytesPercent))
		if d.Level != "" && d.Level != "normal" {
			text += " (" + d.Level + ")"
		}
		if d.FullIn > 0 {
			text += ", full in " + duration(d.FullIn)
		}
		if d.InodesPercent > d.BytesPercent {
			text += ", inodes " + percent(d.InodesPercent)
		}
		if i > 0 {
			p.put("   ")
		}
		p.put("%s", ink{text, fullness(d)})
	}
	p.line("")
}

func full(d api.Disk) float64 { return max(d.BytesPercent, d.InodesPercent) }

// fullness is the style of a file system that is this short of space.
func fullness(d api.Disk) string {
	switch {
	case d.Level == "emergency" || full(d) >= 95:
		return red
	case d.Level == "high" || d.Level == "forecast":
		return yellow
	default:
		return ""
	}
}

func (p *page) configState(s api.Status) ink {
	text := fmt.Sprintf("%s%sgeneration %d", cmp.Or(s.Config.File, "defaults, no file"), gap, s.Generation)
	if at := p.moment(s.Config.Loaded); at != "" {
		text += ", loaded " + at
	}
	return ink{text: text}
}
