package logs

import "context"

// ExpireDue is what Run does each time an undo window ends.
func (s *Sweeper) ExpireDue(ctx context.Context) { s.expireDue(ctx) }
