package attribution

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/zeebo/xxh3"

	"tributary/io/event"
	"tributary/transforms/sample"
)

// View is one view of a bucket.
type View struct {
	ID        []byte
	Hash      uint64 // hashID(ID)
	Time      int64
	Partition int32
	Offset    int64
	Payload   []byte
	// Stub says that only the view's existence matters here: it lies before the slice,
	// or in an earlier bucket, where it makes later views with its id duplicates.
	Stub        bool
	PayloadHash uint64 // of a stub, whose payload is not here
}

// Engagement is one engagement that may refer to views of a bucket.
type Engagement struct {
	Kind      int
	ViewID    []byte
	Hash      uint64 // hashID(ViewID)
	Time      int64
	Partition int32
	Offset    int64
	// Floor: views at or before it had closed when the engagement was read.
	Floor    int64
	ViewTime int64  // event.NoTime if it does not carry one
	EventID  []byte // nil if it has none
	Value    event.Value
}

// Bucket is all that one (shard, bucket) holds, in any order.
type Bucket struct {
	Index       int64
	Views       []View
	Engagements []Engagement
}

// Reset empties the bucket and keeps its memory.
func (b *Bucket) Reset(index int64) {
	b.Index, b.Views, b.Engagements = index, b.Views[:0], b.Engagements[:0]
}

// Output takes what a joined bucket gives. What it is handed is valid for the call.
type Output interface {
	// Sample takes the samples in order of (view time, view ID).
	Sample(s *sample.Sample)
	// SampledOut counts a negative that was not kept.
	SampledOut()
	// DuplicateView counts a duplicate; differing if its payload was another.
	DuplicateView(differing bool)
	// Sighting takes what became of an engagement in this bucket.
	Sighting(e *Engagement, s Sighting)
}

// Sighting is what one bucket knows of an engagement. An engagement that carries no
// view time is in several buckets, and only all of them together know its fate.
type Sighting struct {
	// Home: this is the one bucket that speaks for the engagement even if it saw nothing.
	Home bool
	// Final: no other bucket has anything to add.
	Final bool
	Seen  Seen
}

// Seen is what became of an engagement in a bucket; larger ones outrank smaller ones.
type Seen uint8

// What a bucket can see of an engagement.
const (
	SeenNothing   Seen = iota // its view is not here
	SeenOutside               // its view is here, but not with it in the window
	SeenDuplicate             // the same event came before, and no view counts this one instead
	SeenMatched               // it counts, or another one was credited in its place
)

// Joiner joins buckets. It keeps its memory from one bucket to the next; not for
// concurrent use.
//
// With n views and m engagements in the bucket: O((n+m) log(n+m)) time however they
// are spread over ids, and about 100 bytes a view beside the payloads.
type Joiner struct {
	p       *Params
	longest int64

	keys     []uint64 // of views, for sorting: time, index
	order    []timed
	ids      index
	next     []int32 // of an engagement: the next one that names the same view, or -1
	group    []int32 // engagements of one id
	seen     []Seen  // of the group
	counting []*Engagement
	sample   sample.Sample
}

// timed is a view's place in the order of samples, with the time at hand for sorting.
type timed struct {
	time  int64
	index int32
	entry int32
	// next is the position in order of the next view with the same id, or -1.
	next      int32
	duplicate bool
}

// NewJoiner returns a Joiner for p, which must be valid and not change.
func NewJoiner(p *Params) *Joiner {
	return &Joiner{p: p, longest: p.longestWindow(), sample: sample.Sample{Labels: make([]sample.Label, len(p.Kinds))}}
}

// Join joins the views of b with its engagements. The result does not depend on the
// order in which they stand in b.
func (j *Joiner) Join(b *Bucket, out Output) {
	j.insertViews(b, out)
	j.insertEngagements(b)
	j.reportSightings(b, out)
	for i := range j.order {
		t := &j.order[i]
		if v := &b.Views[t.index]; !t.duplicate && !v.Stub {
			j.emit(b, v, &j.ids.entries[t.entry], out)
		}
	}
}

// insertViews puts the views in order and finds duplicates: of two views with one id that
// lie at most DuplicatesWithin apart the earlier one is kept, or, if they have the same
// time, the first in log order.
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
			e.firstView, e.lastView, e.keptView = int32(i), int32(i), int32(i)
			continue
		}
		last := &j.order[e.lastView]
		t.duplicate = v.Time-last.time <= j.p.DuplicatesWithin
		last.next, e.lastView = int32(i), int32(i)
		if !t.duplicate {
			e.keptView = int32(i)
		} else if !v.Stub {
			kept := &b.Views[j.order[e.keptView].index]
			out.DuplicateView(kept.payloadHash() != v.payloadHash())
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
	slices.Sort(j.keys)
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
	if v.Stub {
		return v.PayloadHash
	}
	return xxh3.Hash(v.Payload)
}

