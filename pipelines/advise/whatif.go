package advise

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// Kind is what a join makes of the engagements of one kind, as its accounts count them.
type Kind struct {
	Name string `json:"kind"`
	// Caught are those in the window of their view: accounts call them matched.
	Caught     Figure `json:"caught"`
	Outside    Figure `json:"outside_window"`
	Orphans    Figure `json:"orphans"`
	Duplicates Figure `json:"duplicates"`
	Late       Figure `json:"late"`
	// Positives are views with one that counts, FakeNegatives those without of which the data hold one all the same: late, or beyond the window
	// by less than the horizon. Nil where engagements name a key: which of the views one goes to is another question.
	Positives     *Figure `json:"positives,omitempty"`
	FakeNegatives *Figure `json:"fake_negatives,omitempty"`
}

// Outcome is what a join makes of all that was read.
type Outcome struct {
	// Samples are views that are kept, before negatives are sampled.
	Samples        Figure  `json:"samples"`
	DuplicateViews Figure  `json:"duplicate_views"`
	LateViews      Figure  `json:"late_views"`
	Positives      *Figure `json:"positives,omitempty"`
	Kinds          []Kind  `json:"kinds"`
}

// late is what is lost to lateness, of views and engagements.
func (o *Outcome) late() (n float64) {
	n = o.LateViews.N
	for i := range o.Kinds {
		n += o.Kinds[i].Late.N
	}
	return n
}

// whatIf judges what was read as a join with other times would.
type whatIf struct {
	p       rules.Params
	longest int64
	// horizon bounds what a fake negative may still have coming, in ms.
	horizon int64
	// tells says that positives are counted: engagements name a view, not a key.
	tells bool

	samples, duplicateViews, lateViews, positives tally
	kinds                                         []kindTallies

	// Of the group at hand: its views that are not late, the times of those that are kept, in order, which have a label, its engagements
	// that are not late, and what became of all.
	views       []event
	kept        []int64
	counting    []int32 // by kind, then view: how many more engagements count than for the view before it
	engagements []judged
	least       []int32 // of the engagements that one may be a duplicate of, those by which it is so for the most views
	coming      [][]coming
	counts      []kindCounts
}

type kindCounts struct{ caught, outside, orphans, duplicates, late float64 }

type kindTallies struct{ caught, outside, orphans, duplicates, late, positives, fakes tally }

// judged is an engagement that was not late for all views.
type judged struct {
	*event
	span   rules.Span
	closed int64 // views through that time had closed
	// before bounds the views that it is no duplicate for, inclusive: those at which all that it is a duplicate of was late.
	before    int64
	duplicate bool
}

// newWhatIf is of a join with these windows, by kind, this out-of-orderness, and by so much a record may be ahead of all others.
func newWhatIf(l *log, windows []int64, disorder, leap, horizon int64) *whatIf {
	w := &whatIf{p: l.base, horizon: horizon, tells: !l.base.Keyed()}
	w.p.Kinds = slices.Clone(l.base.Kinds)
	for i := range w.p.Kinds {
		w.p.Kinds[i].Window = windows[i]
	}
	w.p.OutOfOrderness, w.p.MaxFutureSkew = disorder, leap
	w.longest, w.kinds, w.counts = w.p.LongestWindow(), make([]kindTallies, len(windows)), make([]kindCounts, len(windows))
	return w
}

// closedThrough is the time through which views had closed before an event was read.
func (w *whatIf) closedThrough(e *event) int64 {
	reached := e.clock.Time(w.p.MaxFutureSkew)
	if reached == record.NoTime {
		return math.MinInt64
	}
	return reached - w.p.OutOfOrderness - w.longest
}

