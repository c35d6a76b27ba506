package bucket

import (
	"bytes"
	"cmp"
	"slices"

	"tributary/io/record"
)

// insertEngagements attaches each engagement to the id it names. Most copies name a view
// of another bucket and are passed over, but for those that the bucket owns, whose outcome
// it may have to report, and the duplicates of these.
func (j *Joiner) insertEngagements(b *Bucket) {
	n := len(b.Engagements)
	j.next = slices.Grow(j.next[:0], n)[:n]
	for i := range b.Engagements {
		if e := &b.Engagements[i]; j.owns(e, b.Index) {
			j.attach(i, j.ids.findOrInsert(e.Hash, e.ViewID))
		}
	}
	for i := range b.Engagements {
		if e := &b.Engagements[i]; !j.owns(e, b.Index) {
			if at, found := j.ids.find(e.Hash, e.ViewID); found {
				j.attach(i, at)
			}
		}
	}
}

// owns tells whether bucket index is the owner bucket of e: the last one in which its view may be.
func (j *Joiner) owns(e *Engagement, index int64) bool {
	return j.p.InBucket(index, j.p.SpanOf(e.Kind, e.Time, e.ViewTime).FoundTo)
}

func (j *Joiner) attach(engagement int, at int32) {
	e := &j.ids.entries[at]
	j.next[engagement] = e.engagements
	e.engagements = int32(engagement)
}

// gather fills j.group with the engagements of an id, duplicates next to one another.
func (j *Joiner) gather(b *Bucket, e *entry) {
	j.group = j.group[:0]
	for i := e.engagements; i >= 0; i = j.next[i] {
		j.group = append(j.group, i)
	}
	slices.SortFunc(j.group, func(x, y int32) int {
		g, h := &b.Engagements[x], &b.Engagements[y]
		j.steps++
		return cmp.Or(compareEvents(g, h), cmp.Compare(g.Time, h.Time), compareLog(g.Partition, g.Offset, h.Partition, h.Offset))
	})
}

// each calls visit for the engagements of the gathered group that were read while a
// view at viewTime was still open. One is a duplicate if it is the same event as the one
// before it: for a view that had closed by then, that one does not exist.
func (j *Joiner) each(b *Bucket, viewTime int64, visit func(at int, g *Engagement, duplicate bool)) {
	var previous *Engagement
	j.steps += int64(len(j.group))
	for at, index := range j.group {
		g := &b.Engagements[index]
		if g.ClosedThrough >= viewTime {
			continue
		}
		duplicate := previous != nil && compareEvents(previous, g) == 0 && g.Time-previous.Time <= j.p.DedupWindow
		previous = g
		visit(at, g, duplicate)
	}
}

// compareEvents gives 0 for two engagements of one view that are the same event: by their
// own ids, or, without one, if nothing tells them apart.
func compareEvents(g, h *Engagement) int {
	if c := cmp.Or(cmp.Compare(g.Kind, h.Kind), cmp.Compare(g.ViewTime, h.ViewTime), bytes.Compare(g.EventID, h.EventID)); c != 0 || g.EventID != nil {
		return c
	}
	return cmp.Or(cmp.Compare(g.Time, h.Time), compareValues(g.Value, h.Value))
}

func compareValues(v, w record.Value) int {
	return cmp.Or(cmp.Compare(v.Kind, w.Kind), cmp.Compare(v.Int, w.Int), cmp.Compare(v.Float, w.Float), bytes.Compare(v.Text, w.Text))
}
