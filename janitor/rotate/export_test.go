package rotate

// Crash makes a rotator call f between its steps.
func (r *Rotator) Crash(f func(step string) error) { r.step = f }

// Ours is how the names of incomplete copies begin.
const Ours = ours
