package account

import (
	"encoding/json"
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// maxDelay is what a Histogram tells apart at most, in ms: the whole span of event
	// times that are taken (230 years).
	maxDelay = 7_258_118_400_000
	// delayDigits gives buckets at most 1/128 of their value wide.
	delayDigits = 2
)

// Histogram is a distribution of delays in milliseconds. The zero value is empty and
// ready for use; a nil *Histogram reads as an empty one.
//
// A delay is kept in a bucket that is less than 1 % of it wide, so every quantile is
// within 1 % of the true one, and exact below 256 ms. Which bucket depends on the
// delay alone, so merging in any order gives the same Histogram. The smallest and the
// largest delay are kept as they were.
//
// In JSON it is [[delay, count], ...] in order of delay, without the empty buckets: the
// first delay is the smallest, the last one the largest, and each between is the lower
// bound of its bucket.
type Histogram struct {
	// counts is nil until something is recorded: 38 KB, and most pieces of a join
	// have no engagement of some kind.
	counts *hdrhistogram.Histogram
	// least and most are the smallest and the largest delay, where there is one.
	least, most int64
}

// Record counts a delay in ms. A negative one (an engagement stamped before its view,
// within the tolerated clock skew) counts as 0; what is above 230 years as 230 years.
func (h *Histogram) Record(ms int64) { _ = h.add(ms, 1) }

func (h *Histogram) add(ms, count int64) error {
	if count == 0 {
		return nil
	}
	ms = min(max(ms, 0), maxDelay)
	h.bound(ms, ms)
	if h.counts == nil {
		h.counts = hdrhistogram.New(1, maxDelay, delayDigits)
	}
	return h.counts.RecordValues(ms, count)
}

// bound widens the range of the delays to one that lies in least to most.
func (h *Histogram) bound(least, most int64) {
	if h.Count() == 0 {
		h.least, h.most = least, most
		return
	}
	h.least, h.most = min(h.least, least), max(h.most, most)
}

// Merge adds what other holds, which is left as it was.
func (h *Histogram) Merge(other *Histogram) {
	if other.Count() == 0 {
		return
	}
	h.bound(other.least, other.most)
	if h.counts == nil {
		h.counts = hdrhistogram.New(1, maxDelay, delayDigits)
	}
	h.counts.Merge(other.counts)
}

// Count returns how many delays were recorded.
func (h *Histogram) Count() int64 {
	if h == nil || h.counts == nil {
		return 0
	}
	return h.counts.TotalCount()
}

// Min returns the smallest delay in ms, as it was. 0 if empty.
func (h *Histogram) Min() int64 {
	if h.Count() == 0 {
		return 0
	}
	return h.least
}

// Max returns the largest delay in ms, as it was. 0 if empty.
func (h *Histogram) Max() int64 {
	if h.Count() == 0 {
		return 0
	}
	return h.most
}

// Quantile returns the delay in ms that a share q (0 to 1) of the delays do not
// exceed: the upper bound of the bucket of the delay with that rank, or the largest delay
// if that is less. 0 if empty.
func (h *Histogram) Quantile(q float64) int64 {
	if h.Count() == 0 {
		return 0
	}
	return min(max(h.counts.ValueAtPercentile(100*q), h.least), h.most)
}

// AtLeast returns how many delays are ms or longer: exactly up to 256 ms, beyond that
// without those in the bucket of ms that is not wholly above it.
func (h *Histogram) AtLeast(ms int64) int64 {
	n := int64(0)
	for _, bin := range h.Bins() {
		if bin.From >= ms {
			n += bin.Count
		}
	}
	if n == 0 && h.Count() > 0 && h.most >= ms {
		return 1
	}
	return n
}

// Bin is one bucket of a Histogram: Count delays of From to To ms, both included.
type Bin struct{ From, To, Count int64 }

// Bins returns the buckets that hold something, in order of delay.
func (h *Histogram) Bins() []Bin {
	if h.Count() == 0 {
		return nil
	}
	var bins []Bin
	for _, bar := range h.counts.Distribution() {
		if bar.Count > 0 {
			bins = append(bins, Bin{From: bar.From, To: bar.To, Count: bar.Count})
		}
	}
	return bins
}

// MarshalJSON writes [[delay, count], ...].
func (h *Histogram) MarshalJSON() ([]byte, error) {
	bins := h.Bins()
	pairs := make([][2]int64, 0, len(bins)+1)
	for _, bin := range bins {
		pairs = append(pairs, [2]int64{bin.From, bin.Count})
	}
	if last := len(pairs) - 1; last == 0 && h.least != h.most { // both are in one bucket
		pairs = [][2]int64{{h.least, 1}, {h.most, pairs[0][1] - 1}}
	} else if last >= 0 {
		pairs[0][0], pairs[last][0] = h.least, h.most
	}
	return json.Marshal(pairs)
}

// UnmarshalJSON reads what MarshalJSON writes, and what it wrote when the smallest and the
// largest delay were lower bounds, too. It fails for negative delays and counts, and for
// delays above 230 years.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var pairs [][]int64
	if err := json.Unmarshal(text, &pairs); err != nil {
		return fmt.Errorf("delay histogram: %w", err)
	}
	*h = Histogram{}
	for i, pair := range pairs {
		if len(pair) != 2 || pair[0] < 0 || pair[0] > maxDelay || pair[1] < 0 {
			return fmt.Errorf("delay histogram: entry %d is %v, not [delay, count] with a delay of 0 to %d ms and a count", i, pair, int64(maxDelay))
		}
		if err := h.add(pair[0], pair[1]); err != nil {
			return fmt.Errorf("delay histogram: entry %d is %v: %w", i, pair, err)
		}
	}
	return nil
}
