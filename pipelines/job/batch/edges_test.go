package batch

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// TestEdgesOfIntervals has everything exactly where intervals and the reach of the join end,
// each record in a block of its own, so that one block too few or too many shows.
func TestEdgesOfIntervals(t *testing.T) {
	dir := t.TempDir()
	record := func(id string, ms int64, event string) string {
		return fmt.Sprintf(`{"p":0,"o":0,"view_id":%q,"ts":%d,"pos":0,"kind":"like","event_id":%q,"amount":1}`, id, begin+ms, event)
	}
	const skew, within, window = 2000, 10_000, 120_000 // as logSpec says; 10s is the default
	var views, likes []string
	for m := range int64(8) {
		at := m * 60_000
		id := fmt.Sprint("v", m)
		views = append(views, record(id, at, ""), record(id, at+within, ""), record(fmt.Sprint("w", m), at-1, ""))
		likes = append(likes,
			// The same event twice: the first comes too early for the view, and the second is
			// only its duplicate.
			record(id, at-skew-within, id+"twice"), record(id, at-skew, id+"twice"),
			record(id, at-skew, id+"early"), record(id, at+window-1, id+"last"), record(id, at+window, id+"after"),
			record(fmt.Sprint("w", m), at-1+window-1, id+"w"), record(fmt.Sprint("w", m), at-1+window, id+"w-after"))
		// A record without a time is accounted for once, with the event next to it.
		writeAvro(t, fmt.Sprintf("%s/views/%d.avro", dir, m), logSchema, 10_000, record(fmt.Sprint("x", m), at, ""), record("timeless", -begin-1, ""))
		writeAvro(t, fmt.Sprintf("%s/engagements/%d.avro", dir, m), logSchema, 10_000, record("timeless", -begin-1, ""), record(fmt.Sprint("x", m), at, "x"))
	}
	writeAvro(t, dir+"/views/all.avro", logSchema, 1, views...)
	writeAvro(t, dir+"/engagements/all.avro", logSchema, 1, likes...)
	s := logSpec(t, dir, "none")

	whole := to(s, t.TempDir())
	want := join(t, whole, Options{})
	require.EqualValues(t, 8, want.Accounts.Views.N[account.Dead])
	require.EqualValues(t, 8, want.Accounts.Engagements["like"].N[account.Dead])
	require.EqualValues(t, 8, want.Accounts.Views.N[account.Duplicates])
	require.EqualValues(t, 24, want.Accounts.Views.N[account.Positives])
	samples := samplesBelow(t, whole.Outputs.Samples.Path)
	for _, sample := range samples {
		require.EqualValues(t, map[byte]float64{'v': 2, 'w': 1, 'x': 1}[sample.ViewID[0]], sample.Labels["like"], sample.ViewID)
	}
	for _, length := range []time.Duration{time.Minute, 2 * time.Minute, 10 * time.Second, 58 * time.Second} {
		cut := to(s, t.TempDir())
		got := join(t, cut, Options{Interval: length})
		require.Equal(t, counts(want.Accounts), counts(got.Accounts), length)
		require.Equal(t, want.Accounts.Bytes.In, got.Accounts.Bytes.In, length)
		require.Equal(t, samples, samplesBelow(t, cut.Outputs.Samples.Path), length)
	}
}

// TestNoEmptyInterval: where the time asked for ends, or before it begins, no interval does.
func TestNoEmptyInterval(t *testing.T) {
	p := &plan{spec: &spec.Spec{}, minutes: map[int64]int64{0: 1, 1: 1, 2: 1}}
	require.Equal(t, []interval{{60_000, 120_000, true}}, p.intervals(timeOf(60_000), timeOf(120_000), time.Minute))
	require.Equal(t, []interval{{0, 60_000, true}, {60_000, 60_001, false}}, p.intervals(time.Time{}, timeOf(60_001), time.Minute))
}
