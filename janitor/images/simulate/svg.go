package simulate

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// The plot, in pixels.
const (
	width, height = 720, 420
	left, right   = 70, 20
	top, bottom   = 40, 50
)

// color tells a way from the others, in light and in dark.
func (w Way) color() string {
	switch w {
	case Ours:
		return "#2f81f7"
	case LRU:
		return "#db6d28"
	case Age:
		return "#8957e5"
	default:
		return "#3fb950"
	}
}

// SVG writes a plot: the seconds of pulling a day over the mean disk use, a curve
// for each way. It needs nothing else, and is readable in light and in dark.
func (r Report) SVG(w io.Writer) error {
	p := plot{maxX: 1, maxY: 1}
	for _, one := range r.Results {
		if one.Policy.Way != Nothing { // far to the right, and as high as the curves end
			p.maxX = math.Max(p.maxX, one.Mean/gibi*1.05)
		}
		p.maxY = math.Max(p.maxY, one.SecondsPerDay()*1.05)
	}
	p.axes()
	for n, way := range []Way{Ours, LRU, Age, Oracle} {
		p.curve(n, way, r.of(way))
	}
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">
<style>text{fill:#24292f}.grid{stroke:#d0d7de}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}}</style>
<title>Seconds of pulling a day over mean disk use</title>
%s</svg>
`, width, height, p.body.String())
	if err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	return nil
}

type plot struct {
	body       strings.Builder
	maxX, maxY float64
}

func (p *plot) add(format string, args ...any) { fmt.Fprintf(&p.body, format+"\n", args...) }

func (p *plot) x(v float64) float64 { return left + v/p.maxX*(width-left-right) }
func (p *plot) y(v float64) float64 { return height - bottom - v/p.maxY*(height-top-bottom) }

// step is a round distance between lines of the grid, for some five of them.
func step(upTo float64) float64 {
	raw := upTo / 5
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*unit {
			return m * unit
		}
	}
	return 10 * unit
}

func (p *plot) axes() {
	for v := 0.0; v <= p.maxX; v += step(p.maxX) {
		p.add(`<line class="grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, p.x(v), top, p.x(v), height-bottom)
		p.add(`<text x="%.1f" y="%d" text-anchor="middle">%g</text>`, p.x(v), height-bottom+18, v)
	}
	for v := 0.0; v <= p.maxY; v += step(p.maxY) {
		p.add(`<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, left, p.y(v), width-right, p.y(v))
		p.add(`<text x="%d" y="%.1f" text-anchor="end">%g</text>`, left-8, p.y(v)+4, v)
	}
	p.add(`<text x="%d" y="%d" text-anchor="middle">mean disk use, GiB</text>`, (left+width-right)/2, height-12)
	p.add(`<text x="16" y="%d" text-anchor="middle" transform="rotate(-90 16 %d)">seconds of pulling a day</text>`, (top+height-bottom)/2, (top+height-bottom)/2)
}

func (p *plot) curve(n int, way Way, results []Result) {
	var points []string
	for _, one := range results {
		points = append(points, fmt.Sprintf("%.1f,%.1f", p.x(one.Mean/gibi), p.y(one.SecondsPerDay())))
	}
	p.add(`<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>`, way.color(), strings.Join(points, " "))
	for _, one := range results {
		p.add(`<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"><title>%s: %.1f GiB, %.0f s a day</title></circle>`,
			p.x(one.Mean/gibi), p.y(one.SecondsPerDay()), way.color(), html.EscapeString(one.Policy.String()), one.Mean/gibi, one.SecondsPerDay())
	}
	x := left + 20 + n*130
	p.add(`<line x1="%d" y1="22" x2="%d" y2="22" stroke="%s" stroke-width="3"/>`, x, x+22, way.color())
	p.add(`<text x="%d" y="26">%s</text>`, x+28, html.EscapeString(string(way)))
}
