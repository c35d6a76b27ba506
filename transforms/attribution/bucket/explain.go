package bucket

import "tributary/io/record"

// PairFate is what an engagement is to a view of the id or key that it names.
type PairFate string

// What an engagement is to a view.
const (
	// PairCounts: the label has it, or its part of it.
	PairCounts PairFate = "counts"
	// PairSuperseded: it is in the window, and the kind counts only the first, or the last, which is another.
	PairSuperseded PairFate = "superseded"
	// PairDuplicate: it is the same event as another one.
	PairDuplicate PairFate = "duplicate"
	// PairClosed: the view had closed when it was read, for the stage.
	PairClosed PairFate = "closed"
	// PairBefore and PairAfter: it is earlier than the view, or after its window.
	PairBefore PairFate = "before"
	PairAfter  PairFate = "after"
	// PairNotNamed: it carries the time of another view.
	PairNotNamed PairFate = "not_named"
	// PairElsewhere: it counts for another view of its key; PairNowhere: for none, as its kind counts only after another.
	PairElsewhere PairFate = "elsewhere"
	PairNowhere   PairFate = "nowhere"
)

// Explainer takes what became of the views and engagements of a bucket, one by one. What it is handed is valid for the call.
type Explainer interface {
	// View takes a view of the bucket that is no duplicate; nth is its place, from 0, among those of which Join has told an Output whether
	// they have a sample. It returns whether Pair is to take its pairs.
	View(v *View, nth int) (pairs bool)
	// Duplicate takes a view that is one; of is what it is a duplicate of, which may lie in a bucket before, or nil where that is known by
	// its hash alone.
	Duplicate(v, of *View)
	// Pair takes, of a view that is no duplicate, an engagement that names it, with the one that it is a duplicate of, or that counts in
	// its place, or the view that it counts for instead.
	Pair(v *View, g *Engagement, fate PairFate, of *Engagement, instead *View)
	// Repeated takes an engagement that is the same event as another one, for views that are open for both.
	Repeated(g, of *Engagement)
}

// Explain explains the bucket that was joined last.
func (j *Joiner) Explain(b *Bucket, to Explainer) {
	nth, n := make([]int, len(j.order)), 0
	for i := range j.order {
		if t := &j.order[i]; !t.duplicate && !b.Views[t.index].DedupMarker {
			nth[i] = n
			n++
		}
	}
	for at := range j.ids.entries {
		e := &j.ids.entries[at]
		j.gather(b, e)
		var first *Engagement
		j.each(b, record.MaxTime, &j.now, func(_ int, g *Engagement, duplicate bool) {
			if duplicate {
				to.Repeated(g, first)
			} else {
				first = g
			}
		})
		kept := map[string]*View{}
		for i := e.firstView; i >= 0; i = j.order[i].next {
			t := &j.order[i]
			v := &b.Views[t.index]
			of := kept[string(v.ID)]
			if !t.duplicate {
				kept[string(v.ID)] = v
			}
			if v.DedupMarker || !j.p.InBucket(b.Index, v.Time) {
				continue
			}
			if t.duplicate {
				to.Duplicate(v, of)
			} else if to.View(v, nth[i]) {
				j.explainPairs(b, v, int32(at), to)
			}
		}
	}
}

// explainPairs does so for the gathered group and one of its views.
func (j *Joiner) explainPairs(b *Bucket, v *View, at int32, to Explainer) {
	j.count(b, v, at, &j.now)
	counts, instead := map[*Engagement]bool{}, map[int]*Engagement{}
	j.eachCredited(func(kind int, credited []*Engagement) {
		instead[kind] = credited[0]
		for _, g := range credited {
			counts[g] = true
		}
	})
	open := map[*Engagement]bool{}
	var first *Engagement
	j.each(b, v.Time, &j.now, func(at int, g *Engagement, duplicate bool) {
		open[g] = true
		if duplicate {
			to.Pair(v, g, PairDuplicate, first, nil)
			return
		}
		first = g
		switch j.classify(v, g) {
		case OutcomeMatched:
			switch {
			case counts[g]:
				to.Pair(v, g, PairCounts, nil, nil)
			case j.sharing == nil || j.sharing.credits(v, j.group[at], &j.now) > 0:
				to.Pair(v, g, PairSuperseded, instead[g.Kind], nil)
			default:
				if w := j.sharer(b, g, j.group[at]); w != nil {
					to.Pair(v, g, PairElsewhere, nil, w)
				} else {
					to.Pair(v, g, PairNowhere, nil, nil)
				}
			}
		case OutcomeOutside:
			if g.Time < v.Time {
				to.Pair(v, g, PairBefore, nil, nil)
			} else {
				to.Pair(v, g, PairAfter, nil, nil)
			}
		default:
			to.Pair(v, g, notFound(v, g), nil, nil)
		}
	})
	for _, index := range j.group {
		if g := &b.Engagements[index]; !open[g] {
			to.Pair(v, g, PairClosed, nil, nil)
		}
	}
}

// notFound is what an engagement is to a view that it is not looked up under.
func notFound(v *View, g *Engagement) PairFate {
	switch {
	case g.ViewTime != record.NoTime:
		return PairNotNamed
	case g.Time < v.Time:
		return PairBefore
	default:
		return PairAfter
	}
}

// sharer is the first view of the bucket that an engagement which is shared out counts for.
func (j *Joiner) sharer(b *Bucket, g *Engagement, index int32) *View {
	at, found := j.ids.find(g.Hash, g.ViewID)
	if !found {
		return nil
	}
	for i := j.ids.entries[at].firstView; i >= 0; i = j.order[i].next {
		if w := &b.Views[j.order[i].index]; !j.order[i].duplicate && j.sharing.credits(w, index, &j.now) > 0 && j.classify(w, g) == OutcomeMatched {
			return w
		}
	}
	return nil
}

// Parts is in how many parts an engagement is shared out among the views that it counts for, once Pair has taken it as one that counts.
func (g *Engagement) Parts() int32 { return max(1, g.of) }
