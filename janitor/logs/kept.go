package logs

import "github.com/berth-dev/berth/janitor/audit"

// kept puts into the audit why folders are kept, where that is not why they
// were kept before, and that a sweep was blind, where the last one was not.
// That the container of a folder is listed is news only if it was not: a host
// that restarts us all day must not fill the audit with it.
func (s *Sweeper) kept(p Plan, by string) error {
	var all []audit.Record
	codes := make(map[string]string, len(p.Decisions))
	for _, d := range p.Decisions {
		path := d.Path()
		before, known := s.codes[path]
		switch {
		case d.Verdict == Remove:
			continue
		case d.Code == CodeBlind:
			if known {
				codes[path] = before
			}
			continue
		}
		if codes[path] = d.Code; d.Code != before && (known || d.Code != CodeListed) {
			all = append(all, audit.Record{
				Action: audit.Kept, Path: path, Service: d.Service, Container: d.Name, Code: d.Code, Reason: d.Reason, By: by,
			})
		}
	}
	s.codes = codes
	return s.write(append(all, s.blinded(p.Blind, by)...))
}

// blinded returns what to write of a sweep that could not see.
func (s *Sweeper) blinded(why, by string) []audit.Record {
	before := s.blind
	if s.blind = why; why == "" || why == before {
		return nil
	}
	s.Log.Warn("sweep is blind", "err", why)
	s.notify(Event{Type: "logs.blind", Message: why})
	return []audit.Record{{Action: audit.Blind, Code: CodeBlind, Reason: why, By: by}}
}