// judge judges all events of a name. They come in any order, and are left as they are.
func (w *whatIf) judge(group []event) {
	clear(w.counts)
	w.keepViews(group)
	w.gather(group)
	w.findDuplicates()
	n := len(w.kept) + 1
	w.counting = slices.Grow(w.counting[:0], n*len(w.kinds))[:n*len(w.kinds)]
	clear(w.counting)
	for i := range w.engagements {
		g := &w.engagements[i]
		c := &w.counts[g.kind]
		switch from, to := w.within(g.span.CountsFrom, g.span.CountsTo, g); {
		case from < to:
			c.caught++
			w.counting[int(g.kind)*n+from]++
			w.counting[int(g.kind)*n+to]--
		case g.duplicate:
			c.duplicates++
		case w.found(g):
			c.outside++
		case g.closed >= g.span.CountsFrom:
			c.late++
		default:
			c.orphans++
		}
	}
	for i := range w.counts {
		k, c := &w.kinds[i], &w.counts[i]
		k.caught.add(c.caught)
		k.outside.add(c.outside)
		k.orphans.add(c.orphans)
		k.duplicates.add(c.duplicates)
		k.late.add(c.late)
	}
	if w.tells {
		w.countPositives(group)
	}
}

// keepViews finds the views that become samples: those that are not late, nor duplicates of one before them.
func (w *whatIf) keepViews(group []event) {
	late := 0.0
	w.views, w.kept = w.views[:0], w.kept[:0]
	for i := range group {
		if e := &group[i]; e.kind == rules.Views {
			if w.closedThrough(e) >= e.time {
				late++
				continue
			}
			w.views = append(w.views, *e)
		}
	}
	if len(w.views) > 1 {
		slices.SortFunc(w.views, func(v, u event) int {
			return cmp.Or(cmp.Compare(v.own, u.own), cmp.Compare(v.time, u.time))
		})
	}
	duplicates := 0.0
	for i := range w.views {
		v := &w.views[i]
		if i > 0 && w.views[i-1].own == v.own && v.time-w.views[i-1].time <= w.p.DedupWindow {
			duplicates++
			continue
		}
		w.kept = append(w.kept, v.time)
	}
	slices.Sort(w.kept)
	w.samples.add(float64(len(w.kept)))
	w.duplicateViews.add(duplicates)
	w.lateViews.add(late)
}

// gather takes the engagements that are not late for all views, the same ones next to one another, and counts the others.
func (w *whatIf) gather(group []event) {
	w.engagements = w.engagements[:0]
	for i := range group {
		e := &group[i]
		if e.kind == rules.Views {
			continue
		}
		g := judged{event: e, span: w.p.SpanOf(int(e.kind), e.time, e.viewTime), closed: w.closedThrough(e), before: math.MaxInt64}
		switch {
		case g.span.CountsFrom > g.span.CountsTo:
			w.counts[e.kind].outside++
		case g.closed >= g.span.CountsTo:
			w.counts[e.kind].late++
		default:
			w.engagements = append(w.engagements, g)
		}
	}
	if len(w.engagements) > 1 {
		slices.SortFunc(w.engagements, func(g, h judged) int {
			return cmp.Or(cmp.Compare(g.kind, h.kind), cmp.Compare(g.own, h.own), cmp.Compare(g.time, h.time), g.compareLog(h.event))
		})
	}
}

// findDuplicates says of each engagement for which views it is a duplicate: those that were open when one of the same was read that came
// before it by no more than the dedup window.
func (w *whatIf) findDuplicates() {
	w.least = w.least[:0]
	for i := range w.engagements {
		g := &w.engagements[i]
		// In order of time, and of what they had closed: the first is what counts, and those after it once that is too long ago.
		first := 0
		for first < len(w.least) && !w.engagements[w.least[first]].sameAs(g, w.p.DedupWindow) {
			first++
		}
		w.least = slices.Delete(w.least, 0, first)
		if len(w.least) > 0 {
			g.duplicate, g.before = true, w.engagements[w.least[0]].closed
		}
		for n := len(w.least); n > 0 && w.engagements[w.least[n-1]].closed >= g.closed; n-- {
			w.least = w.least[:n-1]
		}
		w.least = append(w.least, int32(i))
	}
}

// sameAs tells whether one that comes later in order is a duplicate.
func (g *judged) sameAs(later *judged, window int64) bool {
	return g.kind == later.kind && g.own == later.own && later.time-g.time <= window
}

