package tap

import (
	"hash/maphash"
	"strconv"
)

// labelsKept is of how many views labels are remembered, longestKept how long those are at most.
const (
	labelsKept  = 10_000
	longestKept = 500
)

// labels are those of the samples that were seen last, by view.
type labels struct {
	seed maphash.Seed
	by   map[uint64]string
	// ring are the keys in the order in which they came.
	ring []uint64
	next int
}

func newLabels() *labels { return &labels{seed: maphash.MakeSeed(), by: map[uint64]string{}} }

// swap notes the labels of a view and returns those that it had; known is false if they are not remembered.
func (l *labels) swap(id string, viewTime int64, now string) (before string, known bool) {
	key := maphash.String(l.seed, strconv.FormatInt(viewTime, 10)+" "+id)
	before, known = l.by[key]
	if len(now) > longestKept {
		delete(l.by, key)
		return before, known
	}
	l.by[key] = now
	switch {
	case known:
	case len(l.ring) < labelsKept:
		l.ring = append(l.ring, key)
	default:
		delete(l.by, l.ring[l.next])
		l.ring[l.next] = key
		l.next = (l.next + 1) % labelsKept
	}
	return before, known
}
