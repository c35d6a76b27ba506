package bucket

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/sample"
)

// TestNegativesAreSampled: positives all stay with weight 1, negatives at about the rate with
// its inverse for a weight; whether one stays follows from its id alone.
func TestNegativesAreSampled(t *testing.T) {
	p := attributiontest.Params()
	p.Keep = 0.25
	var lines []string
	const n = 4000
	for i := range n {
		lines = append(lines, fmt.Sprintf("view v%d@%d", i, i))
		if i%10 == 0 {
			lines = append(lines, fmt.Sprintf("like v%d@%d", i, i))
		}
	}
	kept := func(lines []string) (negatives []string, positives, out int) {
		o := &lineOutput{t: t, p: p}
		o.sample = func(s *sample.Sample) {
			if s.Positive {
				positives++
				require.Equal(t, []float64{1, 1}, []float64{s.Rate, s.Weight})
				return
			}
			require.Equal(t, []float64{0.25, 4}, []float64{s.Rate, s.Weight})
			negatives = append(negatives, string(s.ViewID))
		}
		NewJoiner(p).Join(readBucket(t, p, 0, strings.Join(lines, "\n")), o)
		return negatives, positives, o.sampledOut
	}
	negatives, positives, out := kept(lines)
	require.Equal(t, n/10, positives)
	require.Equal(t, n-n/10, len(negatives)+out)
	require.InDelta(t, 0.25*(n-n/10), len(negatives), 110, "four standard deviations")

	// A quarter of them by themselves, at other times: the same ones stay.
	var some []string
	for _, id := range negatives {
		some = append(some, "view "+id+"@77")
	}
	again, _, out := kept(some)
	slices.Sort(again)
	slices.Sort(negatives)
	require.Equal(t, negatives, again)
	require.Zero(t, out)
}
