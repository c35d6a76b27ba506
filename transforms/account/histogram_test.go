package account

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// delays draws delays of every magnitude, from 0 to years.
func delays() *rapid.Generator[int64] {
	return rapid.Custom(func(t *rapid.T) int64 {
		limit := rapid.SampledFrom([]int64{10, 300, 1e4, 1e6, 1e9, maxDelay}).Draw(t, "limit")
		return rapid.Int64Range(0, limit).Draw(t, "ms")
	})
}

func histogramOf(delays ...int64) *Histogram {
	var h Histogram
	for _, ms := range delays {
		h.Record(ms)
	}
	return &h
}

// The quantile must be within 1 % of the delay with that rank in the sorted list.
func TestQuantilesAreWithinOnePercent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(delays(), 1, 200).Draw(t, "delays")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		h := histogramOf(all...)

		sorted := slices.Sorted(slices.Values(all))
		rank := min(max(int(q*float64(len(sorted))+0.5), 1), len(sorted))
		want, got := sorted[rank-1], h.Quantile(q)
		if math.Abs(float64(got-want)) > 0.01*float64(want) {
			t.Fatalf("quantile %v of %v: got %d, want %d within 1 %%", q, sorted, got, want)
		}
		if want < 256 && got != want {
			t.Fatalf("quantile %v of %v: got %d, want exactly %d", q, sorted, got, want)
		}
	})
}

func TestHistogramEdges(t *testing.T) {
	var none *Histogram
	assert.Zero(t, none.Count(), "a nil histogram is empty")
	assert.Zero(t, none.Quantile(0.5))
	assert.Empty(t, none.Bins())
	assert.Zero(t, new(Histogram).Quantile(1))

	h := histogramOf(-5, 100)
	h.Merge(nil)
	assert.Equal(t, []Bin{{0, 0, 1}, {100, 100, 1}}, h.Bins(), "a negative delay counts as 0")

	h = histogramOf(math.MaxInt64)
	assert.EqualValues(t, 1, h.Count(), "beyond the largest delay: counted, not lost")
	assert.InEpsilon(t, maxDelay, h.Quantile(1), 0.01)
}

func TestHistogramJSON(t *testing.T) {
	text, err := json.Marshal(histogramOf(7, 7, 1, 60_000))
	require.NoError(t, err)
	assert.JSONEq(t, `[[1,1],[7,2],[60000,1]]`, string(text))

	text, err = json.Marshal(&Histogram{})
	require.NoError(t, err)
	assert.Equal(t, `[]`, string(text))

	rapid.Check(t, func(t *rapid.T) {
		h := histogramOf(rapid.SliceOf(delays()).Draw(t, "delays")...)
		first, err := json.Marshal(h)
		require.NoError(t, err)
		var back Histogram
		require.NoError(t, json.Unmarshal(first, &back))
		second, err := json.Marshal(&back)
		require.NoError(t, err)
		assert.Equal(t, string(first), string(second))
		assert.Equal(t, h.Bins(), back.Bins())
	})
}

// The smallest and the largest delay are exact, however the histogram was put together and
// wherever it was stored meanwhile.
func TestHistogramKeepsBothEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(delays(), 1, 50).Draw(t, "delays")
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		h := histogramOf(all[:cut]...)
		h.Merge(histogramOf(all[cut:]...))
		text, err := json.Marshal(h)
		require.NoError(t, err)
		var back Histogram
		require.NoError(t, json.Unmarshal(text, &back))
		for _, got := range []*Histogram{h, &back} {
			assert.Equal(t, slices.Min(all), got.Min())
			assert.Equal(t, slices.Max(all), got.Max())
			assert.Equal(t, slices.Max(all), got.Quantile(1))
			assert.EqualValues(t, len(all), got.Count())
		}
	})
}

// A ledger of before the ends were kept is read, and its ends are lower bounds.
func TestHistogramReadsOldText(t *testing.T) {
	var h Histogram
	require.NoError(t, json.Unmarshal([]byte(`[[0,0],[1496,1],[59904,2]]`), &h))
	assert.EqualValues(t, 3, h.Count())
	assert.EqualValues(t, 1496, h.Min())
	assert.EqualValues(t, 59904, h.Max())
}

func TestHistogramAtLeast(t *testing.T) {
	h := histogramOf(5, 100, 300_000)
	for ms, want := range map[int64]int64{0: 3, 5: 3, 6: 2, 101: 1, 299_999: 1, 300_000: 1, 300_001: 0} {
		assert.Equal(t, want, h.AtLeast(ms), "%d ms", ms)
	}
	assert.Zero(t, new(Histogram).AtLeast(0))
}

func TestHistogramJSONRefused(t *testing.T) {
	for name, text := range map[string]string{
		"not pairs":       `{}`,
		"three numbers":   `[[1,2,3]]`,
		"negative delay":  `[[-1,2]]`,
		"negative count":  `[[1,-2]]`,
		"delay too long":  `[[7258118400001,1]]`,
		"fraction":        `[[1.5,1]]`,
		"counts overflow": `[[1,9223372036854775807],[2,1]]`,
	} {
		var h Histogram
		assert.ErrorContains(t, json.Unmarshal([]byte(text), &h), "delay histogram", name)
	}
}

func FuzzHistogramJSON(f *testing.F) {
	f.Add([]byte(`[[1,1],[7,2],[59904,1]]`))
	f.Add([]byte(`[[1,9223372036854775807]]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h Histogram
		if h.UnmarshalJSON(text) != nil {
			return
		}
		first, err := h.MarshalJSON()
		require.NoError(t, err)
		var back Histogram
		require.NoError(t, back.UnmarshalJSON(first))
		assert.Equal(t, h.Bins(), back.Bins())
	})
}
