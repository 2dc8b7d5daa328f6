package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// A figure is one measured value beside its goal: the most it should be.
type figure struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Goal  float64 `json:"goal"` // 0: none
	Note  string  `json:"note"`
}

// report is everything measured in one run.
type report struct {
	Machine string   `json:"machine"`
	Plan    string   `json:"plan"`
	Figures []figure `json:"figures"`
}

func (r *report) add(f figure) {
	r.Figures = append(r.Figures, f)
	fmt.Fprintf(os.Stderr, "%s: %.3g %s\n", f.Name, f.Value, f.Unit)
}

// print writes the table of README.md.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%s\n%s\n\n", r.Machine, r.Plan)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIGURE\tVALUE\tGOAL\tRATIO\tNOTE")
	for _, f := range r.Figures {
		goal, ratio := "-", "-"
		if f.Goal > 0 {
			goal, ratio = fmt.Sprintf("<= %.4g %s", f.Goal, f.Unit), fmt.Sprintf("%.2f", f.Value/f.Goal)
		}
		fmt.Fprintf(t, "%s\t%.3g %s\t%s\t%s\t%s\n", f.Name, f.Value, f.Unit, goal, ratio, f.Note)
	}
	_ = t.Flush()
}

// thisMachine says where the figures come from.
func thisMachine() string {
	var u unix.Utsname
	_ = unix.Uname(&u)
	load, _ := os.ReadFile("/proc/loadavg")
	before, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, load %s at the start",
		processor(), runtime.NumCPU(), unix.ByteSliceToString(u.Release[:]), runtime.Version(), before)
}

// processor is the name of the first core.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }
