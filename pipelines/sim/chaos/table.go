package chaos

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Table is what came of a campaign.
type Table struct {
	// Lost and Doubled count samples.
	Lost, Doubled int

	kinds     []string
	durations map[string][]time.Duration
}

// Add notes a fault that the system has recovered from.
func (t *Table) Add(kind string, recovery time.Duration) {
	if t.durations == nil {
		t.durations = map[string][]time.Duration{}
	}
	if t.durations[kind] == nil {
		t.kinds = append(t.kinds, kind)
	}
	t.durations[kind] = append(t.durations[kind], recovery)
}

// String is the table as text, a line for each kind of fault.
func (t *Table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "fault\ttimes\tfastest s\tmedian s\tslowest s\t\n")
	for _, kind := range slices.Sorted(slices.Values(t.kinds)) {
		all := slices.Sorted(slices.Values(t.durations[kind]))
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.1f\t\n", kind, len(all), all[0].Seconds(), all[len(all)/2].Seconds(), all[len(all)-1].Seconds())
	}
	_ = w.Flush() // to memory
	fmt.Fprintf(&b, "samples lost: %d, doubled: %d\n", t.Lost, t.Doubled)
	return b.String()
}
