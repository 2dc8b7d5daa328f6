package agent

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestTheJournalGetsAPriorityAndNoTime(t *testing.T) {
	var b bytes.Buffer
	log := newLogger(&b, "journal", slog.LevelDebug)
	log.Error("swept", "folder", "a b")
	log.With("component", "logs").Warn("blind", slog.Group("g", "time", 1, "level", 2))
	log.Info("ok")
	log.Debug("detail")
	want := strings.Join([]string{
		`<3>level=error msg=swept folder="a b"`,
		`<4>level=warn msg=blind component=logs g.time=1 g.level=2`,
		`<6>level=info msg=ok`,
		`<7>level=debug msg=detail`, "",
	}, "\n")
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestTheFormatIsChosenForWhoReads(t *testing.T) {
	var b bytes.Buffer
	if got := autoFormat(&b, true); got != "journal" {
		t.Errorf("under systemd it is %s, want journal", got)
	}
	if got := autoFormat(&b, false); got != "json" {
		t.Errorf("in a pipe it is %s, want json", got)
	}
	newLogger(&b, "auto", slog.LevelInfo).Debug("below the level")
	if b.Len() > 0 {
		t.Errorf("a line below the level was written: %s", b.String())
	}
}
