package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/internal/cli"
)

func TestLongWorkIsNamedOnScreensAlone(t *testing.T) {
	r := serve(t)
	tests := map[string]struct {
		line string
		look look
		want string
	}{
		"a sweep":            {"logs sweep", screen(120), "sweeping…\n"},
		"a run":              {"jobs run logs", screen(120), "running…\n"},
		"a sweep in a pipe":  {"logs sweep", environ(), ""},
		"a sweep in silence": {"logs sweep -q", screen(120), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r.hold = make(chan struct{})
			var stderr buffer
			ended := make(chan int, 1)
			args := append([]string{"--socket", r.socket}, strings.Fields(tt.line)...)
			env := cli.Env{Stdout: &buffer{}, Stderr: &stderr, Now: func() time.Time { return noon }}
			tt.look(&env)
			go func() { ended <- cli.Main(t.Context(), args, env) }()
			if tt.want == "" {
				<-time.After(1200 * time.Millisecond) // longer than a screen would wait
			} else {
				eventually(t, "the wait is named", func() bool { return stderr.String() == tt.want })
			}
			close(r.hold)
			if code := <-ended; code != 0 || stderr.String() != tt.want {
				t.Errorf("exit code %d, and on the standard error %q", code, stderr.String())
			}
		})
	}
}

func TestUndoAsksForEachAndOneRefusedKeepsNoOther(t *testing.T) {
	r := serve(t)
	out := r.berth(t, "logs undo 4f1c nothing 9a20").ended(t, 1)
	out.says(t, "bring back nothing", "nothing of it can be brought back")
	if diff := cmp.Diff([]string{"4f1c", "nothing", "9a20"}, r.undone); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	if !strings.Contains(out.stdout, "Brought back 2 folders") {
		t.Errorf("it prints\n%s", out.stdout)
	}
}
