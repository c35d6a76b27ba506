package generate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// everything is a small Config in which all goes wrong that can.
func everything() Config {
	c := Default()
	c.Views, c.Duration, c.Partitions, c.Order = 3000, 20*time.Minute, 3, OrderFile
	c.Kinds, _ = ParseKinds("like:30%:window=2m,median=40s,repeat=30% share:10%:window=1m,median=10s buy:5%:window=3m,amount=20", time.Minute)
	c.OutOfOrderness, c.ClockSkew, c.Disorder = 30*time.Second, 2*time.Second, 20*time.Second
	c.Duplicates, c.Late, c.Orphans, c.Malformed, c.Early, c.Edges = 0.1, 0.1, 0.1, 0.1, 0.1, 0.3
	return c
}

// reference joins the events of partitions the plain way, one view with all engagements
// after another: what Events claims as truth, worked out from the events alone.
func reference(c Config, partitions []Partition) ([]Sample, Truth) {
	longest := time.Duration(0)
	windows := map[string]int64{}
	truth := Truth{Engagements: map[string]*EngagementCounts{}}
	for _, k := range c.Kinds {
		longest = max(longest, k.Window)
		windows[k.Name] = k.Window.Milliseconds()
		truth.Engagements[k.Name] = &EngagementCounts{}
	}
	skew := c.ClockSkew.Milliseconds()

	var views, engagements []arrived
	for _, p := range partitions {
		reached := int64(math.MinInt64 / 2)
		for _, e := range p.Events {
			// Views at or before closedThrough have closed; without an order none ever does.
			closedThrough := reached - c.OutOfOrderness.Milliseconds() - longest.Milliseconds()
			if c.Order == OrderNone {
				closedThrough = math.MinInt64 / 2
			}
			counts := truth.Engagements[e.Kind]
			switch {
			case p.Views:
				truth.Views.Read++
			default:
				counts.Read++
			}
			switch {
			case e.Malformed && p.Views:
				truth.Views.Dead++
			case e.Malformed:
				counts.Dead++
			case p.Views && e.Time <= closedThrough:
				truth.Views.Late++
			case p.Views:
				views = append(views, arrived{e, closedThrough})
			default:
				engagements = append(engagements, arrived{e, closedThrough})
			}
			if !e.Malformed {
				reached = max(reached, e.Time)
			}
		}
	}
	byTime := func(a, b arrived) int { return cmp.Compare(a.Time, b.Time) }
	slices.SortStableFunc(views, byTime)
	slices.SortStableFunc(engagements, byTime)

	seen := map[string]Event{}
	kept := map[string]bool{}
	var samples []Sample
	for _, v := range views {
		if first, again := seen[v.ViewID]; again {
			truth.Views.Duplicates++
			if first.Pos != v.Pos {
				truth.Views.DuplicatesDiffering++
			}
			continue
		}
		seen[v.ViewID] = v.Event
		kept[v.ViewID] = true
		samples = append(samples, Sample{ViewID: v.ViewID, ViewTime: v.Time, Pos: v.Pos, Labels: map[string]Label{}})
	}
	slices.SortFunc(samples, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.ViewTime, b.ViewTime), cmp.Compare(a.ViewID, b.ViewID))
	})
	counted := map[string]bool{}
	of := map[string][]Event{}
	for _, e := range engagements {
		counts, view := truth.Engagements[e.Kind], seen[e.ViewID]
		late := e.ViewTime <= e.closedThrough && e.Time-windows[e.Kind] < e.closedThrough
		delay := e.Time - e.ViewTime
		switch {
		case c.ViewTime && (delay >= windows[e.Kind]+skew || delay < -2*skew):
			counts.Outside++ // by its own claim
		case late || e.Time+skew <= e.closedThrough:
			counts.Late++
		case counted[e.EventID+e.ViewID]:
			counts.Duplicates++
		case !kept[e.ViewID]:
			counts.Orphans++
		case e.Time < view.Time-skew || e.Time >= view.Time+windows[e.Kind]:
			counts.Outside++
		default:
			counts.Matched++
			of[e.ViewID] = append(of[e.ViewID], e.Event)
		}
		counted[e.EventID+e.ViewID] = true
	}
	for i := range samples {
		s := &samples[i]
		for _, e := range of[s.ViewID] {
			l, more := s.Labels[e.Kind]
			if !more {
				l.DelayMs = max(0, e.Time-s.ViewTime)
				truth.Engagements[e.Kind].Positives++
			}
			l.Count, l.Sum = l.Count+1, l.Sum+e.Amount
			s.Labels[e.Kind], s.Positive = l, true
		}
		if s.Positive {
			truth.Views.Positives++
		}
	}
	truth.Views.Samples = int64(len(samples))
	return samples, truth
}

