package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-dev/berth/agent/api"
)

// showImagePlan writes v, which holds the plan, as JSON, or the plan for people.
// Piped, the standard output is the plan's text and nothing else (J6).
func (s *session) showImagePlan(v any, l api.ImagePlan) error {
	if s.json || s.quiet || s.env.Screen {
		return s.show(v, func(p *page) {
			p.plannedImages(l)
			p.imageSummary(l)
		})
	}
	p := s.page()
	p.imageSummary(l)
	return errors.Join(s.write([]byte(printableLines(l.Text))), writeTo(s.env.Stderr, p.text.Bytes()))
}

// imageSummary adds what a plan comes to, and how to apply it.
func (p *page) imageSummary(l api.ImagePlan) {
	switch {
	case l.Blind != "":
		p.line("%s", ink{"Nothing may be removed now: " + l.Blind, yellow})
	case l.Remove == 0:
		p.line("Plan %s: nothing to remove, %d kept", ink{l.Hash, bold}, l.Keep)
	default:
		p.line("Plan %s: %d to remove, which frees %s; %d kept", ink{l.Hash, bold}, l.Remove, size(l.Bytes), l.Keep)
		p.line("Apply exactly this plan: berth images sweep --plan %s", l.Hash)
	}
	if l.Need > l.Bytes && l.Blind == "" {
		p.line("%s", ink{fmt.Sprintf("The disk wants %s: nothing else may go", size(l.Need)), yellow})
	}
}

// plannedImages shows what is in question: what goes first.
func (p *page) plannedImages(l api.ImagePlan) {
	remove := p.table("<WOULD REMOVE", "ID", "KIND", ">FREES", "USED", "~REASON")
	keep := p.table("<KEPT", "ID", "KIND", ">SIZE", "UNTIL", "~REASON")
	for _, o := range l.Objects {
		switch {
		case o.Verdict == "remove":
			remove.row(ink{o.Name, yellow}, objectID(o), o.Kind, size(o.Bytes), p.moment(o.Used), o.Reason)
		case o.Code != "in-use" && o.Code != "running" && o.Code != "ecs" && o.Code != "off" && o.Code != "blind":
			keep.row(o.Name, objectID(o), o.Kind, size(o.Size), p.moment(o.Until), o.Reason)
		}
	}
	for _, t := range []*table{remove, keep} {
		t.draw()
		if len(t.rows) > 0 {
			p.line("")
		}
	}
}

func (s *session) showImageSweep(r api.ImageSweepReport) error {
	if r.DryRun {
		return s.showImagePlan(r, r.Plan)
	}
	return s.show(r, func(p *page) { p.imageSweep(r) })
}

// imageSweep adds what was done to each object and why.
func (p *page) imageSweep(r api.ImageSweepReport) {
	if !p.screen && r.Plan.Text != "" {
		p.block(r.Plan.Text)
		p.line("")
	}
	p.doneObjects("REMOVED", yellow, r.Removed)
	p.doneObjects("KEPT AFTER ALL", "", r.Refused)
	p.doneObjects("REMOVED UNDER A CONTAINER", red, r.Lost)
	switch {
	case r.Plan.Blind != "":
		p.line("%s", ink{"Nothing removed: " + r.Plan.Blind, yellow})
	case len(r.Removed)+len(r.Refused) == 0:
		p.line("Nothing to remove: %d kept, in %s", r.Plan.Keep, duration(r.Duration))
	default:
		p.line("Plan %s: removed %d, which frees %s (the disk has %s more), kept %d after all, in %s",
			r.Plan.Hash, len(r.Removed), size(r.Predicted), size(max(r.Freed, 0)), len(r.Refused), duration(r.Duration))
	}
	if r.Fault != "" {
		p.line("%s", ink{"Not all went well: " + r.Fault, red})
	}
}

// doneObjects adds a table of objects to which one thing was done.
func (p *page) doneObjects(title, style string, all []api.Object) {
	t := p.table("<"+title, "ID", "KIND", ">FREES", "~REASON")
	for _, o := range all {
		t.row(ink{o.Name, style}, objectID(o), o.Kind, size(o.Bytes), o.Reason)
	}
	t.draw()
	if len(all) > 0 {
		p.line("")
	}
}

// objectID is the short form of an ID.
func objectID(o api.Object) string {
	if _, digits, ok := strings.Cut(o.ID, ":"); ok {
		return short(digits)
	}
	return short(o.ID)
}

// count is a number, or nothing.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