// insertEngagements hangs each engagement on the id it names. Most copies name a view
// of another bucket and are passed over, but for those at home, whose fate may
// have to be told here, and the duplicates of these.
func (j *Joiner) insertEngagements(b *Bucket) {
	n := len(b.Engagements)
	j.next = slices.Grow(j.next[:0], n)[:n]
	for i := range b.Engagements {
		if e := &b.Engagements[i]; j.home(e, b.Index) {
			j.hang(i, j.ids.findOrInsert(e.Hash, e.ViewID))
		}
	}
	for i := range b.Engagements {
		if e := &b.Engagements[i]; !j.home(e, b.Index) {
			if at, found := j.ids.find(e.Hash, e.ViewID); found {
				j.hang(i, at)
			}
		}
	}
}

// home tells whether bucket index speaks for e: the last one in which its view may be.
func (j *Joiner) home(e *Engagement, index int64) bool {
	return j.p.bucketOf(j.p.spanOf(e.Kind, e.Time, e.ViewTime).foundTo) == index
}

func (j *Joiner) hang(engagement int, at int32) {
	e := &j.ids.entries[at]
	j.next[engagement] = e.engagements
	e.engagements = int32(engagement)
}

// reportSightings says of every engagement what this bucket saw of it.
func (j *Joiner) reportSightings(b *Bucket, out Output) {
	for i := range j.ids.entries {
		e := &j.ids.entries[i]
		if e.engagements < 0 {
			continue
		}
		j.gather(b, e)
		j.seen = slices.Grow(j.seen[:0], len(j.group))[:len(j.group)]
		clear(j.seen)
		j.each(b, event.MaxTime, func(at int, _ *Engagement, shadowed bool) {
			if shadowed {
				j.seen[at] = SeenDuplicate
			}
		})
		for t := e.firstView; t >= 0; t = j.order[t].next {
			// A stub of an earlier bucket is judged there.
			v := &b.Views[j.order[t].index]
			if j.order[t].duplicate || j.p.bucketOf(v.Time) != b.Index {
				continue
			}
			j.each(b, v.Time, func(at int, g *Engagement, shadowed bool) {
				if !shadowed {
					j.seen[at] = max(j.seen[at], j.see(v, g))
				}
			})
		}
		for at, index := range j.group {
			j.report(b, &b.Engagements[index], j.seen[at], out)
		}
	}
}

// gather fills j.group with the engagements of an id, duplicates next to one another.
func (j *Joiner) gather(b *Bucket, e *entry) {
	j.group = j.group[:0]
	for i := e.engagements; i >= 0; i = j.next[i] {
		j.group = append(j.group, i)
	}
	slices.SortFunc(j.group, func(x, y int32) int {
		g, h := &b.Engagements[x], &b.Engagements[y]
		return cmp.Or(compareEvents(g, h), cmp.Compare(g.Time, h.Time), compareLog(g.Partition, g.Offset, h.Partition, h.Offset))
	})
}

