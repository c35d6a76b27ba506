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
	final := j.p.Final()
	for i := range b.Engagements {
		if e := &b.Engagements[i]; final && j.owns(e, b.Index) {
			j.attach(i, j.ids.findOrInsert(e.Hash, e.ViewID, 0))
		}
	}
	for i := range b.Engagements {
		if e := &b.Engagements[i]; !final || !j.owns(e, b.Index) {
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
		return cmp.Or(compareEvents(g, h), cmp.Compare(g.Time, h.Time), g.compareLog(h))
	})
}

// each calls visit for the engagements of the gathered group that were read while a
// view at viewTime was still open for the stage of the cut. One is a duplicate if it is the same event as the one
// before it: for a view that had closed by then, that one does not exist.
func (j *Joiner) each(b *Bucket, viewTime int64, c *cut, visit func(at int, g *Engagement, duplicate bool)) {
	var previous *Engagement
	j.steps += int64(len(j.group))
	for at, index := range j.group {
		g := &b.Engagements[index]
		if g.ClosedThrough+c.ahead >= viewTime || j.lateFor(g, c) {
			continue
		}
		duplicate := previous != nil && compareEvents(previous, g) == 0 && g.Time-previous.Time <= j.p.DedupWindow
		previous = g
		visit(at, g, duplicate)
	}
}

// lateFor tells whether an engagement was late for all views that it may refer to, for the stage of a cut; for the stage at hand
// none is here that was.
func (j *Joiner) lateFor(g *Engagement, c *cut) bool {
	return c.ahead > 0 && g.ClosedThrough != record.NoTime && g.ClosedThrough+c.ahead >= j.p.SpanOf(g.Kind, g.Time, g.ViewTime).CountsTo
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
	if v.Kind == severalValues && w.Kind == severalValues {
		return compareSeveral(v, w)
	}
	return cmp.Or(cmp.Compare(v.Kind, w.Kind), cmp.Compare(v.Int, w.Int), cmp.Compare(v.Float, w.Float), bytes.Compare(v.Text, w.Text))
}
