package show

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/tidwall/gjson"

	"tributary/pipelines/report"
)

const (
	// idWidth is how much of a view's id is shown where there is little room.
	idWidth = 8
	// valueName is the name of a column of values that have none.
	valueName = "value"
)

// column is a column of the table, its cells as they are shown.
type column struct {
	name  string
	right bool // figures
	cells []string
}

// cut shortens names and values to n columns.
func (c *column) cut(n int) {
	c.name = text.Snip(c.name, n, "…")
	for i := range c.cells {
		c.cells[i] = text.Snip(c.cells[i], n, "…")
	}
}

// fitting is how many of the columns have room, at least one.
func fitting(columns []*column, width int) int {
	shown, used := 0, -columnGap
	for _, c := range columns {
		if used += columnGap + c.width(); used > width && shown > 0 {
			break
		}
		shown++
	}
	return shown
}

func (c *column) width() int {
	w := text.StringWidth(c.name)
	for _, cell := range c.cells {
		w = max(w, text.StringWidth(cell))
	}
	return w
}

// sampleColumns are those that every sample has, two for each kind, and then the
// fields of the view. Where there is no room for the labels of all kinds, one column has
// those that made the sample positive, and comes before all but the view's id.
func sampleColumns(all []record, width int) []*column {
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
	kinds := kindColumns(all)
	if n := lastLabel(kinds); n > 0 && fitting(append(columns, kinds...), width) < len(columns)+n {
		labels := labelsColumn(all)
		id.cut(max(width-columnGap-labels.width(), idWidth))
		labels.cut(width - columnGap - id.width())
		columns = []*column{id, labels, at, positive}
	} else {
		columns = append(columns, kinds...)
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

// delayName is the name of a column of delays, which follows that of its kind.
const delayName = "delay"

// kindColumns are the label of each kind, and its delay where there is one.
func kindColumns(all []record) (columns []*column) {
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
			columns = append(columns, &column{name: delayName, right: true, cells: delay.cells})
		}
	}
	return columns
}

// lastLabel is how many columns there are up to the label of the last kind.
func lastLabel(kinds []*column) int {
	n := len(kinds)
	if n > 1 && kinds[n-1].name == delayName {
		n--
	}
	return n
}

// labelsColumn has the labels that made each sample positive: "like 2 after 5m".
func labelsColumn(all []record) *column {
	c := &column{name: "labels"}
	for _, rec := range all {
		var labels []string
		rec.get("delay_ms").ForEach(func(kind, ms gjson.Result) bool {
			if exists(ms) {
				label := cell(rec.get("labels").Get(gjson.Escape(kind.String())))
				labels = append(labels, snip(report.Harmless(kind.String()))+" "+label+" after "+delayText(cell(ms)))
			}
			return true
		})
		text := absent
		if len(labels) > 0 {
			text = strings.Join(labels, ", ")
		}
		c.cells = append(c.cells, text)
	}
	return c
}

// maxDelayMs is the longest delay that a time.Duration holds.
const maxDelayMs = math.MaxInt64 / int64(time.Millisecond)

// delayText writes a delay to the millisecond.
func delayText(ms string) string {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || n > maxDelayMs || n < -maxDelayMs {
		return ms
	}
	return report.Duration(time.Duration(n) * time.Millisecond)
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
				set(row, valueName, value)
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
