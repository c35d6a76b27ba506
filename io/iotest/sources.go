package iotest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// sourceClauses are what a source has to keep.
var sourceClauses = []clause[Source]{
	{"all is read, each partition in its order", sourceOrder},
	{"no event comes behind the watermark", sourceWatermark},
	{"an empty log ends, and nothing is known of time", sourceEmpty},
	{"bad records are told, and the others read", sourceBad},
	{"the largest record is read whole", sourceLargest},
	{"a reader may be resumed anywhere", sourceResumed},
	{"what the runner takes away is read by whoever goes on", sourceTakenAway},
	{"an old state gives the same again", sourceReplay},
	{"a process may end before or after any step", sourceDies},
	{"a backend may fail for a while", sourceFails},
	{"a backend may be slow", sourceSlow},
}

// usual is a log of three partitions, one of them empty, and what has to be read of it.
func (s Source) usual(t testing.TB) (Log, []Emitted) {
	t.Helper()
	partitions := [][]Event{disorder(0, 20), nil, disorder(2, 33)}
	log := s.New(t, len(partitions))
	for p, events := range partitions {
		log.Append(t, p, events...)
	}
	return log, made(partitions...)
}

func sourceOrder(t testing.TB, s Source) {
	log, want := s.usual(t)
	out := finish(t, log, nil, nil, many, false)
	require.Equal(t, want, inOrder(t, out.emitted))
}

// sourceWatermark reads bit by bit, so that there is a watermark between any two events; see read.
func sourceWatermark(t testing.TB, s Source) {
	log, want := s.usual(t)
	out := finish(t, log, nil, nil, 1, false)
	require.Equal(t, want, inOrder(t, out.emitted))
}

func sourceEmpty(t testing.TB, s Source) {
	out := finish(t, s.New(t, 2), nil, nil, many, false)
	require.Empty(t, out.emitted)
	require.EqualValues(t, record.NoTime, out.watermark)
}

func sourceBad(t testing.TB, s Source) {
	events := disorder(0, 9)
	for _, i := range []int{0, 4, 5, 8} {
		events[i] = Event{Bad: true}
	}
	log := s.New(t, 1)
	log.Append(t, 0, events...)
	for _, again := range []bool{false, true} {
		got := finish(t, log, nil, nil, many, again).emitted
		slices.SortStableFunc(got, func(a, b Emitted) int { return int(a.Offset - b.Offset) })
		require.Equal(t, made(events), inOrder(t, got))
	}
}

func sourceLargest(t testing.TB, s Source) {
	length := s.Largest
	if length == 0 {
		length = 10 << 20
	}
	events := disorder(0, 3)
	events[1].Value = strings.Repeat("x", length)
	log := s.New(t, 1)
	log.Append(t, 0, events...)
	got := inOrder(t, finish(t, log, nil, nil, many, false).emitted)
	require.Len(t, got, 3)
	require.True(t, got[1].Value == events[1].Value, "%d of %d bytes", len(got[1].Value), length)
	require.Equal(t, []string{events[0].Value, events[2].Value}, []string{got[0].Value, got[2].Value})
}

func sourceResumed(t testing.TB, s Source) {
	log, want := s.usual(t)
	for claims := 1; claims <= 6; claims++ {
		out := finish(t, log, nil, nil, claims, true)
		require.Equal(t, want, inOrder(t, out.emitted), "another process after %d claims", claims)
	}
}

func sourceTakenAway(t testing.TB, s Source) {
	log, want := s.usual(t)
	for claims := 1; claims <= 6; claims++ {
		out := finish(t, log, nil, nil, claims, false)
		require.Equal(t, want, inOrder(t, out.emitted), "the same process after %d claims", claims)
	}
}

func sourceReplay(t testing.TB, s Source) {
	log, want := s.usual(t)
	whole := finish(t, log, nil, nil, 2, false)
	for i, state := range whole.states[:len(whole.states)-1] {
		rest := finish(t, log, state, nil, many, false)
		require.Equal(t, want, inOrder(t, append(slices.Clone(whole.emitted[:whole.at[i]]), rest.emitted...)), "from state %d", i)
	}
}

func sourceDies(t testing.TB, s Source) {
	log, want := s.usual(t)
	for _, fate := range []Fate{DiesBefore, DiesAfter, Unanswered, Refused} {
		for n := 1; n <= mostSteps; n += max(1, s.Every) {
			steps := disturbed(n, fate)
			out := finish(t, log, nil, steps, 2, false)
			require.Equal(t, want, inOrder(t, out.emitted), "step %d: %v", n, fate)
			if steps.taken() < n {
				require.Greater(t, n, 1, "there are no steps at all: the harness asks nothing")
				break
			}
		}
	}
}

func sourceFails(t testing.TB, s Source) {
	log, want := s.usual(t)
	out := finish(t, log, nil, &Steps{at: 2, count: 10, fate: Refused}, 2, false)
	require.Equal(t, want, inOrder(t, out.emitted))
}

func sourceSlow(t testing.TB, s Source) {
	log, want := s.usual(t)
	r, err := log.Open(t, nil, &Steps{at: 1, count: 10, fate: Slow})
	require.NoError(t, err)
	defer r.Close()
	var got []Emitted
	for !r.Done() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		emitted, err := r.Poll(ctx, many)
		cancel()
		require.NoError(t, err)
		got = append(got, emitted...)
	}
	require.Equal(t, want, inOrder(t, got))
}
