package report

import (
	"maps"
	"slices"

	"tributary/transforms/account"
)

// series is the timeline in pieces of equal length, gaps filled with zeros.
type series struct {
	// Start of the first piece, Step from one to the next: ms.
	Start, Step int64
	Samples     []int64
	Positives   map[string][]int64
}

// end is where the last piece ends, ms.
func (s *series) end() int64 { return s.Start + s.Step*int64(len(s.Samples)) }

// timeline puts the buckets of a timeline together into at most limit pieces, each of a
// whole number of buckets so that none is torn. The bucket length is taken from the
// starts themselves: the largest that all of them are apart by a multiple of. It
// returns nil with fewer than two buckets, which make no picture.
func timeline(l *account.Sheet, limit int) *series {
	starts := slices.Sorted(maps.Keys(l.Timeline))
	if len(starts) < 2 {
		return nil
	}
	first, last := starts[0], starts[len(starts)-1]
	if span := last - first; span <= 0 || span > 1<<60 { // overflown: not times
		return nil
	}
	bucket := int64(0)
	for _, start := range starts {
		bucket = divisor(bucket, start-first)
	}
	buckets := (last-first)/bucket + 1
	each := roundest((buckets+int64(limit)-1)/int64(limit), bucket)
	s := series{Start: first, Step: each * bucket, Positives: map[string][]int64{}}
	s.Samples = make([]int64, (last-first)/s.Step+1)
	for kind := range l.Engagements {
		s.Positives[kind] = make([]int64, len(s.Samples))
	}
	for start, interval := range l.Timeline {
		if interval == nil {
			continue
		}
		i := (start - first) / s.Step
		s.Samples[i] += interval.Samples
		for kind, n := range interval.Positives {
			if counts := s.Positives[kind]; counts != nil {
				counts[i] += n
			}
		}
	}
	return &s
}

// roundest returns how many buckets to put together, each or a little more: as many
// as make a piece of which a whole number fits into a day, for an axis to be read.
func roundest(each, bucket int64) int64 {
	const day = 86_400_000
	if each*bucket <= day {
		for n := each; n <= 2*each; n++ {
			if day%(n*bucket) == 0 {
				return n
			}
		}
	}
	return each
}

// divisor is the greatest common one of a and b, neither negative.
func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
