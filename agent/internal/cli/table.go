package cli

import (
	"fmt"
	"slices"
	"strings"
)

// A column is one column of a table.
type column struct {
	title string
	right bool // numbers
	wide  bool // is cut where the screen is too narrow
	path  bool // is cut from its beginning: the end tells more
}

// A table is rows of texts under titles.
type table struct {
	page    *page
	indent  string
	columns []column
	rows    [][]ink
}

// table starts a table with these titles. A title that begins with ">" is of
// numbers, one that begins with "~" is of a text that can be cut, and one that
// begins with "<" is of a path that can be.
func (p *page) table(titles ...string) *table {
	t := &table{page: p}
	for _, title := range titles {
		c := column{title: strings.TrimLeft(title, "><~"), right: title[0] == '>', wide: title[0] == '~' || title[0] == '<', path: title[0] == '<'}
		t.columns = append(t.columns, c)
	}
	return t
}

// row adds a row of texts, inks and numbers. An empty cell shows as "-".
func (t *table) row(cells ...any) {
	row := make([]ink, len(t.columns))
	for i, cell := range cells[:min(len(cells), len(row))] {
		styled, ok := cell.(ink)
		if !ok {
			styled = ink{text: fmt.Sprint(cell)}
		}
		if styled.text == "" {
			styled.text = "-"
		}
		row[i] = ink{printable(styled.text), styled.style}
	}
	t.rows = append(t.rows, row)
}

// draw adds the table to the page. One without rows leaves no trace.
func (t *table) draw() {
	if len(t.rows) == 0 {
		return
	}
	titles := make([]ink, len(t.columns))
	for i, c := range t.columns {
		titles[i] = ink{c.title, dim}
	}
	widths := t.fit(t.widths())
	for _, row := range slices.Concat([][]ink{titles}, t.rows) {
		t.write(row, widths)
	}
}

// gap is what is between two columns.
const gap = "  "

// widths are how much each column asks for.
func (t *table) widths() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = length(c.title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], length(row[i].text))
		}
	}
	return widths
}

// fit narrows the wide columns, paths first, until the screen holds all.
func (t *table) fit(widths []int) []int {
	if !t.page.screen || t.page.width <= 0 {
		return widths
	}
	total := len(t.indent) + len(gap)*(len(widths)-1)
	for _, w := range widths {
		total += w
	}
	for over := total - t.page.width; over > 0; over-- {
		at := t.widest(widths, true)
		if at < 0 {
			at = t.widest(widths, false)
		}
		if at < 0 {
			break
		}
		widths[at]--
	}
	return widths
}

// widest is the widest column that can be narrowed further, -1 if there is
// none: among paths, which repeat what other columns say, or among the others.
func (t *table) widest(widths []int, paths bool) int {
	widest := -1
	for i, c := range t.columns {
		narrow := c.wide && c.path == paths && widths[i] > max(least, length(c.title))
		if narrow && (widest < 0 || widths[i] > widths[widest]) {
			widest = i
		}
	}
	return widest
}

// least is how far a wide column is narrowed, in characters.
const least = 12

// write adds one row; nothing but text ends a line.
func (t *table) write(row []ink, widths []int) {
	last := len(row) - 1
	for last > 0 && row[last].text == "" {
		last--
	}
	b := &t.page.text
	b.WriteString(t.indent)
	for i, cell := range row[:last+1] {
		text := cut(cell.text, widths[i])
		if t.columns[i].path {
			text = cutPath(cell.text, widths[i])
		}
		room := strings.Repeat(" ", widths[i]-length(text))
		if t.columns[i].right {
			b.WriteString(room)
			room = ""
		}
		b.WriteString(t.page.paint(ink{text, cell.style}))
		if i < last {
			b.WriteString(room + gap)
		}
	}
	b.WriteByte('\n')
}