// within are those of the kept views, at times from to to, that an engagement found open, and is no duplicate for.
func (w *whatIf) within(from, to int64, g *judged) (first, last int) {
	if g.closed >= from {
		from = g.closed + 1
	}
	to = min(to, g.before)
	first = sort.Search(len(w.kept), func(i int) bool { return w.kept[i] >= from })
	last = sort.Search(len(w.kept), func(i int) bool { return w.kept[i] > to })
	return first, max(first, last)
}

func (w *whatIf) found(g *judged) bool {
	first, last := w.within(g.span.FoundFrom, g.span.FoundTo, g)
	return first < last
}

// countPositives counts the kept views with a label of each kind, with any, and those without one of which there is an engagement after all.
func (w *whatIf) countPositives(group []event) {
	w.comeOf(group)
	n := len(w.kept) + 1
	some := 0.0
	positives, fakes := make([]float64, len(w.kinds)), make([]float64, len(w.kinds))
	for i, t := range w.kept {
		labelled := false
		for k := range w.kinds {
			if i > 0 {
				w.counting[k*n+i] += w.counting[k*n+i-1]
			}
			switch {
			case w.counting[k*n+i] > 0:
				positives[k]++
				labelled = true
			case w.comes(k, t):
				fakes[k]++
			}
		}
		if labelled {
			some++
		}
	}
	w.positives.add(some)
	for k := range w.kinds {
		w.kinds[k].positives.add(positives[k])
		w.kinds[k].fakes.add(fakes[k])
	}
}

// coming is an engagement, as far as it may make a fake negative.
type coming struct{ viewTime, time int64 }

// comeOf puts the engagements of a group in order, by kind.
func (w *whatIf) comeOf(group []event) {
	if w.coming == nil {
		w.coming = make([][]coming, len(w.kinds))
	}
	for k := range w.coming {
		w.coming[k] = w.coming[k][:0]
	}
	for i := range group {
		if e := &group[i]; e.kind != rules.Views {
			w.coming[e.kind] = append(w.coming[e.kind], coming{e.viewTime, e.time})
		}
	}
	for _, all := range w.coming {
		if len(all) > 1 {
			slices.SortFunc(all, coming.compare)
		}
	}
}

func (c coming) compare(d coming) int {
	return cmp.Or(cmp.Compare(c.viewTime, d.viewTime), cmp.Compare(c.time, d.time))
}

// comes tells whether a view has an engagement of a kind within the horizon, be it late: one that carries no view's time, or one near its own.
func (w *whatIf) comes(kind int, viewTime int64) bool {
	all, from := w.coming[kind], viewTime-w.p.ClockSkew
	within := func(at int) bool { return at < len(all) && all[at].time >= from && all[at].time < viewTime+w.horizon }
	if at, _ := slices.BinarySearchFunc(all, coming{record.NoTime, from}, coming.compare); at < len(all) && all[at].viewTime == record.NoTime && within(at) {
		return true
	}
	at, _ := slices.BinarySearchFunc(all, coming{from, math.MinInt64}, coming.compare)
	for ; at < len(all) && all[at].viewTime <= viewTime+w.p.ClockSkew; at++ {
		if within(at) {
			return true
		}
	}
	return false
}

// outcome is what it has made of all.
func (w *whatIf) outcome(l *log) Outcome {
	figure := func(t tally) Figure { return t.figure(l.kept) }
	o := Outcome{Samples: figure(w.samples), DuplicateViews: figure(w.duplicateViews), LateViews: figure(w.lateViews)}
	if w.tells {
		o.Positives = new(figure(w.positives))
	}
	for i := range w.kinds {
		k := &w.kinds[i]
		one := Kind{
			Name: w.p.Kinds[i].Name, Caught: figure(k.caught), Outside: figure(k.outside), Orphans: figure(k.orphans), Duplicates: figure(k.duplicates), Late: figure(k.late),
		}
		if w.tells {
			one.Positives, one.FakeNegatives = new(figure(k.positives)), new(figure(k.fakes))
		}
		o.Kinds = append(o.Kinds, one)
	}
	return o
}
