package folderio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/io/fileio/fileiotest"
	"tributary/io/iotest"
)

// hour and step are of the groups of these tests.
const hour, step = 3_600_000, 1_200_000

// testConfig is of a folder with three groups an hour.
func testConfig(folder string, shards int32, meaning string) Config {
	return Config{Path: folder, Job: "job", Format: "json", Codec: "none", Step: step, Shards: shards, Meaning: map[string]string{"window": meaning}}
}

// bundleOf are groups of some shards, and what they hold, which says what it means.
func bundleOf(shards int32, meaning string, ids ...int64) (groups []iotest.Group) {
	for _, id := range ids {
		for shard := range shards {
			g := iotest.Group{Shard: shard, ID: id}
			for i := range 2 {
				g.Records = append(g.Records, iotest.Record{Key: fmt.Sprintf("%d/%d/%d", id, shard, i), Value: meaning})
			}
			groups = append(groups, g)
		}
	}
	return groups
}

func recordsOf(groups []iotest.Group) []string {
	all := []string{}
	for _, g := range groups {
		for _, r := range g.Records {
			all = append(all, r.Key+" "+r.Value)
		}
	}
	slices.Sort(all)
	return all
}

// requireHolds fails unless a folder holds the records of groups, each once.
func requireHolds(t *testing.T, folder string, groups []iotest.Group, msg ...any) {
	t.Helper()
	got := []string{}
	for _, r := range readRecords(t, folder) {
		got = append(got, r.Key+" "+r.Value)
	}
	slices.Sort(got)
	require.Equal(t, recordsOf(groups), got, msg...)
}

// process is one of a run, and takes steps.
func process(c Config, around func(func() error) error) *folderProcess {
	p := &folderProcess{target: &folderTarget{c: c}, w: NewWriter(c), acks: map[place]Written{}}
	p.w.steps.around = around
	return p
}

func begun(t *testing.T, c Config) Config {
	t.Helper()
	p, err := Begin(t.Context(), c)
	require.NoError(t, err)
	c.FencingEpoch = p.FencingEpoch
	return c
}

func recovered(t *testing.T, c Config) Config {
	t.Helper()
	p, err := Recover(t.Context(), c, NoID)
	require.NoError(t, err)
	c.FencingEpoch = p.FencingEpoch
	return c
}

func writes(t *testing.T, c Config, groups []iotest.Group) {
	t.Helper()
	n, _, err := process(c, nil).Write(t.Context(), groups)
	require.NoError(t, err)
	require.Equal(t, len(groups), n)
}

// TestFencedOff: a run that was left behind, before or after whichever step, writes nothing any more once another
// one has come, though that one means something else by records and spreads them over other shards.
func TestFencedOff(t *testing.T) {
	t.Run("local", func(t *testing.T) { fencedOff(t, 1, quickFolder) })
	t.Run("cloud", func(t *testing.T) {
		fileiotest.StartEmulator(t)
		n := 0
		fencedOff(t, 5, func(testing.TB) string {
			n++
			return fmt.Sprintf("gs://bucket/%d", n)
		})
	})
}

func fencedOff(t *testing.T, every int, folder func(testing.TB) string) {
	for _, compact := range []int64{0, hour} {
		for n := 1; ; n += every {
			c := testConfig(folder(t), 3, "old")
			c.Compact = compact
			old := begun(t, c)
			c.Meaning, c.Shards = map[string]string{"window": "new"}, 2
			after := bundleOf(2, "new", 0, step, 2*step)
			taken := 0
			// The other run comes while this one pauses before its step.
			between := func(do func() error) error {
				if taken++; taken == n {
					writes(t, recovered(t, c), after)
				}
				return do()
			}
			_, _, err := process(old, between).Write(t.Context(), bundleOf(3, "old", 0, step, 2*step))
			if taken < n {
				require.Greater(t, n, 1)
				break
			}
			require.Error(t, err, "step %d of a run that was left behind", n)
			requireHolds(t, c.Path, after, "compact %d: left behind at step %d", compact, n)
		}
	}
}

