package agent

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func untilCancelled(ctx context.Context) error { <-ctx.Done(); return nil }

func TestAStopIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := together(ctx, component{"a", untilCancelled}, component{"b", untilCancelled}); err != nil {
		t.Errorf("together = %v, want nil after cancellation", err)
	}
}

func TestTheFirstComponentToEndEndsAll(t *testing.T) {
	boom := errors.New("boom")
	tests := map[string]struct {
		run  func(context.Context) error
		want error
	}{
		"with an error":    {func(context.Context) error { return boom }, boom},
		"without an error": {func(context.Context) error { return nil }, errEnded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := together(t.Context(), component{"a", untilCancelled}, component{"duty", tt.run})
			if !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), "duty: ") {
				t.Errorf("together = %v, want duty: %v", err, tt.want)
			}
		})
	}
}
