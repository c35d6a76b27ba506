package bucket

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/zeebo/xxh3"
)

// timed is a view's place in the order of samples, with the time at hand for sorting.
type timed struct {
	time  int64
	index int32
	entry int32
	// next is the position in order of the next view with the same id, or -1.
	next      int32
	duplicate bool
}

// insertViews puts the views in order and finds duplicates: a view is one if the view with
// its id before it, be that a duplicate itself, lies at most DedupWindow before it. The
// first of such a chain is kept; of views with the same time that is the first in log order.
// Only so can a bucket tell, which knows the views that far back and no others.
func (j *Joiner) insertViews(b *Bucket, out Output) {
	n := len(b.Views)
	j.sortViews(b.Views)
	j.ids.reset(n + len(b.Engagements)/8)
	for i := range j.order {
		t := &j.order[i]
		v := &b.Views[t.index]
		at := j.ids.findOrInsert(v.Hash, v.ID)
		e := &j.ids.entries[at]
		t.entry = at
		if e.firstView < 0 {
			e.firstView, e.lastView = int32(i), int32(i)
			e.keep(int32(i))
			continue
		}
		last := &j.order[e.lastView]
		t.duplicate = v.Time-last.time <= j.p.DedupWindow
		last.next, e.lastView = int32(i), int32(i)
		if !t.duplicate {
			e.keep(int32(i))
			if !v.DedupMarker {
				out.ResentView()
			}
		} else if !v.DedupMarker {
			kept := &b.Views[j.order[e.keptView].index]
			if !e.keptHashed {
				e.keptHash, e.keptHashed = kept.payloadHash(), true
			}
			out.DuplicateView(e.keptHash != v.payloadHash(), v.Time-kept.Time > j.p.DedupWindow)
		}
	}
}

// sortViews fills j.order with the views in order of (time, id, log). Times come first as
// plain integers, which sort several times faster than anything compared by a function;
// only views of one millisecond are compared in full.
func (j *Joiner) sortViews(views []View) {
	j.order = slices.Grow(j.order[:0], len(views))
	if len(views) == 0 {
		return
	}
	earliest := views[0].Time
	for i := range views {
		earliest = min(earliest, views[i].Time)
	}
	j.keys = slices.Grow(j.keys[:0], len(views))
	for i := range views {
		// Both halves fit: a bucket spans a day or so, less than 2^32 ms, and its views
		// are indexed by int32.
		j.keys = append(j.keys, uint64(views[i].Time-earliest)<<32|uint64(i))
	}
	j.keys, j.room = sortTimes(j.keys, j.room)
	for _, key := range j.keys {
		i := int32(key & (1<<32 - 1))
		j.order = append(j.order, timed{time: views[i].Time, index: i, next: -1})
	}
	for from := 0; from < len(j.order); {
		to := from + 1
		for to < len(j.order) && j.order[to].time == j.order[from].time {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(j.order[from:to], func(x, y timed) int {
				v, w := &views[x.index], &views[y.index]
				return cmp.Or(bytes.Compare(v.ID, w.ID), compareLog(v.Partition, v.Offset, w.Partition, w.Offset))
			})
		}
		from = to
	}
}

func (v *View) payloadHash() uint64 {
	if v.DedupMarker {
		return v.PayloadHash
	}
	return xxh3.Hash(v.Payload)
}
