package advise

import (
	"strings"
	"unicode/utf8"

	"github.com/guptarohit/asciigraph"
)

const (
	plotHeight = 8
	// plotLabels is how many columns asciigraph takes for the labels of the vertical axis.
	plotLabels = 8
)

// plot draws the share of engagements by how long after their views they have come, on a logarithmic axis up to the horizon.
func (d *Delays) plot(horizon int64, width int) string {
	columns := max(20, min(width-plotLabels-2, 100))
	values := make([]float64, columns)
	for i := range values {
		values[i] = d.curve[i*(len(d.curve)-1)/(columns-1)]
	}
	graph := asciigraph.Plot(values, asciigraph.Height(plotHeight), asciigraph.LowerBound(0), asciigraph.UpperBound(100), asciigraph.Precision(0))
	axis := []rune(strings.Repeat(" ", plotLabels+columns))
	free := 0
	for _, step := range windowLadder {
		at := -1
		for i := range columns {
			if delayAt(float64(i)/float64(columns-1), horizon) >= float64(step.Milliseconds())*0.999 {
				at = i
				break
			}
		}
		label := short(step.Milliseconds())
		from := plotLabels + at - utf8.RuneCountInString(label)/2
		if at < 0 || step.Milliseconds() > horizon || from < free || from+utf8.RuneCountInString(label) > len(axis) {
			continue
		}
		copy(axis[from:], []rune(label))
		free = from + utf8.RuneCountInString(label) + 1
	}
	return graph + "\n" + strings.TrimRight(string(axis), " ")
}
