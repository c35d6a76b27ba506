package generate

import (
	"cmp"
	"slices"
	"time"

	"tributary/pipelines/spec"
)

// chunkViews is how many views are made in one go. It has no influence on the files,
// unless records arrive in the same millisecond: then those of earlier chunks go first.
const chunkViews = 1 << 14

// model is a Config in milliseconds, with what follows from it.
type model struct {
	Config
	clock                                  clock
	outOfOrderness, skew, disorder, within int64
	windows                                []int64
	longest                                int64
	// leap is how far ahead one record alone moves the watermark; see record.Clock.
	leap int64
	// horizon is how long after a view its engagements may come and still be known to
	// be its, in or outside the window: the join finds views of engagements that long
	// after them, whatever the disorder.
	horizon int64
}

func newModel(c Config) *model {
	m := &model{
		Config: c, clock: newClock(c.Start, c.Duration, c.Diurnal),
		outOfOrderness: c.OutOfOrderness.Milliseconds(), skew: c.ClockSkew.Milliseconds(),
		disorder: c.Disorder.Milliseconds(), within: c.DuplicatesWithin.Milliseconds(),
	}
	for _, k := range c.Kinds {
		m.windows = append(m.windows, k.Window.Milliseconds())
	}
	m.longest = slices.Max(m.windows)
	m.leap = spec.UsualFutureSkew(c.OutOfOrderness).Milliseconds()
	m.horizon = m.longest + m.outOfOrderness - m.disorder
	return m
}

// chunks is how many chunks there are.
func (m *model) chunks() int64 { return (m.Views + chunkViews - 1) / chunkViews }

// teller makes up what happens to views. Not for concurrent use.
type teller struct {
	*model
	dice *dice // of the view at hand
	side *dice // for single values
	out  *chunk
	seq  uint32
}

func newTeller(m *model) *teller { return &teller{model: m, dice: newDice(), side: newDice()} }

// chunk makes chunk number n.
func (t *teller) chunk(n int64) *chunk {
	from, to := n*chunkViews, min((n+1)*chunkViews, t.Views)
	t.out = &chunk{views: make([][]rec, t.Partitions), engagements: make([][]rec, t.Partitions)}
	t.out.end = t.clock.at(float64(to)/float64(t.Views)) - t.skew - 1
	t.out.rows = make([]row, 0, to-from)
	t.out.labels = make([]trueLabel, 0, int(to-from)*len(t.Kinds))
	t.seq = 0
	for view := from; view < to; view++ {
		t.tell(view)
	}
	for _, partitions := range [][][]rec{t.out.views, t.out.engagements} {
		for _, records := range partitions {
			slices.SortFunc(records, compareArrival)
		}
	}
	return t.out
}

func compareArrival(a, b rec) int {
	return cmp.Or(cmp.Compare(a.arrival, b.arrival), cmp.Compare(a.seq, b.seq))
}

// tell makes up one view and all that comes of it.
func (t *teller) tell(view int64) {
	t.dice.place(t.Seed, topicTime, view)
	at := t.clock.at((float64(view) + t.dice.Float64()) / float64(t.Views))
	t.dice.place(t.Seed, topicStory, view)

	v := rec{time: at, view: view, arrival: at + t.dice.upTo(t.disorder), fate: fateSample}
	if t.dice.chance(t.Late) {
		v.arrival, v.held = at+t.longest+t.outOfOrderness, true
		if t.Order == OrderFile {
			v.fate = fateLate
		}
	}
	t.add(t.out.views, v)
	if !v.held && t.dice.chance(t.Duplicates) {
		t.add(t.out.views, t.copyOfView(v))
	}
	if t.dice.chance(t.Malformed) {
		t.add(t.out.views, t.malformed(view, at))
	}
	if v.fate == fateSample {
		t.out.rows = append(t.out.rows, row{view: view, time: at})
		t.out.labels = append(t.out.labels, make([]trueLabel, len(t.Kinds))...)
	}
	for kind := range t.Kinds {
		chance := t.Kinds[kind].Rate
		for n := 0; n < maxRepeats && t.dice.chance(chance); n++ {
			t.engage(&v, kind, n)
			chance = t.Kinds[kind].Repeat
		}
	}
}

// add gives a record its place in its partition.
func (t *teller) add(partitions [][]rec, r rec) {
	r.seq = t.seq
	t.seq++
	p := r.view % int64(t.Partitions)
	partitions[p] = append(partitions[p], r)
}

