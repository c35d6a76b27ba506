package batch

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
)

// everything is input in which all goes wrong that can; every kind has a label that
// tells more than whether there was an engagement.
func everything(views int64) generate.Config {
	c := generate.Default()
	c.Views, c.Duration, c.Partitions, c.Order = views, 20*time.Minute, 3, generate.OrderFile
	c.Kinds, _ = generate.ParseKinds("like:30%:window=2m,median=40s,repeat=30% share:10%:window=1m,median=10s buy:5%:window=3m,amount=20", time.Minute)
	c.OutOfOrderness, c.ClockSkew, c.Disorder = 30*time.Second, 2*time.Second, 20*time.Second
	c.Duplicates, c.Late, c.Orphans, c.Malformed, c.Early, c.Edges = 0.1, 0.1, 0.1, 0.05, 0.1, 0.3
	return c
}

// counting makes the label of the kinds that have no amount a count.
var counting = []string{"    id: event_id\n", "    id: event_id\n    label: count\n", "    label: count\n    window: 3m\n", "    window: 3m\n"}

// requireTruth compares samples and the truth in dir, row by row and in order.
func requireTruth(t testing.TB, dir string, s *spec.Spec, samples []row) {
	t.Helper()
	i := 0
	eachRecord(t, dir+"/truth", func(_ string, text []byte) {
		var want generate.TrueSample
		require.NoError(t, json.Unmarshal(text, &want))
		require.Less(t, i, len(samples), "no sample for %s", text)
		got := samples[i]
		i++
		at := fmt.Sprintf("sample %d: %+v\ntruth: %s", i, got, text)
		require.Equal(t, want.ViewID, got.ViewID, at)
		require.Equal(t, want.ViewTime, got.ViewTime, at)
		require.Equal(t, want.Positive, got.Positive, at)
		var view struct {
			ViewID string `json:"view_id"`
			Pos    int64  `json:"pos"`
			TS     int64  `json:"ts"`
		}
		require.NoError(t, json.Unmarshal(got.View, &view))
		require.Equal(t, want.Pos, view.Pos, at)
		require.Equal(t, want.ViewID, view.ViewID, at)
		require.Equal(t, want.ViewTime, view.TS, at)
		require.Len(t, got.Labels, len(want.Labels))
		for kind, label := range want.Labels {
			value := label.Value(s.Engagement(kind).Label.Func)
			require.Equal(t, value, got.Labels[kind], "%s: %s", kind, at)
			require.Equal(t, label.DelayMs, got.Delay[kind], "%s: %s", kind, at)
		}
		require.Equal(t, [2]float64{1, 1}, [2]float64{got.Rate, got.Weight}, at)
		require.EqualValues(t, s.Version, got.SpecVersion, at)
	})
	require.Len(t, samples, i, "samples that the truth does not have")
}

func TestJoinIsTheTruth(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*generate.Config)
		seeds  uint64
		opt    Options
	}{
		"ordered":           {seeds: 5},
		"no order":          {change: func(c *generate.Config) { c.Order, c.FileRecords = generate.OrderNone, 700 }, seeds: 3},
		"view times":        {change: func(c *generate.Config) { c.ViewTime = true }, seeds: 3},
		"older schemas":     {change: func(c *generate.Config) { c.Evolve = true }, seeds: 2},
		"old, with times":   {change: func(c *generate.Config) { c.Evolve, c.ViewTime, c.Codec = true, true, "deflate" }, seeds: 2},
		"corrupt blocks":    {change: func(c *generate.Config) { c.CorruptBlocks, c.Codec = 7, "zstandard" }, seeds: 2},
		"corrupt and plain": {change: func(c *generate.Config) { c.CorruptBlocks, c.Codec, c.Order = 7, "null", generate.OrderNone }, seeds: 2},
		"slices":            {change: func(c *generate.Config) { c.ViewTime, c.CorruptBlocks = true, 2 }, seeds: 2, opt: Options{Interval: 3 * time.Minute, Parallel: 3}},
		"no skew": {change: func(c *generate.Config) {
			c.ClockSkew, c.Early, c.OutOfOrderness, c.Disorder = 0, 0, 0, 0
		}, seeds: 2},
		"duplicates far apart": {change: func(c *generate.Config) {
			c.DuplicatesWithin, c.Duplicates, c.Late = 5*time.Minute, 0.5, 0.3
		}, seeds: 2},
		"many partitions": {change: func(c *generate.Config) { c.Partitions, c.Views = 40, 4000 }, seeds: 1},
		"50k":             {change: func(c *generate.Config) { c.Views, c.Duration = 30_000, 3*time.Hour }, seeds: 1, opt: Options{Interval: time.Hour}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			for seed := range test.seeds {
				c := everything(2000)
				c.Seed = 100 + seed
				if test.change != nil {
					test.change(&c)
				}
				dir, truth := made(t, c)
				s := loadSpec(t, dir, counting...)
				r := join(t, s, test.opt)
				require.Equal(t, truth, counts(r.Accounts), "seed %d", c.Seed)
				requireTruth(t, dir, s, samplesBelow(t, s.Outputs.Samples.Path))
			}
		})
	}
}
