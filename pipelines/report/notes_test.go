package report

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"tributary/transforms/ledger"
)

// Each threshold from both sides.
func TestNotes(t *testing.T) {
	// good is a ledger without notes: 100,000 views and likes.
	good := func() *Report {
		l := ledger.New("like")
		l.Views = ledger.Views{Read: 100_000, Samples: 90_000, Duplicates: 10_000, Positives: 80_000}
		like := l.Engagements["like"]
		like.Read, like.Matched, like.Positives = 100_000, 100_000, 80_000
		for range 80_000 {
			like.Delay.Record(100)
		}
		l.Timeline[0] = &ledger.Interval{Samples: 90_000, Positives: map[string]int64{"like": 80_000}}
		return &Report{Ledger: l, Windows: map[string]time.Duration{"like": time.Second}}
	}
	like := func(r *Report) *ledger.Engagements { return r.Ledger.Engagements["like"] }
	for _, c := range []struct {
		name   string
		change func(*Report)
		want   string // codes, and kinds in brackets
	}{
		{"all is well", func(*Report) {}, ""},
		{"orphans at 1 %", func(r *Report) { like(r).Matched, like(r).Orphans = 99_000, 1_000 }, ""},
		{"orphans above 1 %", func(r *Report) { like(r).Matched, like(r).Orphans = 98_999, 1_001 }, "orphans(like)"},
		{"late at 0.1 %", func(r *Report) { like(r).Matched, like(r).Late = 99_900, 100 }, ""},
		{"late above 0.1 %", func(r *Report) { like(r).Matched, like(r).Late = 99_899, 101 }, "late(like)"},
		{"late views at 0.1 %", func(r *Report) { r.Ledger.Views.Duplicates, r.Ledger.Views.Late = 9_900, 100 }, ""},
		{"late views above 0.1 %", func(r *Report) { r.Ledger.Views.Duplicates, r.Ledger.Views.Late = 9_899, 101 }, "late"},
		{"one dead view", func(r *Report) { r.Ledger.Views.Duplicates, r.Ledger.Views.Dead = 9_999, 1 }, "dead"},
		{"one dead engagement", func(r *Report) { like(r).Matched, like(r).Dead = 99_999, 1 }, "dead(like)"},
		{"outside at 5 %", func(r *Report) { like(r).Matched, like(r).Outside = 95_000, 5_000 }, ""},
		{"outside above 5 %", func(r *Report) { like(r).Matched, like(r).Outside = 94_999, 5_001 }, "outside_window(like)"},
		{"p99 in the last tenth", func(r *Report) { r.Windows["like"] = 111 * time.Millisecond }, "window_short(like)"},
		{"p99 before the last tenth", func(r *Report) { r.Windows["like"] = 112 * time.Millisecond }, ""},
		{"window not known", func(r *Report) { r.Windows = nil }, ""},
		{"immature", func(r *Report) { r.Ledger.Views.Immature = 1 }, "immature"},
		{"differing duplicates", func(r *Report) { r.Ledger.Views.DuplicatesDiffering = 1 }, "duplicates_differing"},
		{"unbalanced", func(r *Report) { like(r).Read++; r.Ledger.Views.Read-- }, "unbalanced unbalanced"},
		{"nothing read", func(r *Report) { *r = Report{Ledger: ledger.New("like")} }, "no_views no_engagements(like)"},
		{"nothing matched: orphans are not said twice", func(r *Report) {
			*r = Report{Ledger: ledger.New("like")}
			r.Ledger.Views.Read, r.Ledger.Views.Samples = 5, 5
			r.Ledger.Timeline[0] = &ledger.Interval{Samples: 5}
			like(r).Read, like(r).Orphans = 7, 7
		}, "no_positives nothing_matched(like)"},
	} {
		r := good()
		c.change(r)
		var got []string
		for _, n := range r.Notes() {
			code := n.Code
			if n.Kind != "" {
				code += "(" + n.Kind + ")"
			}
			got = append(got, code)
		}
		assert.Equal(t, c.want, strings.Join(got, " "), c.name)
	}
}
