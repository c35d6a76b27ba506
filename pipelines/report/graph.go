package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"
)

const (
	graphHeight = 4
	// graphKinds is how many kinds are drawn in a terminal: those with most positives.
	graphKinds = 3
	// graphLabels is room for the figures beside a graph: 1,234,567,890 and the axis.
	graphLabels = 16
)

// positives draws the positives of each kind over view time.
func (p *page) positives(r *Report) {
	line := timeline(r.Ledger, p.width-graphLabels)
	if line == nil || r.Ledger.Views.Positives == 0 {
		return
	}
	kinds := r.kinds()
	slices.SortStableFunc(kinds, func(a, b kind) int { return cmp.Compare(b.Positives, a.Positives) })
	kinds = slices.DeleteFunc(kinds, func(k kind) bool { return k.Positives == 0 })
	drawn := kinds[:min(len(kinds), graphKinds)]

	p.section(fmt.Sprintf("Positives over view time, by %s", duration(millis(line.Step))))
	for _, k := range drawn {
		p.line("  %s", name(k.Name))
		p.line("%s", graph(line.Positives[k.Name], p.width-graphLabels))
	}
	p.line("%s", axis(line, p.width-graphLabels))
	if left := len(kinds) - len(drawn); left > 0 {
		p.line("  %d more are not drawn here; the HTML report has all.", left)
	}
}

// graph draws counts, each as many columns wide as fit.
func graph(counts []int64, width int) string {
	each := max(width/len(counts), 1)
	columns := make([]float64, 0, each*len(counts))
	top := int64(0)
	for _, n := range counts {
		top = max(top, n)
		for range each {
			columns = append(columns, float64(n))
		}
	}
	return asciigraph.Plot(columns,
		asciigraph.Height(int(min(graphHeight, max(top, 1)))),
		asciigraph.LowerBound(0),
		asciigraph.UpperBound(float64(max(top, 1))),
		asciigraph.YAxisValueFormatter(func(v float64) string {
			label := grouped(int64(v + 0.5))
			if len(label) > graphLabels-4 {
				label = fmt.Sprintf("%.3g", v)
			}
			return fmt.Sprintf("%*s", graphLabels-4, label)
		}))
}

// axis names the first and the last moment below the graphs.
func axis(line *series, width int) string {
	each := max(width/len(line.Samples), 1)
	from, to := moment(time.UnixMilli(line.Start).UTC()), moment(time.UnixMilli(line.end()).UTC())
	gap := each*len(line.Samples) - len(from) - len(to)
	return strings.Repeat(" ", graphLabels) + from + strings.Repeat(" ", max(gap, 2)) + to
}