// TestRecoverDies: a run may end while it takes over, at whichever step, and the next one takes over from it.
func TestRecoverDies(t *testing.T) {
	for _, compact := range []int64{0, hour} {
		for n := 1; ; n++ {
			c := testConfig(quickFolder(t), 3, "old")
			c.Compact = compact
			old := begun(t, c)
			first := bundleOf(3, "old", -hour, -hour+step, -step)
			writes(t, old, first)
			require.NoError(t, NewWriter(old).note(t.Context(), -step))
			writes(t, old, bundleOf(3, "old", 0, step, 2*step))
			c.Meaning, c.Shards = map[string]string{"window": "new"}, 2
			taken := 0
			dies := steps{around: func(do func() error) error {
				if taken++; taken > n/2 {
					return errDied
				}
				err := do()
				if n%2 == 0 && taken == n/2 {
					return errors.Join(err, errDied)
				}
				return err
			}}
			_, err := recoverJob(t.Context(), c, NoID, dies)
			next := recovered(t, c)
			second := bundleOf(2, "new", 0, step, 2*step)
			writes(t, next, second)
			requireHolds(t, c.Path, append(slices.Clone(first), second...), "it died at step %d", n)
			if err == nil {
				break
			}
		}
	}
}

// TestRecover: what is complete stays as it is, whatever comes of it; groups that waited come whole again; and who has a
// state from before learns what was removed.
func TestRecover(t *testing.T) {
	c := testConfig(quickFolder(t)+"/a [b]*", 2, "a") // which is no pattern
	c.Compact, c.Hourly = hour, true
	_, err := Recover(t.Context(), c, NoID)
	require.NoError(t, err, "there need not be a log")
	_, err = Begin(t.Context(), c)
	require.ErrorIs(t, err, ErrBegun)
	jobs, err := Jobs(t.Context(), c.Path, "")
	require.NoError(t, err)
	require.Equal(t, []string{"job"}, jobs)

	run := recovered(t, c)
	first := bundleOf(2, "a", 0, step, 2*step)
	writes(t, run, first)
	require.NoError(t, NewWriter(run).note(t.Context(), 2*step))
	files, err := steps{}.list(t.Context(), c.Path, "**")
	require.NoError(t, err)
	require.Len(t, files, 2)
	require.Equal(t, c.Path+"/dt=1970-01-01/hr=00/part-19700101T000000Z-19700101T010000Z-s0000.jsonl", files[0].Path)
	waiting, err := steps{}.list(t.Context(), c.within(""), "*/*")
	require.NoError(t, err)
	require.Empty(t, waiting, "what is written need not wait")

	// One group of the next hour waits when the run ends.
	b := NewWriter(run).Bundle()
	for _, part := range partsOf(bundleOf(1, "a", hour)[0]) {
		_, err := b.Add(t.Context(), part)
		require.NoError(t, err)
	}
	acks, err := b.Publish(t.Context())
	require.NoError(t, err)
	requireHolds(t, c.Path, first, "a group that waits is not shown")

	was := run
	c.Meaning = map[string]string{"window": "b"}
	run = recovered(t, c)
	p, err := ReadProgress(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, Progress{CommittedBefore: hour, Since: hour, FencingEpoch: 3, Step: c.Step, RewrittenBefore: hour + step, Meaning: c.Meaning}, p)
	_, err = NewWriter(was).Compact(t.Context(), acks)
	require.ErrorIs(t, err, ErrFenced)
	require.ErrorIs(t, NewWriter(was).note(t.Context(), 5*step), ErrFenced)
	_, err = NewWriter(run).Compact(t.Context(), acks)
	require.ErrorContains(t, err, "a group that was written is gone", "by a state from before")

	writes(t, run, append(bundleOf(2, "b", 0), bundleOf(2, "b", hour, hour+step, hour+2*step)...))
	requireHolds(t, c.Path, append(slices.Clone(first), bundleOf(2, "b", hour, hour+step, hour+2*step)...))
	require.NoError(t, NewWriter(run).note(t.Context(), hour+2*step))
	p, err = ReadProgress(t.Context(), c)
	require.NoError(t, err)
	require.Zero(t, p.RewrittenBefore, "all is written again")
	require.Equal(t, []int64{hour, 2 * hour}, []int64{p.Since, p.CommittedBefore})

	c.Step = hour
	_, err = Recover(t.Context(), c, NoID)
	require.ErrorContains(t, err, "buckets of 20m0s, not 1h0m0s")
}

