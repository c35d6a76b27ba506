package bucket

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"

	"tributary/transforms/attribution/rules"
)

// oddHash spreads the ids of different keys.
const oddHash = 0x9e3779b97f4a7c15

// timed is a view's place in the order of samples, with the time at hand for sorting.
type timed struct {
	time  int64
	index int32
	entry int32
	// next is the position in order of the next view with the same id or key, or -1.
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
	if j.keyed {
		j.own.reset(n)
	}
	for i := range j.order {
		t := &j.order[i]
		v := &b.Views[t.index]
		t.entry = j.ids.findOrInsert(v.Hash, v.Name(), 0)
		e := &j.ids.entries[t.entry]
		if e.firstView < 0 {
			e.firstView = int32(i)
		} else {
			j.order[e.lastView].next = int32(i)
		}
		e.lastView = int32(i)
		if j.keyed { // ids are told apart within a key
			e = &j.own.entries[j.own.findOrInsert(rules.HashID(v.ID)^v.Hash*oddHash, v.ID, t.entry)]
		}
		before := e.lastOwn
		e.lastOwn = int32(i)
		if j.sharing != nil {
			v.twin = before
		}
		if before < 0 {
			e.keep(int32(i))
			continue
		}
		t.duplicate = v.Time-j.order[before].time <= j.p.DedupWindow
		if !t.duplicate {
			e.keep(int32(i))
			if !v.DedupMarker {
				out.ResentView()
			}
			continue
		}
		kept := &b.Views[j.order[e.keptView].index]
		switch {
		case kept.Known && !v.Known: // the first that can be held against others
			e.keep(int32(i))
		case !v.DedupMarker:
			differing := false
			if j.p.Final() { // which alone tells
				if !e.keptHashed {
					e.keptHash, e.keptHashed = kept.payloadHash(), true
				}
				differing = e.keptHash != v.payloadHash()
			}
			out.DuplicateView(differing, v.Time-kept.Time > j.p.DedupWindow)
		}
	}
	for i := range b.Markers {
		j.mark(b, &b.Markers[i], out)
	}
}

// mark makes the first views of a hash duplicates of one before the bucket. Those after them have one in the bucket before
// them, by which they are judged.
func (j *Joiner) mark(b *Bucket, m *Marker, out Output) {
	for at := range j.ids.ofHash(m.Hash) {
		first := &j.order[j.ids.entries[at].firstView]
		if !first.duplicate && m.Time < first.time && first.time-m.Time <= j.p.DedupWindow {
			if first.duplicate = true; !b.Views[first.index].DedupMarker {
				out.DuplicateView(false, false)
			}
		}
	}
}

// sortViews fills j.order with the views in order of (time, id, log). Times come first as
// plain integers, which sort several times faster than anything compared by a function;
// only views of one millisecond, or of some where they span months, are compared in full.
func (j *Joiner) sortViews(views []View) {
	j.order = slices.Grow(j.order[:0], len(views))
	if len(views) == 0 {
		return
	}
	earliest, latest := views[0].Time, views[0].Time
	for i := range views {
		earliest, latest = min(earliest, views[i].Time), max(latest, views[i].Time)
	}
	// Half a key holds 49 days of times. Where views span more, as those of a bucket and what they share engagements with may, it
	// holds times without their last bits, of which those that are alike then are compared in full as well.
	coarse := max(0, bits.Len64(uint64(latest-earliest))-32)
	j.keys = slices.Grow(j.keys[:0], len(views))
	for i := range views {
		// Both halves fit: views are indexed by int32.
		j.keys = append(j.keys, uint64(views[i].Time-earliest)>>coarse<<32|uint64(i))
	}
	j.keys, j.room = sortTimes(j.keys, j.room)
	for _, key := range j.keys {
		i := int32(key & (1<<32 - 1))
		j.order = append(j.order, timed{time: views[i].Time, index: i, next: -1})
	}
	at := func(i int) int64 { return (j.order[i].time - earliest) >> coarse }
	for from := 0; from < len(j.order); {
		to := from + 1
		for to < len(j.order) && at(to) == at(from) {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(j.order[from:to], func(x, y timed) int {
				v, w := &views[x.index], &views[y.index]
				return cmp.Or(cmp.Compare(v.Time, w.Time), bytes.Compare(v.ID, w.ID), v.compareLog(w))
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
