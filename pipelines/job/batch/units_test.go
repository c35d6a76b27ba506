package batch

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// weekly is a log of four weeks whose windows are a week long.
func weekly(t *testing.T, views int64) (dir string) {
	t.Helper()
	c := generate.Default()
	c.Views, c.Duration, c.Diurnal, c.Order, c.Late, c.Orphans, c.Duplicates = views, 28*24*time.Hour, 0, generate.OrderFile, 0.01, 0.01, 0.01
	c.Partitions = 2
	var err error
	c.Kinds, err = generate.ParseKinds("like:10%:window=7d,median=20h", 7*24*time.Hour)
	require.NoError(t, err)
	dir, _ = made(t, c)
	return dir
}

// TestUnitsReadLittleTwice: with a window of a week, a month in intervals of a day is read one and a third times, by whole
// chunks, which hold a day and more here. Each interval by itself reads eight days.
func TestUnitsReadLittleTwice(t *testing.T) {
	s := loadSpec(t, weekly(t, 400_000))
	p, err := newPlan(t.Context(), s, planOptions{})
	require.NoError(t, err)
	chunks := 0
	for _, f := range p.files {
		chunks += len(f.chunks)
	}
	times := func(opt Options) float64 {
		reads := 0
		for _, unit := range p.units(p.intervals(time.Time{}, time.Time{}, opt.Interval), opt) {
			for _, piece := range p.pieces(unit) {
				reads += len(piece.Reads)
			}
		}
		return float64(reads) / float64(chunks)
	}
	require.Less(t, times(Options{}), 1.6)
	require.Greater(t, times(Options{Interval: 24 * time.Hour}), 6., "the length that was asked for")
}

// TestUnits: what is joined at once, by the length of intervals and of the window.
func TestUnits(t *testing.T) {
	const day = 24 * 3600 * 1000
	p := &plan{}
	for _, c := range []struct {
		name            string
		window          int64
		intervals, want int
		opt             Options
	}{
		{"no longer than an interval", day / 2, 28, 28, Options{}},
		{"a week in four", 7 * day, 28, 2, Options{}},
		{"a week in one", 7 * day, 7, 1, Options{}},
		{"a week in a year", 7 * day, 365, 24, Options{}},
		{"intervals as they were asked for", 7 * day, 28, 28, Options{Interval: 24 * time.Hour}},
		{"one interval", 7 * day, 1, 1, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.params.Kinds = append(p.params.Kinds[:0], rules.Kind{Name: "like", Window: c.window})
			var all []interval
			for i := range c.intervals {
				all = append(all, interval{from: int64(i) * day, to: int64(i+1) * day, first: i == 0})
			}
			units := p.units(all, c.opt)
			require.Len(t, units, c.want)
			var parts []interval
			for i, u := range units {
				require.Equal(t, i == 0, u.first)
				parts = append(parts, p.intervalsOf(u)...)
			}
			require.Equal(t, all, parts)
		})
	}
}

// TestUnitsGiveTheSame: samples are the same bytes as those of intervals that are joined one by one, and so are the
// accounts of all together and what was rejected.
func TestUnitsGiveTheSame(t *testing.T) {
	dir := weekly(t, 20_000)
	s := loadSpec(t, dir)
	single, grouped := to(s, t.TempDir()), to(s, t.TempDir())
	want := join(t, single, Options{Interval: 24 * time.Hour})
	t.Setenv("TMPDIR", t.TempDir())
	got := join(t, grouped, Options{})
	require.Equal(t, 2, got.Intervals)
	require.Greater(t, want.Intervals, 27)
	sameFiles(t, single.Outputs.Samples.Path, grouped.Outputs.Samples.Path)
	require.Equal(t, want.Accounts.Views, got.Accounts.Views)
	require.Equal(t, want.Accounts.Engagements, got.Accounts.Engagements)
	for _, folder := range [][2]string{{single.Outputs.Late, grouped.Outputs.Late}, {single.Outputs.DeadLetters, grouped.Outputs.DeadLetters}} {
		require.ElementsMatch(t, lines(t, folder[0]), lines(t, folder[1]))
	}
	require.Positive(t, want.Accounts.Engagements["like"].N[account.Matched])

	// What is finished is not joined again, and nothing is left of what was shuffled.
	again, err := Run(context.Background(), grouped, Options{})
	require.NoError(t, err)
	require.Equal(t, again.Intervals, again.Finished)
	require.Zero(t, again.Events)
}

// TestScratch: what is joined at once is shuffled in the folder that is given.
func TestScratch(t *testing.T) {
	p := &plan{all: []interval{{from: 0, to: 10}, {from: 10, to: 20}}}
	dir := t.TempDir()
	s, err := p.shuffleIn([]fingerprinted{{interval: interval{from: 0, to: 20}}}, dir)
	require.NoError(t, err)
	require.Equal(t, dir, filepath.Dir(s.root))
	require.NoError(t, s.removeAll())
}
