package api

import (
	"errors"
)

func (s *Server) status(c *call) (Status, error) { return s.Backend.Status(c.ctx()), nil }
func (s *Server) version(*call) (Version, error) { return s.Version, nil }
func (s *Server) live(c *call) (Health, error)   { return healthy(s.Backend.Live(c.ctx())) }
func (s *Server) ready(c *call) (Health, error)  { return healthy(s.Backend.Ready(c.ctx())) }
func (s *Server) portmaps(c *call) ([]Portmap, error) {
	return s.Backend.Portmaps(c.ctx()), nil
}

func (s *Server) containers(c *call) (Containers, error) {
	return s.Backend.Containers(c.ctx(), c.query.Get("match")), nil
}

func (s *Server) logs(c *call) ([]Folder, error) {
	return s.Backend.LogFolders(c.ctx(), c.flag("measured"))
}

func (s *Server) logPlan(c *call) (LogPlan, error) {
	return s.Backend.LogPlan(c.ctx(), c.flag("unlimited"))
}

func (s *Server) reservation(c *call) (Reservation, error) {
	return s.Backend.Reservation(c.ctx()), nil
}

func (s *Server) records(c *call) ([]StoreRecord, error) { return s.Backend.Records(c.ctx()) }
func (s *Server) diagnostics(c *call) ([]Check, error)   { return s.Backend.Diagnose(c.ctx()), nil }
func (s *Server) jobs(c *call) ([]Job, error)            { return s.Backend.Jobs(c.ctx()), nil }
func (s *Server) config(c *call) (ConfigShow, error)     { return s.Backend.Config(c.ctx()), nil }

func (s *Server) logSweep(c *call, r SweepRequest) (SweepReport, error) {
	return s.Backend.LogSweep(c.ctx(), c.peer, r)
}

func (s *Server) logUndo(c *call, r UndoRequest) (UndoReport, error) {
	named := 0
	for _, set := range []bool{r.Container != "", r.Last, r.Plan != ""} {
		if set {
			named++
		}
	}
	if named != 1 {
		return UndoReport{}, BadRequest("name what to bring back by exactly one of container, last and plan")
	}
	return s.Backend.LogUndo(c.ctx(), c.peer, r)
}

func (s *Server) logHistory(c *call) ([]Record, error) {
	return s.Backend.LogHistory(c.ctx(), int(c.number("limit")))
}

func (s *Server) images(c *call) ([]Object, error) { return s.Backend.Images(c.ctx()) }

func (s *Server) imagePlan(c *call) (ImagePlan, error) {
	return s.Backend.ImagePlan(c.ctx(), c.flag("until_low"))
}

func (s *Server) imageSweep(c *call, r ImageSweepRequest) (ImageSweepReport, error) {
	return s.Backend.ImageSweep(c.ctx(), c.peer, r)
}

func (s *Server) imageHistory(c *call) ([]Record, error) {
	return s.Backend.ImageHistory(c.ctx(), int(c.number("limit")))
}

func (s *Server) why(c *call) (Why, error) {
	return s.Backend.Why(c.ctx(), c.query.Get("object"))
}

func (s *Server) jobRuns(c *call) ([]Run, error) {
	return s.Backend.JobRuns(c.ctx(), c.r.PathValue("name"))
}

func (s *Server) runJob(c *call) (Run, error) {
	return s.Backend.RunJob(c.ctx(), c.peer, c.r.PathValue("name"), c.flag("dry_run"))
}

func (s *Server) reload(c *call) (Reload, error) { return s.Backend.Reload(c.ctx(), c.peer) }

func (s *Server) checkConfig(c *call) ([]Fault, error) {
	text, err := c.text()
	if err != nil {
		return nil, err
	}
	return s.Backend.CheckConfig(c.ctx(), text), nil
}

// healthy answers 503 unless err is nil.
func healthy(err error) (Health, error) {
	if _, ok := errors.AsType[*Problem](err); ok || err == nil {
		return Health{OK: true}, err
	}
	return Health{}, Unavailable(err)
}
