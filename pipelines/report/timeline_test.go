package report

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/transforms/account"
)

func TestTimelinePieces(t *testing.T) {
	l := account.New("like")
	const minute = 60_000
	for i, at := range []int64{10, 15, 30} { // bucket of 5 minutes, some empty
		l.Timeline[at*minute] = &account.Interval{Samples: 10, Positives: map[string]int64{"like": int64(i)}}
	}
	assert.Equal(t, &series{
		Start: 10 * minute, Step: 5 * minute,
		Samples: []int64{10, 10, 0, 0, 10}, Positives: map[string][]int64{"like": {0, 1, 0, 0, 2}},
	}, timeline(l, 5))
	assert.Equal(t, &series{
		Start: 10 * minute, Step: 10 * minute,
		Samples: []int64{20, 0, 10}, Positives: map[string][]int64{"like": {1, 0, 2}},
	}, timeline(l, 4), "pieces are whole buckets")

	assert.Nil(t, timeline(account.New("like"), 5))
	l.Timeline = map[int64]*account.Interval{math.MinInt64: {}, math.MaxInt64: {}}
	assert.Nil(t, timeline(l, 5), "no times at all")
}

func TestTimelineStepsAreRound(t *testing.T) {
	l := account.New()
	for i := range int64(288) { // a day by 5 minutes
		l.Timeline[i*300_000] = &account.Interval{Samples: 1}
	}
	assert.EqualValues(t, 30*60_000, timeline(l, 64).Step, "25 minutes would do, half hours read better")
}

func TestTimelineKeepsTheSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := account.New("like")
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		bucket := rapid.Int64Range(1, 1e7).Draw(t, "bucket")
		samples, likes := int64(0), int64(0)
		for _, at := range rapid.SliceOfNDistinct(rapid.Int64Range(0, 1000), 2, 30, rapid.ID).Draw(t, "at") {
			n := rapid.Int64Range(0, 9).Draw(t, "n")
			l.Timeline[at*bucket] = &account.Interval{Samples: n, Positives: map[string]int64{"like": n / 2}}
			samples, likes = samples+n, likes+n/2
		}
		s := timeline(l, limit)
		require.NotNil(t, s)
		require.LessOrEqual(t, len(s.Samples), limit)
		for i := range s.Samples {
			samples -= s.Samples[i]
			likes -= s.Positives["like"][i]
		}
		assert.Zero(t, samples)
		assert.Zero(t, likes)
	})
}
