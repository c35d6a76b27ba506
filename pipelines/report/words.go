package report

import (
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// Count writes a count as reports do: 1,234,567.
func Count(n int64) string { return grouped(n) }

// Number writes a count of things as reports do: 1 sample, 1,234 samples.
func Number(n int64, thing string) string { return number(n, thing) }

// Share writes part of whole as reports do, so that a little is not 0 %, nor nearly all 100 %.
func Share(part, whole int64) string { return percent(part, whole) }

// Size writes a number of bytes as reports do: 1.5 KiB.
func Size(n int64) string { return size(n) }

// Moment writes an event time as reports do, to the minute where nothing finer is in it.
func Moment(t time.Time) string { return moment(t) }

// Table writes rows below a header as reports do: the first column to the left, figures to the right, and turned by a quarter where it is wider than
// width columns.
func Table(width int, header []string, rows [][]string) string {
	cells := func(texts []string) (row table.Row) {
		for _, text := range texts {
			row = append(row, text)
		}
		return row
	}
	p := &page{width: width}
	all := make([]table.Row, len(rows))
	for i, row := range rows {
		all[i] = cells(row)
	}
	p.table(cells(header), all...)
	return p.buf.String()
}
