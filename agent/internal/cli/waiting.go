package cli

import (
	"fmt"
	"time"
)

// waitTime is how long a command may be silent on a screen.
const waitTime = time.Second

// waiting says on a screen's standard error what is waited for, once that takes
// longer than waitTime. The function it returns ends the wait; nothing is
// written after it has returned.
func (s *session) waiting(what string) func() {
	if s.quiet || !s.env.Screen {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
		case <-time.After(waitTime):
			_, _ = fmt.Fprintln(s.env.Stderr, what)
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
