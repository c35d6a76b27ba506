package show

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/tidwall/gjson"
	"github.com/tidwall/pretty"

	"tributary/pipelines/report"
)

const (
	defaultWidth = 80
	// cellWidth is what is shown of a value: an id of 36 characters is whole.
	cellWidth = 36
	columnGap = 2
	absent    = "–"
)

// writeTable writes the records that were kept, with as many columns as there is room
// for, and says which ones there was none for.
func (s *shower) writeTable() error {
	var b strings.Builder
	if len(s.table) == 0 {
		words := "no records"
		if s.what == samples {
			words = "no samples that fit the filters"
		}
		_, err := fmt.Fprintln(s.out, words)
		return err
	}
	width := s.opt.Width
	if width <= 0 {
		width = defaultWidth
	}
	columns := s.columns(width)
	columns[0].cut(width)
	shown := fitting(columns, width)
	b.WriteString(render(columns[:shown]))
	b.WriteByte('\n')
	if hidden := columns[shown:]; len(hidden) > 0 {
		var names []string
		for _, c := range hidden {
			names = append(names, c.name)
		}
		note := "no room for: " + strings.Join(names, ", ") + " (--width, or --json for all)"
		b.WriteString("\n" + text.WrapSoft(note, width) + "\n")
	}
	if s.more {
		fmt.Fprintf(&b, "\nthe first %d; there are more (--limit)\n", s.shown)
	}
	_, err := s.out.Write([]byte(trimLines(b.String())))
	return err
}

// columns are all that there is to show, those of most interest first.
func (s *shower) columns(width int) []*column {
	if s.weigher != nil {
		return weightColumns(s.table, s.weights, width)
	}
	if s.what == samples {
		return sampleColumns(s.table, width)
	}
	columns := recordColumns(s.table, func(r record) gjson.Result { return gjson.Parse(r.json) })
	if len(columns) > 0 {
		return columns
	}
	whole := &column{name: valueName} // records without fields
	for _, r := range s.table {
		whole.cells = append(whole.cells, cell(gjson.Parse(r.json)))
	}
	return []*column{whole}
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func render(columns []*column) string {
	t := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", columnGap)
	t.SetStyle(style)
	var header table.Row
	var configs []table.ColumnConfig
	rows := make([]table.Row, len(columns[0].cells))
	for i, c := range columns {
		header = append(header, c.name)
		align := text.AlignLeft
		if c.right {
			align = text.AlignRight
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
		for j, cell := range c.cells {
			rows[j] = append(rows[j], cell)
		}
	}
	// The padding after the last column is not needed, and may be what is too much.
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	t.AppendRows(rows)
	lines := strings.Split(t.Render(), "\n")
	for i := range lines {
		lines[i] = text.Trim(lines[i], text.StringWidth(lines[i])-columnGap)
	}
	return strings.Join(lines, "\n")
}

// cell writes a value so that it stays in its cell: on one line, harmless, cut.
func cell(v gjson.Result) string {
	switch v.Type {
	case gjson.Null:
		return absent
	case gjson.String:
		return snip(report.Harmless(v.Str))
	default:
		return snip(report.Harmless(string(pretty.Ugly([]byte(v.Raw)))))
	}
}

func snip(s string) string { return text.Snip(s, cellWidth, "…") }

// HarmlessJSON writes a record on one line, with escapes for what a terminal might
// take for more than text. It stays the same JSON value.
func HarmlessJSON(s string) string { return escapeJSON(string(pretty.Ugly([]byte(s)))) }

// escapeJSON does that for JSON as it is laid out.
func escapeJSON(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\ufffd`)
		case unicode.IsPrint(r) || r == '\n':
			b.WriteString(s[:n])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[n:]
	}
	return b.String()
}
