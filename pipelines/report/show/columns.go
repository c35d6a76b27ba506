package show

import (
	"math"
	"slices"
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

// sampleColumns are those that every sample has, its stage if it has one, two for each kind, and then the
// fields of the view. Where there is no room for the labels of all kinds, one column has
// those that made the sample positive, and comes before all but the view's id and the stage.
func sampleColumns(all []record, width int) []*column {
	id := &column{name: "view_id"}
	at := &column{name: "view_time"}
	stage, staged := &column{name: "stage"}, false
	positive := &column{name: "positive"}
	weight := &column{name: "weight", right: true}
	for _, rec := range all {
		id.cells = append(id.cells, cell(rec.get("view_id")))
		when := cell(rec.get("view_time"))
		if t, ok := viewTime(rec); ok {
			when = t.Format("2006-01-02T15:04:05.999Z07:00")
		}
		at.cells = append(at.cells, when)
		positive.cells = append(positive.cells, yesNo(rec))
		stage.cells = append(stage.cells, cell(rec.get("stage")))
		staged = staged || rec.get("stage").Exists()
		weight.cells = append(weight.cells, cell(rec.get("weight")))
	}
	columns, room := []*column{id, at, positive}, width
	if staged {
		columns, room = []*column{id, stage, at, positive}, width-columnGap-stage.width()
	}
	kinds := kindColumns(all)
	if n := lastLabel(kinds); n > 0 && fitting(append(columns, kinds...), width) < len(columns)+n {
		labels := labelsColumn(all)
		id.cut(max(room-columnGap-labels.width(), idWidth))
		labels.cut(room - columnGap - id.width())
		columns = slices.Insert(columns, len(columns)-2, labels)
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

// yesNo says whether a sample is positive.
func yesNo(rec record) string {
	return map[bool]string{true: "yes", false: "no"}[rec.get("positive").Bool()]
}

// delayName is the name of a column of delays, which follows that of its kind.
const delayName = "delay"

// kindColumns are the label of each kind, and its delay where there is one; delays of kinds whose labels have other names come last.
func kindColumns(all []record) (columns []*column) {
	labels := recordColumns(all, func(r record) gjson.Result { return r.get("labels") })
	delays, ofKinds := map[string]*column{}, recordColumns(all, func(r record) gjson.Result { return r.get("delay_ms") })
	for _, c := range ofKinds {
		delays[c.name] = c
	}
	for _, label := range labels {
		columns = append(columns, label)
		if delay := delays[label.name]; delay != nil {
			for i, ms := range delay.cells {
				delay.cells[i] = delayText(ms)
			}
			columns = append(columns, &column{name: delayName, right: true, cells: delay.cells})
			delete(delays, label.name)
		}
	}
	for _, delay := range ofKinds {
		if delays[delay.name] != nil {
			for i, ms := range delay.cells {
				delay.cells[i] = delayText(ms)
			}
			columns = append(columns, &column{name: delay.name + " " + delayName, right: true, cells: delay.cells})
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

// labelsColumn has the labels that made each sample positive: "like 2 after 5m". Labels that are not called like their kind stand
// behind those: "buy after 5m, value 2.5".
func labelsColumn(all []record) *column {
	c := &column{name: "labels"}
	for _, rec := range all {
		var labels []string
		rec.get("delay_ms").ForEach(func(kind, ms gjson.Result) bool {
			if exists(ms) {
				text := snip(report.Harmless(kind.String()))
				if label := rec.get("labels").Get(gjson.Escape(kind.String())); label.Exists() {
					text += " " + cell(label)
				}
				labels = append(labels, text+" after "+delayText(cell(ms)))
			}
			return true
		})
		labels = append(labels, namedLabels(rec, len(labels) > 0)...)
		text := absent
		if len(labels) > 0 {
			text = strings.Join(labels, ", ")
		}
		c.cells = append(c.cells, text)
	}
	return c
}

// namedLabels are the labels of a positive that are called like no kind, if they are there.
func namedLabels(rec record, positive bool) (labels []string) {
	if !positive {
		return nil
	}
	rec.get("labels").ForEach(func(name, label gjson.Result) bool {
		if exists(label) && !rec.get("delay_ms").Get(gjson.Escape(name.String())).Exists() {
			labels = append(labels, snip(report.Harmless(name.String()))+" "+cell(label))
		}
		return true
	})
	return labels
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
