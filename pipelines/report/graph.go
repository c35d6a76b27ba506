package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"

	"tributary/transforms/account"
)

const (
	graphHeight = 4
	// graphKinds is how many kinds are drawn in a terminal: those with most positives.
	graphKinds = 3
	// graphLabels is room for the figures beside a graph: 1,234,567,890 and the axis; where
	// there is less room, 1,234,567.
	graphLabels, narrowLabels = 16, 12
	narrow                    = 60
)

// positives draws the positives of each kind over view time.
func (p *page) positives(r *Report) {
	labels := graphLabels
	if p.width < narrow {
		labels = narrowLabels
	}
	line := timeline(r.Accounts, p.width-labels)
	if line == nil || r.Accounts.Views.N[account.Positives] == 0 {
		return
	}
	kinds := r.kinds()
	slices.SortStableFunc(kinds, func(a, b kind) int { return cmp.Compare(b.N[account.Positives], a.N[account.Positives]) })
	kinds = slices.DeleteFunc(kinds, func(k kind) bool { return k.N[account.Positives] == 0 })
	drawn := kinds[:min(len(kinds), graphKinds)]

	p.section(fmt.Sprintf("Positives over view time, by %s", duration(millis(line.Step))))
	for _, k := range drawn {
		p.line("  %s", name(k.Name))
		p.line("%s", graph(line.Positives[k.Name], labels, p.width-labels))
	}
	p.line("%s", axis(line, labels, p.width-labels))
	if left := len(kinds) - len(drawn); left > 0 {
		p.prose("  ", title, fmt.Sprintf("%d more are not drawn here; the HTML report has all.", left))
	}
}

// graph draws counts, each as many columns wide as fit, behind so many columns of labels.
func graph(counts []int64, labels, width int) string {
	each := max(width/len(counts), 1)
	columns := make([]float64, 0, each*len(counts))
	top := int64(0)
	for _, n := range counts {
		n = max(n, 0) // of what does not balance
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
			if len(label) > labels-4 {
				label = fmt.Sprintf("%.3g", v)
			}
			return fmt.Sprintf("%*s", labels-4, label)
		}))
}

// axis names the first and the last moment below the graphs, in as much detail as there is
// room for.
func axis(line *series, labels, width int) string {
	room := max(width/len(line.Samples), 1) * len(line.Samples)
	from, to := time.UnixMilli(line.Start).UTC(), time.UnixMilli(line.end()).UTC()
	first, last := moment(from), moment(to)
	for _, form := range []string{"01-02 15:04", "15:04:05"} {
		if room < len(first)+len(last)+2 {
			first, last = from.Format(form), to.Format(form)
		}
	}
	gap := max(room-len(first)-len(last), 2)
	return strings.Repeat(" ", min(labels, max(labels+width-len(first)-len(last)-gap, 0))) + first + strings.Repeat(" ", gap) + last
}
