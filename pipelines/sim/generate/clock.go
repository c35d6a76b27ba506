package generate

import (
	"math"
	"time"
)

// clock gives the views their times: sorted, and as dense as the time of day wants.
//
// The n views cut the span into n pieces of equal weight, one view in each. Between
// knots the rate is constant, so that one table look-up finds a time, and times never
// step back by a rounding.
type clock struct {
	start float64 // ms since the epoch
	// knots[k] is the time, in ms after start, by which k/(len-1) of all views came.
	knots []float64
}

const dayMs = float64(24 * time.Hour / time.Millisecond)

func newClock(start time.Time, span time.Duration, diurnal float64) clock {
	from, length := float64(start.UnixMilli()), float64(span.Milliseconds())
	// 256 pieces a day follow the curve closely.
	n := 256 * (1 + int(length/dayMs))
	c := clock{start: from, knots: make([]float64, n+1)}
	// weight is the integral of the rate 1 + diurnal*cos(2π (t - 18 h) / day).
	weight := func(ms float64) float64 {
		phase := func(at float64) float64 { return math.Sin(2 * math.Pi * (at/dayMs - 0.75)) }
		return ms + diurnal*dayMs/(2*math.Pi)*(phase(from+ms)-phase(from))
	}
	total := weight(length)
	for k := 1; k < n; k++ {
		low, high := c.knots[k-1], length
		for range 60 {
			if middle := (low + high) / 2; weight(middle) < total*float64(k)/float64(n) {
				low = middle
			} else {
				high = middle
			}
		}
		c.knots[k] = low
	}
	c.knots[n] = length
	return c
}

// at returns the time by which the share q of all views came, 0 <= q <= 1. It never
// falls when q grows.
func (c *clock) at(q float64) int64 {
	x := q * float64(len(c.knots)-1)
	k := min(int(x), len(c.knots)-2)
	low, high := c.knots[k], c.knots[k+1]
	return int64(c.start + min(low+(high-low)*(x-float64(k)), high))
}
