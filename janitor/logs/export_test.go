package logs

// Abandon lets go of the roots as a crash does, whatever is under way.
func (s *Sweeper) Abandon() {
	for _, g := range s.ground {
		g.close()
	}
}

// Each has a crew do tasks.
func Each(all int, do func(i int)) { each(all, do) }

// How many are a crew, and how long one is watched before it becomes one.
const (
	Purgers = purgers
	Glance  = glance
)
