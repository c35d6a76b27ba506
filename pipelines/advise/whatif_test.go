package advise

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// TestDuplicatesByBruteForce compares what findDuplicates finds in one pass with a look at all pairs.
func TestDuplicatesByBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	several := 0
	for range 2000 {
		w := &whatIf{p: rules.Params{DedupWindow: r.Int64N(6)}}
		at := int64(0)
		events := make([]event, 1+r.IntN(12))
		for i := range events {
			at += r.Int64N(3)
			events[i] = event{own: uint64(i / 6), time: at}
			w.engagements = append(w.engagements, judged{event: &events[i], closed: r.Int64N(20), before: math.MaxInt64})
		}
		w.findDuplicates()
		for i := range w.engagements {
			g, before, of := &w.engagements[i], int64(math.MaxInt64), 0
			for k := range i {
				if h := &w.engagements[k]; h.own == g.own && g.time-h.time <= w.p.DedupWindow {
					of++
					before = min(before, h.closed)
				}
			}
			require.Equal(t, of > 0, g.duplicate)
			require.Equal(t, before, g.before)
			if of > 2 {
				several++
			}
		}
	}
	require.Greater(t, several, 500)
}

// TestComesByBruteForce compares comes with a look at all engagements.
func TestComesByBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	came := 0
	for range 3000 {
		w := &whatIf{p: rules.Params{ClockSkew: r.Int64N(4)}, horizon: 1 + r.Int64N(10), kinds: make([]kindTallies, 2)}
		var group []event
		for range r.IntN(6) {
			e := event{kind: int32(r.IntN(3) - 1), time: r.Int64N(30), viewTime: record.NoTime}
			if r.IntN(2) == 0 {
				e.viewTime = r.Int64N(30)
			}
			group = append(group, e)
		}
		w.comeOf(group)
		for kind := range 2 {
			v := r.Int64N(30)
			want := slices.ContainsFunc(group, func(e event) bool {
				named := e.viewTime == record.NoTime || v-w.p.ClockSkew <= e.viewTime && e.viewTime <= v+w.p.ClockSkew
				return int(e.kind) == kind && named && v-w.p.ClockSkew <= e.time && e.time < v+w.horizon
			})
			require.Equal(t, want, w.comes(kind, v), "%+v, view at %d, skew %d, horizon %d", group, v, w.p.ClockSkew, w.horizon)
			if want {
				came++
			}
		}
	}
	require.Greater(t, came, 300)
}