type arrived struct {
	Event
	closedThrough int64
}

func requireTruth(t require.TestingT, c Config) Truth {
	partitions, samples, truth, err := Events(c)
	require.NoError(t, err)
	wantSamples, want := reference(c, partitions)
	require.Equal(t, want, truth)
	require.Equal(t, len(wantSamples), len(samples))
	for i := range samples {
		require.Equal(t, wantSamples[i], samples[i])
	}
	return truth
}

func TestTruthEqualsBruteForce(t *testing.T) {
	truth := requireTruth(t, everything())
	// All of it is there, or the comparison shows nothing.
	assert.Positive(t, min(truth.Views.Samples, truth.Views.DuplicatesDiffering, truth.Views.Late, truth.Views.Dead, truth.Views.Positives))
	assert.Less(t, truth.Views.DuplicatesDiffering, truth.Views.Duplicates)
	for kind, e := range truth.Engagements {
		assert.Positive(t, min(e.Matched, e.Outside, e.Orphans, e.Duplicates, e.Late, e.Dead, e.Positives), kind)
		assert.Equal(t, e.Read, e.Matched+e.Outside+e.Orphans+e.Duplicates+e.Late+e.Dead, kind)
	}
}

func TestTruthEqualsBruteForceForAnyConfig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := func(name string) float64 {
			return rapid.SampledFrom([]float64{0, 0, 0.01, 0.3, 0.5}).Draw(t, name)
		}
		ms := func(name string, most int64) time.Duration {
			return time.Duration(rapid.Int64Range(0, most).Draw(t, name)) * time.Millisecond
		}
		c := Default()
		c.Seed = rapid.Uint64().Draw(t, "seed")
		c.Views = rapid.Int64Range(1, 400).Draw(t, "views")
		c.Duration = ms("duration", 1_000_000) + time.Millisecond
		c.Diurnal = rapid.SampledFrom([]float64{0, 0.5, 0.99}).Draw(t, "diurnal")
		c.Partitions = rapid.IntRange(1, 4).Draw(t, "partitions")
		c.Order = rapid.SampledFrom([]Order{OrderNone, OrderFile}).Draw(t, "order")
		c.ViewTime = rapid.Bool().Draw(t, "view time")
		c.OutOfOrderness, c.ClockSkew, c.DuplicatesWithin = ms("out of orderness", 20_000), ms("skew", 3000), ms("within", 5000)
		if c.OutOfOrderness > 0 {
			c.Disorder = ms("disorder", c.OutOfOrderness.Milliseconds()-1)
		}
		c.Duplicates, c.Late, c.Orphans, c.Malformed, c.Edges = rate("duplicates"), rate("late"), rate("orphans"), rate("malformed"), rate("edges")
		if c.ClockSkew > 0 {
			c.Early = rate("early")
		}
		c.Kinds = nil
		for i := range rapid.IntRange(1, 3).Draw(t, "kinds") {
			window := ms("window", 60_000) + time.Millisecond
			c.Kinds = append(c.Kinds, Kind{
				Name: fmt.Sprintf("k%d", i), Rate: rate("rate"), Repeat: rate("repeat"), Window: window,
				Median: max(time.Millisecond, (window / 4).Truncate(time.Millisecond)), Sigma: 1, Amount: float64(i),
			})
		}
		requireTruth(t, c)
	})
}