// TestProvisional: what a run that drained has written goes when another goes on, from where it was provisional.
func TestProvisional(t *testing.T) {
	c := begun(t, testConfig(quickFolder(t), 2, "a"))
	c.ProvisionalFrom = step
	require.NoError(t, MarkProvisional(t.Context(), c))
	writes(t, c, bundleOf(2, "a", 0, step, 2*step))
	c.ProvisionalFrom = 0
	c = recovered(t, c)
	requireHolds(t, c.Path, bundleOf(2, "a", 0))
	writes(t, recovered(t, c), bundleOf(1, "a", 2*step))
	requireHolds(t, c.Path, append(bundleOf(2, "a", 0), bundleOf(1, "a", 2*step)...))
}

// TestTwoRecover: of two runs that take a job over at once one does.
func TestTwoRecover(t *testing.T) {
	c := testConfig(quickFolder(t), 1, "a")
	begun(t, c)
	other := false
	_, err := recoverJob(t.Context(), c, NoID, steps{around: func(do func() error) error {
		if !other { // after the look at the log
			other = true
			err := do()
			recovered(t, c)
			return err
		}
		return do()
	}})
	require.ErrorIs(t, err, ErrFenced)
}

// TestChangedGroup: what waits is put together as it was acknowledged, or not at all.
func TestChangedGroup(t *testing.T) {
	c := testConfig(quickFolder(t), 1, "a")
	c.Compact = hour
	c = begun(t, c)
	add := func(text string) []Written {
		b := NewWriter(c).Bundle()
		for _, part := range partsOf(bundleOf(1, text, 0)[0]) {
			_, err := b.Add(t.Context(), part)
			require.NoError(t, err)
		}
		acks, err := b.Publish(t.Context())
		require.NoError(t, err)
		return acks
	}
	acks := add("a")
	other := add("b")
	_, err := NewWriter(c).Compact(t.Context(), acks)
	require.ErrorContains(t, err, "it was changed by another process")
	_, err = NewWriter(c).Compact(t.Context(), append(acks, other...))
	require.ErrorContains(t, err, "another than before")
	requireHolds(t, c.Path, nil)
	_, err = NewWriter(c).Compact(t.Context(), append(other, other...))
	require.NoError(t, err)
	requireHolds(t, c.Path, bundleOf(1, "b", 0))
	content, err := fileio.ReadFile(t.Context(), c.kept(0, 0))
	require.NoError(t, err)
	require.NoError(t, fileio.WriteFile(context.Background(), c.kept(0, 0), content[:len(content)-3]))
	_, err = NewWriter(c).Compact(t.Context(), other)
	require.Error(t, err)
}

// TestAbortedBeforeItsNames: a bundle that is aborted once its files are staged shows none of them, and leaves none.
func TestAbortedBeforeItsNames(t *testing.T) {
	c := begun(t, testConfig(quickFolder(t), 1, "a"))
	ctx, cancel := context.WithCancel(t.Context())
	b := NewWriter(c).Bundle()
	for _, part := range partsOf(bundleOf(1, "a", 0)[0]) {
		_, err := b.Add(ctx, part)
		require.NoError(t, err)
	}
	cancel()
	_, err := b.Publish(ctx)
	require.ErrorIs(t, err, context.Canceled)
	requireHolds(t, c.Path, nil)
	b.Abort(ctx)
	staged, err := steps{}.list(t.Context(), c.within("staged"), "*")
	require.NoError(t, err)
	require.Empty(t, staged)
}

// TestCompleteStays: what the log says is complete is not written again, whatever comes of it.
func TestCompleteStays(t *testing.T) {
	for _, compact := range []int64{0, hour} {
		c := testConfig(quickFolder(t), 2, "a")
		c.Compact = compact
		c = begun(t, c)
		first := bundleOf(2, "a", 0, step, 2*step)
		writes(t, c, first)
		require.NoError(t, NewWriter(c).note(t.Context(), 2*step))
		writes(t, c, bundleOf(2, "part of it", step))
		requireHolds(t, c.Path, first)
		kept, err := steps{}.list(t.Context(), c.within(""), "*/*")
		require.NoError(t, err)
		require.Empty(t, kept)
	}
}
