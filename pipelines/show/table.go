package show

import (
	"fmt"
	"strconv"
	"strings"
	"time"
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

// column is a column of the table, its cells as they are shown.
type column struct {
	name  string
	right bool // figures
	cells []string
}

func (c *column) width() int {
	w := text.StringWidth(c.name)
	for _, cell := range c.cells {
		w = max(w, text.StringWidth(cell))
	}
	return w
}

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
	columns := recordColumns(s.table, func(r record) gjson.Result { return gjson.Parse(r.json) })
	if s.what == samples {
		columns = sampleColumns(s.table)
	}
	width := s.opt.Width
	if width <= 0 {
		width = defaultWidth
	}
	shown, used := 0, -columnGap
	for _, c := range columns {
		if used += columnGap + c.width(); used > width && shown > 0 {
			break
		}
		shown++
	}
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

// sampleColumns are those that every sample has, two for each kind, and then the
// fields of the view.
func sampleColumns(all []record) []*column {
	id := &column{name: "view_id"}
	at := &column{name: "view_time"}
	positive := &column{name: "positive"}
	weight := &column{name: "weight", right: true}
	for _, rec := range all {
		id.cells = append(id.cells, cell(rec.get("view_id")))
		when := cell(rec.get("view_time"))
		if t, ok := viewTime(rec); ok {
			when = t.Format("2006-01-02T15:04:05.999Z07:00")
		}
		at.cells = append(at.cells, when)
		positive.cells = append(positive.cells, map[bool]string{true: "yes", false: "no"}[rec.get("positive").Bool()])
		weight.cells = append(weight.cells, cell(rec.get("weight")))
	}
	columns := []*column{id, at, positive}
	labels := recordColumns(all, func(r record) gjson.Result { return r.get("labels") })
	delays := map[string]*column{}
	for _, c := range recordColumns(all, func(r record) gjson.Result { return r.get("delay_ms") }) {
		delays[c.name] = c
	}
	for _, label := range labels {
		columns = append(columns, label)
		if delay := delays[label.name]; delay != nil {
			for i, ms := range delay.cells {
				delay.cells[i] = delayText(ms)
			}
			columns = append(columns, &column{name: "delay", right: true, cells: delay.cells})
		}
	}
	columns = append(columns, weight)
	return append(columns, recordColumns(all, func(r record) gjson.Result {
		view := r.get("view")
		if view.Type == gjson.String { // a record without a schema, as JSON text
			if inner := gjson.Parse(view.Str); inner.IsObject() && gjson.Valid(view.Str) {
				return inner
			}
		}
		return view
	})...)
}

func delayText(ms string) string {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return ms
	}
	return (time.Duration(n) * time.Millisecond).String()
}

// recordColumns are the fields of what part gives of each record, in the order in
// which they first come; one column without name if it is not an object.
func recordColumns(all []record, part func(record) gjson.Result) []*column {
	var columns []*column
	byName := map[string]*column{}
	set := func(row int, name string, value gjson.Result) {
		c := byName[name]
		if c == nil {
			c = &column{name: snip(report.Harmless(name)), right: true, cells: make([]string, len(all))}
			for i := range c.cells {
				c.cells[i] = absent
			}
			byName[name] = c
			columns = append(columns, c)
		}
		c.right = c.right && (value.Type == gjson.Number || value.Type == gjson.Null)
		c.cells[row] = cell(value)
	}
	for row, rec := range all {
		value := part(rec)
		if !value.IsObject() {
			if value.Exists() {
				set(row, "value", value)
			}
			continue
		}
		value.ForEach(func(name, value gjson.Result) bool {
			set(row, name.String(), value)
			return true
		})
	}
	return columns
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
