package generate

import (
	"math"
	"slices"
)

// Event is a view or an engagement as it stands in a partition.
type Event struct {
	// Kind is empty for a view.
	Kind   string
	ViewID string
	// Time is the event time in ms; ViewTime is the view's, whether or not the files
	// would hold it.
	Time, ViewTime int64
	// Pos is a view's pos field, by which a duplicate's payload may differ.
	Pos int64
	// EventID and Amount are an engagement's.
	EventID string
	Amount  float64
	// Malformed says that the record's view id or time would be of no use.
	Malformed bool
}

// Partition is the log of one partition, in the order of arrival.
type Partition struct {
	Views  bool // or engagements
	Number int
	Events []Event
}

// Sample is what a view must become.
type Sample struct {
	ViewID   string
	ViewTime int64
	Pos      int64
	Positive bool
	// Labels are by kind; kinds without one are absent.
	Labels map[string]Label
}

// Label is the truth about one kind of engagement with a view.
type Label struct {
	Count int64
	// Sum is that of the amounts.
	Sum float64
	// DelayMs is the time to the first engagement that counts, 0 for one before its view.
	DelayMs int64
}

// Events makes what Run would write, in memory: for tests of a join at small scale.
// Corrupt blocks and the choices that concern files alone are left out.
func Events(c Config) ([]Partition, []Sample, Truth, error) {
	c.CorruptBlocks = 0
	if err := c.Validate(); err != nil {
		return nil, nil, Truth{}, err
	}
	m := newModel(c)
	partitions := make([]Partition, 2*c.Partitions)
	lanes := make([]*lane, len(partitions))
	tallies := make([]tally, len(partitions))
	d := newDice()
	for i := range partitions {
		p := &partitions[i]
		p.Views, p.Number = i < c.Partitions, i%c.Partitions
		tallies[i] = newTally(len(c.Kinds))
		lanes[i] = newLane(c.Order == OrderFile, m.leap, func(r *rec) error {
			tallies[i].count(r)
			p.Events = append(p.Events, m.event(d, r, p.Views))
			return nil
		})
	}
	var samples []Sample
	pos := positives{kinds: make([]int64, len(c.Kinds))}
	sorter := rowSorter{seed: c.Seed, kinds: len(c.Kinds)}
	emit := func(r *row, labels []trueLabel) error {
		pos.count(labels)
		samples = append(samples, m.sample(d, r, labels))
		return nil
	}
	t := newTeller(m)
	for n := range m.chunks() {
		made := t.chunk(n)
		_ = sorter.add(made, emit) // none of the functions here fails
		for i, records := range slices.Concat(made.views, made.engagements) {
			_ = lanes[i].add(int(n), records, math.MinInt64)
		}
	}
	_ = sorter.flush(len(sorter.waiting), emit)
	for _, l := range lanes {
		_ = l.finish()
	}
	return partitions, samples, newTruth(c.Kinds, tallies[:c.Partitions], tallies[c.Partitions:], &pos), nil
}

func (m *model) event(d *dice, r *rec, view bool) Event {
	e := Event{ViewID: string(appendViewID(nil, m.Seed, r.view)), Time: r.time, Malformed: r.fault != faultless}
	if view {
		_, e.Pos = d.page(m.Seed, r.view, r.fate == fateDuplicateDiffering)
		return e
	}
	k := &m.Kinds[r.kind]
	e.Kind, e.ViewTime = k.Name, r.viewTime
	e.EventID = string(appendEventID(nil, m.Seed, eventKey(r)))
	e.Amount = d.amount(m.Seed, k.Amount, eventKey(r))
	return e
}

func (m *model) sample(d *dice, r *row, labels []trueLabel) Sample {
	s := Sample{ViewID: string(appendViewID(nil, m.Seed, r.view)), ViewTime: r.time, Labels: map[string]Label{}}
	_, s.Pos = d.page(m.Seed, r.view, false)
	for kind, l := range labels {
		if l.count > 0 {
			s.Positive = true
			s.Labels[m.Kinds[kind].Name] = Label{Count: l.count, Sum: l.sum, DelayMs: l.delay}
		}
	}
	return s
}
