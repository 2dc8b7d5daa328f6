package logs

// Abandon lets go of the roots as a crash does, whatever is under way.
func (s *Sweeper) Abandon() {
	for _, g := range s.ground {
		g.close()
	}
}
