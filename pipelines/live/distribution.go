package live

import "math"

// Distribution counts values by buckets.
type Distribution struct {
	// Bounds are the upper bounds of the buckets in seconds, Counts how many values are no larger than each.
	Bounds []float64 `json:"bounds"`
	Counts []uint64  `json:"cumulative"`
	Count  uint64    `json:"count"`
	Sum    float64   `json:"sum"`
}

// newDistribution returns an empty one.
func newDistribution(bounds []float64) *Distribution {
	return &Distribution{Bounds: bounds, Counts: make([]uint64, len(bounds))}
}

// add counts a value so many times.
func (d *Distribution) add(value float64, times int64) {
	d.Count += uint64(times)
	d.Sum += value * float64(times)
	for i, bound := range d.Bounds {
		if value <= bound {
			d.Counts[i] += uint64(times)
		}
	}
}

// copied is the distribution as it is now.
func (d *Distribution) copied() *Distribution {
	c := *d
	c.Counts = append([]uint64(nil), d.Counts...)
	return &c
}

// Quantile is what a share of the values is no larger than, interpolated in its bucket as Prometheus' histogram_quantile does; NaN of none,
// and the last bound for what lies behind it.
func (d *Distribution) Quantile(q float64) float64 {
	if d.Count == 0 {
		return math.NaN()
	}
	rank, below, from := q*float64(d.Count), 0.0, 0.0
	for i, bound := range d.Bounds {
		if n := float64(d.Counts[i]); n >= rank && n > below {
			return from + (bound-from)*(rank-below)/(n-below)
		} else if n > below {
			below = n
		}
		from = bound
	}
	return d.Bounds[len(d.Bounds)-1]
}
