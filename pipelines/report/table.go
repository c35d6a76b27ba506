package report

import (
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// table writes rows below a header: the first column to the left, the figures to the
// right, no lines but one below the header. What is too wide is turned by a quarter: a
// column for each row, and as many tables as it takes, for figures are never cut.
func (p *page) table(header table.Row, rows ...table.Row) {
	if rendered := render(header, rows); text.LongestLineLen(rendered) <= p.width || len(header) == 0 {
		p.line("%s", rendered)
		return
	}
	for len(rows) > 0 {
		n := len(rows)
		rendered := render(turned(header, rows[:n]))
		for n > 1 && text.LongestLineLen(rendered) > p.width {
			n--
			rendered = render(turned(header, rows[:n]))
		}
		p.line("%s", rendered)
		if rows = rows[n:]; len(rows) > 0 {
			p.line("")
		}
	}
}

// turned makes rows of columns, and columns of rows.
func turned(header table.Row, rows []table.Row) (table.Row, []table.Row) {
	head := table.Row{""}
	for _, row := range rows {
		head = append(head, row[0])
	}
	var out []table.Row
	for i := 1; i < len(header); i++ {
		if header[i] == "" { // only signs are in it
			continue
		}
		line := table.Row{header[i]}
		for _, row := range rows {
			line = append(line, row[i])
		}
		out = append(out, line)
	}
	return head, out
}

func render(header table.Row, rows []table.Row) string {
	t := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: len(header) > 0}
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	columns := len(header)
	for _, row := range rows {
		columns = max(columns, len(row))
	}
	configs := []table.ColumnConfig{{Number: 1, Align: text.AlignLeft, AlignHeader: text.AlignLeft}}
	for i := 2; i <= columns; i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	if len(header) > 0 {
		t.AppendHeader(header)
	}
	t.AppendRows(rows)
	return t.Render()
}