// copyOfView writes a view a second time: as it was, or once more from the start, a
// little later and with another payload.
func (t *teller) copyOfView(v rec) rec {
	if t.dice.Uint64()%2 == 0 {
		v.fate = fateDuplicate
		v.arrival += t.dice.upTo(v.time + t.disorder - v.arrival)
		return v
	}
	v.fate = fateDuplicateDiffering
	v.time += t.dice.upTo(t.within)
	// One with the same time must come after the view, for the first in the log wins.
	v.arrival = max(v.arrival, v.time+t.dice.upTo(t.disorder))
	return v
}

// malformed is a record that was to be one about the view, in the order of arrival: its
// time must not reach further than those around it, should anyone read it.
func (t *teller) malformed(view, at int64) rec {
	fault := faultNoID + fault(t.dice.IntN(3))
	return rec{time: at, view: broken(view), viewTime: at, arrival: at, fate: fateDead, fault: fault}
}

// engage makes up the n-th engagement of a kind with the view v, and its company.
func (t *teller) engage(v *rec, kind, n int) {
	at := v.time + t.delay(kind)
	e := rec{
		time: at, view: v.view, viewTime: v.time, arrival: at + t.dice.upTo(t.disorder),
		kind: uint8(kind), repeat: uint8(n), fate: t.fateOf(v, kind, at),
	}
	// Where its own claim says that it cannot count, nobody asks after its view, nor after
	// other copies: company would only share its fate.
	alone := t.hopeless(kind, at-v.time)
	if !alone && t.dice.chance(t.Late) {
		t.hold(&e)
	}
	t.add(t.out.engagements, e)
	if e.fate == fateMatched {
		labels := t.out.labels[len(t.out.labels)-len(t.Kinds):]
		labels[kind].add(at-v.time, t.side.amount(t.Seed, t.Kinds[kind].Amount, eventKey(&e)))
	}
	if !alone && !e.held && t.dice.chance(t.Duplicates) {
		again := e
		again.fate = fateDuplicate
		again.arrival += t.dice.upTo(e.time + t.disorder - e.arrival)
		t.add(t.out.engagements, again)
	}
	if !alone && t.dice.chance(t.Orphans) {
		orphan := e
		orphan.view, orphan.fate, orphan.held = ghost(v.view), fateOrphan, false
		orphan.arrival = at + t.dice.upTo(t.disorder)
		t.add(t.out.engagements, orphan)
	}
	if t.dice.chance(t.Malformed) {
		m := t.malformed(v.view, v.time)
		m.kind, m.repeat = uint8(kind), uint8(n)
		t.add(t.out.engagements, m)
	}
}

// delay draws how long after its view an engagement comes, in ms.
func (t *teller) delay(kind int) int64 {
	x, k := t.dice.Float64(), &t.Kinds[kind]
	switch {
	case x < t.Edges:
		return t.edge(kind)
	case x < t.Edges+t.Early:
		return -1 - t.dice.upTo(t.skew-1)
	default:
		median := float64(k.Median) / float64(time.Millisecond)
		return t.dice.delay(median, k.Sigma, t.horizon)
	}
}

// edge draws one of the delays next to which the fate of an engagement changes.
func (t *teller) edge(kind int) int64 {
	edges := [...]int64{0, t.windows[kind] - 1, t.windows[kind], -t.skew, -t.skew - 1}
	delay := edges[t.dice.IntN(len(edges))]
	// Out there the join would not find the view, and take the engagement for an orphan.
	if delay >= t.horizon || (delay < -t.skew && t.outOfOrderness == 0) {
		return 0
	}
	return delay
}

// fateOf says what becomes of an engagement with v at the given time, if it is in time.
func (t *teller) fateOf(v *rec, kind int, at int64) fate {
	switch {
	case t.hopeless(kind, at-v.time):
		return fateOutside
	case v.fate != fateSample:
		return fateOrphan // its view is late, and so as good as never there
	case v.time-t.skew <= at && at < v.time+t.windows[kind]:
		return fateMatched
	default:
		return fateOutside
	}
}

// hopeless tells whether an engagement carries a view time by which it cannot count for
// any view that it may mean.
func (t *teller) hopeless(kind int, delay int64) bool {
	return t.ViewTime && (delay >= t.windows[kind]+t.skew || delay < -2*t.skew)
}

// hold keeps an engagement back until it is late: every other time until all views it
// might refer to have closed, else just until its own view has.
func (t *teller) hold(e *rec) {
	e.held = true
	e.arrival = max(e.time, e.viewTime) + t.longest + 2*(t.outOfOrderness+t.skew) + 1
	if inWindow := e.time < e.viewTime+t.windows[e.kind]; inWindow && t.dice.Uint64()%2 == 0 {
		e.arrival = e.viewTime + t.longest + t.outOfOrderness
	}
	if t.Order == OrderFile {
		e.fate = fateLate
	}
}
