package agent

import (
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"
)

// newLogger writes to w in the given format: text, json, journal (text behind
// the priority prefix that journald reads, see sd-daemon(3)), or auto, which is
// journal under systemd, text on a terminal and JSON elsewhere.
func newLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	if format == "" || format == "auto" {
		format = autoFormat(w, os.Getenv("JOURNAL_STREAM") != "")
	}
	options := &slog.HandlerOptions{Level: level}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options))
	case "journal":
		options.ReplaceAttr = journalAttr
		return slog.New(slog.NewTextHandler(w, options))
	default:
		return slog.New(slog.NewTextHandler(w, options))
	}
}

func autoFormat(w io.Writer, journal bool) string {
	if journal {
		return "journal"
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return "text"
	}
	return "json"
}

// journalAttr drops the time, which the journal has, and turns the level, then
// first on the line, into syslog's priority.
func journalAttr(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		return slog.Attr{}
	case slog.LevelKey:
		level, _ := a.Value.Any().(slog.Level)
		return slog.String(priority(level)+"level", strings.ToLower(level.String()))
	}
	return a
}

func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "<3>"
	case level >= slog.LevelWarn:
		return "<4>"
	case level >= slog.LevelInfo:
		return "<6>"
	default:
		return "<7>"
	}
}

// parseLevel knows the levels that the configuration allows.
func parseLevel(s string) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s)); err != nil {
		return slog.LevelInfo
	}
	return level
}
