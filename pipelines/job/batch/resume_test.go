package batch

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

const short = 2 * time.Minute // intervals of the tests below: 11 or 12 of 20 minutes

// written tells the files below dir with the time of each one's writing.
func written(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	found := map[string]time.Time{}
	for _, path := range below(t, dir) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		found[strings.TrimPrefix(path, dir+"/")] = info.ModTime()
	}
	return found
}

// again tells which ledgers are not those of before.
func again(t *testing.T, dir string, before map[string]time.Time) (names []string) {
	t.Helper()
	for name, at := range written(t, dir) {
		if strings.HasPrefix(name, "ledger/") && !at.Equal(before[name]) {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names
}

func TestCancelledRunGoesOn(t *testing.T) {
	_, s := deterministic(t)
	want := joined(t, s, Options{Interval: short})
	for _, parallel := range []int{1, 3} {
		t.Run(fmt.Sprint(parallel, " at once"), func(t *testing.T) {
			s := to(s, t.TempDir())
			out := filepath.Dir(s.Outputs.Accounts)
			total := 0
			for _, stop := range []int{1, 4, 7} {
				before := written(t, out)
				ctx, cancel := context.WithCancel(t.Context())
				last := Progress{}
				r, err := Run(ctx, s, Options{Interval: short, Parallel: parallel, Progress: func(p Progress) {
					require.True(t, p.Stage != "join" || p.Intervals >= last.Intervals, "finished intervals became unfinished")
					last, total = p, p.IntervalsTotal
					if p.Stage == "join" && p.Intervals >= stop {
						cancel()
					}
				}})
				cancel()
				require.ErrorIs(t, err, context.Canceled)
				require.Nil(t, r)
				require.GreaterOrEqual(t, last.Intervals, stop)
				require.Less(t, last.Intervals, total)
				after := written(t, out)
				require.Equal(t, last.Intervals, countPrefix(after, "ledger/"), "each finished interval has its ledger, no other one has")
				for name, at := range before {
					if strings.HasPrefix(name, "ledger/") {
						require.True(t, at.Equal(after[name]), "%s was joined again", name)
					}
				}
				for name := range contents(t, out) {
					require.Contains(t, after, name, "left behind, out of sight")
				}
			}
			before := written(t, out)
			r := join(t, s, Options{Interval: short, Parallel: parallel})
			require.Equal(t, total, r.Intervals)
			require.Len(t, again(t, out, before), total-countPrefix(before, "ledger/"))
			requireSameFiles(t, want, contents(t, out))

			before = written(t, out)
			r = join(t, s, Options{Interval: short})
			require.Empty(t, again(t, out, before), "nothing was left to do")
			require.Zero(t, r.Events)
			require.Equal(t, total, r.Intervals)

			r = join(t, s, Options{Interval: short, Again: true})
			require.Len(t, again(t, out, before), total)
			require.NotZero(t, r.Events)
			requireSameFiles(t, want, contents(t, out))
		})
	}
	t.Run("before anything", func(t *testing.T) {
		s := to(s, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Run(ctx, s, Options{})
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("between scan and join", func(t *testing.T) {
		p, err := newPlan(t.Context(), to(s, t.TempDir()), planOptions{})
		require.NoError(t, err)
		all := p.intervals(time.Time{}, time.Time{}, short)
		r := &runner{plan: p, options: Options{Progress: func(Progress) {}}, intervals: len(all), total: account.New()}
		todo, err := r.unfinished(t.Context(), all)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.join(ctx, todo), context.Canceled, "nothing is no success")
	})
}

func countPrefix[V any](m map[string]V, prefix string) (n int) {
	for name := range m {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

// TestChangedFileConcernsItsIntervalsOnly has a file for every five minutes of views.
func TestChangedFileConcernsItsIntervalsOnly(t *testing.T) {
	dir := t.TempDir()
	for part := range 6 {
		var rows []string
		for i := range 60 {
			rows = append(rows, stamped(0, part*150+i*2)...)
		}
		writeAvro(t, fmt.Sprintf("%s/views/%d.avro", dir, part), logSchema, 500, rows...)
	}
	writeAvro(t, dir+"/engagements/0.avro", logSchema, 100, stamped(0, 0, 2, 4)...)
	s := logSpec(t, dir, "none")
	out := dir + "/out"
	opt := Options{Interval: 5 * time.Minute}
	join(t, s, opt)
	before := written(t, out)
	intervalsBefore := countPrefix(before, "ledger/")
	require.GreaterOrEqual(t, intervalsBefore, 5)

	join(t, s, opt)
	require.Empty(t, again(t, out, before))

	// One more view in the last file: for the interval of these times, and for those whose
	// engagements may have their view there, or whose views are its duplicates.
	files := below(t, dir+"/views")
	last := files[len(files)-1]
	writeAvro(t, last, logSchema, 500, stamped(0, 1501)...)
	join(t, s, opt)
	redone := again(t, out, before)
	require.NotEmpty(t, redone)
	require.Less(t, len(redone), intervalsBefore)
	require.Contains(t, strings.Join(redone, " "), "accounts-20260101T005000Z")
	requireSameFiles(t, joined(t, s, opt), contents(t, out))

	// A file less: the interval that had nothing else is gone from the plan, the rest stays.
	before = written(t, out)
	require.NoError(t, os.Remove(files[0]))
	join(t, s, opt)
	require.Less(t, len(again(t, out, before)), intervalsBefore)

	// The spec says something else: all of it again.
	before = written(t, out)
	changed := *s
	changed.Version++
	r := join(t, &changed, opt)
	require.Len(t, again(t, out, before), r.Intervals)
	for _, sample := range samplesBelow(t, out+"/samples") {
		require.EqualValues(t, changed.Version, sample.SpecVersion)
	}
	// Shards make no difference to any file, and are none to an interval that is finished.
	before = written(t, out)
	changed.Shards++
	join(t, &changed, opt)
	require.Empty(t, again(t, out, before))
}

// TestEarlierFileOfALogConcernsLaterIntervals adds a file that no interval of the others reads:
// a record of the same partition, with an offset before theirs and a time far ahead. All
// that follows it is late by it.
func TestEarlierFileOfALogConcernsLaterIntervals(t *testing.T) {
	dir := t.TempDir()
	writeAvro(t, dir+"/views/b.avro", logSchema, 100, stamped(0, 100, 200, 300)...)
	writeAvro(t, dir+"/engagements/0.avro", logSchema, 100, stamped(0, 100)...)
	s := logSpec(t, dir, "{partition: p, offset: o}")
	opt := Options{Interval: 5 * time.Minute}
	r := join(t, s, opt)
	require.EqualValues(t, 3, r.Accounts.Views.N[account.Samples])

	ahead := strings.Replace(stamped(0, 7)[0], "17672256", "17682256", 1)
	writeAvro(t, dir+"/views/a.avro", logSchema, 100, ahead)
	r = join(t, s, opt)
	require.EqualValues(t, 3, r.Accounts.Views.N[account.Late])
	require.EqualValues(t, 1, r.Accounts.Views.N[account.Samples])
	require.Len(t, samplesBelow(t, dir+"/out/samples"), 1)
}

// TestStaleFilesGo: what an earlier run had reason to write, and this one has not.
func TestStaleFilesGo(t *testing.T) {
	dir, s := deterministic(t)
	out := t.TempDir()
	s = to(s, out)
	join(t, s, Options{Interval: short})
	require.Equal(t, []string{"dead", "late", "ledger", "orphans", "samples"}, folders(t, out))
	clean := everything(2500)
	clean.Out, clean.Late, clean.Orphans, clean.Malformed, clean.Order = dir, 0, 0, 0, generate.OrderNone
	_, err := generate.Run(t.Context(), clean, nil)
	require.NoError(t, err)
	s = to(loadSpec(t, dir, allOutputs...), out)
	join(t, s, Options{Interval: short})
	require.Equal(t, []string{"ledger", "samples"}, folders(t, out))
	requireSameFiles(t, joined(t, s, Options{Interval: short}), contents(t, out))
}

// folders are those below dir that hold a file.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	found := map[string]bool{}
	for name := range contents(t, dir) {
		found[strings.SplitN(name, "/", 2)[0]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// TestRerunNeverDoubles joins again in intervals cut otherwise, in another format and for
// more of the time: what is there at the end is what one run alone would write.
func TestRerunNeverDoubles(t *testing.T) {
	_, s := deterministic(t)
	at := func(minutes int) time.Time { return time.Date(2026, 1, 1, 0, minutes, 0, 0, time.UTC) }
	asJSON := *s
	asJSON.Outputs.Samples.Format, asJSON.Outputs.Samples.Codec = spec.JSON, spec.Gzip
	for name, test := range map[string]struct {
		first  Options
		spec   *spec.Spec
		second Options
	}{
		"shorter":   {first: Options{}, spec: s, second: Options{Interval: short}},
		"longer":    {first: Options{Interval: short}, spec: s, second: Options{}},
		"not even":  {first: Options{Interval: 3 * time.Minute}, spec: s, second: Options{Interval: 7 * time.Minute}},
		"as JSON":   {first: Options{Interval: short}, spec: &asJSON, second: Options{Interval: short}},
		"more time": {first: Options{From: at(5), To: at(9), Interval: time.Hour}, spec: s, second: Options{From: at(3), To: at(12), Interval: time.Hour}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			out := t.TempDir()
			join(t, to(s, out), test.first)
			join(t, to(test.spec, out), test.second)
			requireSameFiles(t, joined(t, test.spec, test.second), contents(t, out))
		})
	}
	t.Run("less time", func(t *testing.T) {
		out := t.TempDir()
		join(t, to(s, out), Options{})
		before := contents(t, out)
		_, err := Run(t.Context(), to(s, out), Options{From: at(5), To: at(9)})
		require.ErrorContains(t, err, "T2011")
		require.ErrorContains(t, err, "part-20260101T000000Z-20260102T000000Z.avro")
		require.ErrorContains(t, err, "2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z")
		requireSameFiles(t, before, contents(t, out))
		// Other times of the same outputs are left alone.
		join(t, to(s, out), Options{From: at(24 * 60), To: at(25 * 60)})
		for name, content := range before {
			require.Equal(t, content, contents(t, out)[name])
		}
	})
	t.Run("other files are left alone", func(t *testing.T) {
		out := t.TempDir() + "/a{b}[c]*"
		write(t, out+"/samples/dt=2026-01-01/part-of-mine.avro", "mine")
		write(t, out+"/samples/dt=2026-01-01/part-20260101T000000Z-.avro", "mine")
		join(t, to(s, out), Options{Interval: short})
		join(t, to(s, out), Options{})
		require.Equal(t, "mine", contents(t, out)["samples/dt=2026-01-01/part-of-mine.avro"])
		require.Len(t, below(t, strings.NewReplacer("{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`, "*", `\*`).Replace(out)+"/samples"), 3)
	})
}

// TestFinishedMeansThatAllIsThere: the ledger alone is not enough, nor is a ledger that
// cannot be read.
func TestFinishedMeansThatAllIsThere(t *testing.T) {
	_, s := deterministic(t)
	out := t.TempDir()
	s = to(s, out)
	join(t, s, Options{Interval: short})
	want := contents(t, out)
	for _, kind := range []string{"samples/", "late/", "dead/", "orphans/"} {
		var gone string
		for name := range want {
			if strings.HasPrefix(name, kind) {
				gone = name
			}
		}
		require.NoError(t, os.Remove(filepath.Join(out, gone)))
		before := written(t, out)
		join(t, s, Options{Interval: short})
		require.Len(t, again(t, out, before), 1, kind)
		requireSameFiles(t, want, contents(t, out))
	}
	for name := range want {
		if strings.HasPrefix(name, "ledger/") {
			write(t, filepath.Join(out, name), `{"from_ms": "cut off`)
			break
		}
	}
	join(t, s, Options{Interval: short})
	requireSameFiles(t, want, contents(t, out))
}

// TestSpecTriedOutAndTakenBack stops a run of another spec in the middle, and goes back to
// the first: no interval of the other must stay.
func TestSpecTriedOutAndTakenBack(t *testing.T) {
	_, s := deterministic(t)
	out := t.TempDir()
	s = to(s, out)
	join(t, s, Options{Interval: short})
	want := contents(t, out)
	other := *s
	other.Version = 99
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	finished := 0
	_, err := Run(ctx, &other, Options{Interval: short, Parallel: 1, Progress: func(p Progress) {
		if finished = p.Intervals; p.Stage == "join" && p.Intervals >= 3 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, finished, countPrefix(contents(t, out), "ledger/"), "a ledger of before may stand beside samples of now")
	join(t, s, Options{Interval: short})
	requireSameFiles(t, want, contents(t, out))
}