// each calls visit for the engagements of the gathered group that were read while a
// view at viewTime was still open. One is shadowed if it is the same event as the one
// before it: for a view that had closed by then, that one does not exist.
func (j *Joiner) each(b *Bucket, viewTime int64, visit func(at int, g *Engagement, shadowed bool)) {
	var previous *Engagement
	for at, index := range j.group {
		g := &b.Engagements[index]
		if g.Floor >= viewTime {
			continue
		}
		shadowed := previous != nil && compareEvents(previous, g) == 0 && g.Time-previous.Time <= j.p.DuplicatesWithin
		previous = g
		visit(at, g, shadowed)
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

func compareValues(v, w event.Value) int {
	return cmp.Or(cmp.Compare(v.Kind, w.Kind), cmp.Compare(v.Int, w.Int), cmp.Compare(v.Float, w.Float), bytes.Compare(v.Text, w.Text))
}

// see judges one engagement by one view with the id it names that had not closed.
func (j *Joiner) see(v *View, g *Engagement) Seen {
	s := j.p.spanOf(g.Kind, g.Time, g.ViewTime)
	switch {
	case v.Time < s.foundFrom || v.Time > s.foundTo:
		return SeenNothing
	case v.Time-j.p.ClockSkew <= g.Time && g.Time < v.Time+j.p.Kinds[g.Kind].Window:
		return SeenMatched
	default:
		return SeenOutside
	}
}

func (j *Joiner) report(b *Bucket, g *Engagement, seen Seen, out Output) {
	s := j.p.spanOf(g.Kind, g.Time, g.ViewTime)
	home := j.p.bucketOf(s.foundTo) == b.Index
	if !home && (seen == SeenNothing || seen == SeenDuplicate) {
		return // home knows as much: duplicates meet there
	}
	alone := j.p.bucketOf(max(s.foundFrom, g.Floor+1)) == b.Index
	out.Sighting(g, Sighting{Home: home, Final: home && (alone || seen == SeenMatched), Seen: seen})
}

// emit labels one view and hands out its sample, unless it is a negative not kept.
func (j *Joiner) emit(b *Bucket, v *View, e *entry, out Output) {
	s := &j.sample
	s.ViewID, s.ViewTime, s.View = v.ID, v.Time, v.Payload
	clear(s.Labels)
	s.Positive = e.engagements >= 0 && j.label(b, v, e)
	s.Rate, s.Weight = 1, 1
	if !s.Positive && j.p.Keep < 1 {
		if !keeps(v.Hash, j.p.Keep) {
			out.SampledOut()
			return
		}
		s.Rate, s.Weight = j.p.Keep, 1/j.p.Keep
	}
	s.Maturity = j.longest
	if j.p.LogEnd != NoLogEnd {
		s.Maturity = max(0, min(j.longest, j.p.LogEnd-v.Time))
	}
	out.Sample(s)
}

// label sets the labels of v and tells whether anything counts for it.
func (j *Joiner) label(b *Bucket, v *View, e *entry) (positive bool) {
	j.gather(b, e)
	j.counting = j.counting[:0]
	j.each(b, v.Time, func(_ int, g *Engagement, shadowed bool) {
		if !shadowed && j.see(v, g) == SeenMatched {
			j.counting = append(j.counting, g)
		}
	})
	slices.SortFunc(j.counting, func(g, h *Engagement) int {
		return cmp.Or(cmp.Compare(g.Kind, h.Kind), cmp.Compare(g.Time, h.Time), compareLog(g.Partition, g.Offset, h.Partition, h.Offset))
	})
	for rest := j.counting; len(rest) > 0; {
		kind, n := rest[0].Kind, 1
		for n < len(rest) && rest[n].Kind == kind {
			n++
		}
		credited := rest[:n]
		switch j.p.Kinds[kind].Credit {
		case CreditFirst:
			credited = rest[:1]
		case CreditLast:
			credited = rest[n-1 : n]
		case CreditAll:
		}
		fold(&j.sample.Labels[kind], v, credited)
		rest = rest[n:]
	}
	return len(j.counting) > 0
}

// fold makes the label of one kind from the engagements credited, in order of time.
func fold(l *sample.Label, v *View, credited []*Engagement) {
	l.Count = int64(len(credited))
	l.Delay = max(0, credited[0].Time-v.Time)
	l.First, l.Last = credited[0].Value, credited[len(credited)-1].Value
	for _, g := range credited {
		f, ok := g.Value.Number()
		if !ok {
			continue
		}
		if l.Numbers == 0 {
			l.Min, l.Max = f, f
		}
		l.Numbers++
		l.Sum += f
		l.Min, l.Max = min(l.Min, f), max(l.Max, f)
	}
}

// keeps decides by the view's hash alone, so that every run and every copy agrees.
func keeps(hash uint64, rate float64) bool {
	return float64(mix(hash)>>11)/(1<<53) < rate
}

// mix makes a hash independent of the one shards are chosen by (splitmix64's finalizer).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashID(id []byte) uint64 { return xxh3.Hash(id) }

func compareLog(partition int32, offset int64, otherPartition int32, otherOffset int64) int {
	return cmp.Or(cmp.Compare(partition, otherPartition), cmp.Compare(offset, otherOffset))
}

// SampleOf is one view in how many InSample takes, for figures too dear to compute exactly.
const SampleOf = 256

// InSample tells whether a view is one of the 1 in SampleOf looked at more closely. It
// depends on the id alone.
func InSample(id []byte) bool { return mix(hashID(id)^0x5851f42d4c957f2d)%SampleOf == 0 }
