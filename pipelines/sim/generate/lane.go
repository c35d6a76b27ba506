package generate

import (
	"container/heap"
	"math"

	"tributary/io/record"
)

// lane puts the records of one partition into the order in which they arrive.
//
// Records come in runs, one a chunk, each sorted; a heap of runs merges them. What is
// in memory is the records that arrive after the views at hand: engagements still to
// come, and what is held back to be late.
type lane struct {
	write func(*rec) error
	// drop says that held records which the log's end overtakes are left out: they could
	// not be late any more. Without it they are written at the end.
	drop bool

	runs runs
	// held are records whose time of arrival has passed while the event times of their kind
	// have not got there, in order of arrival, by kind.
	held [maxKinds][]rec
	// clocks are those of what was written, by kind. A watermark counts all kinds; by going
	// by its own kind a held record is late for readers of one kind too. They begin at 0
	// instead of with the first record, which need not be the partition's first.
	clocks [maxKinds]record.Clock
	leap   int64 // see record.Clock
}

type run struct {
	records []rec
	number  int // of the chunk
}

// runs is a heap of runs that are not empty, the one with the next arrival on top.
type runs []run

func (r runs) Len() int      { return len(r) }
func (r runs) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r runs) Less(i, j int) bool {
	a, b := r[i].records[0].arrival, r[j].records[0].arrival
	return a < b || a == b && r[i].number < r[j].number
}
func (r *runs) Push(x any) { *r = append(*r, x.(run)) }
func (r *runs) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

func newLane(drop bool, leap int64, write func(*rec) error) *lane {
	return &lane{write: write, drop: drop, leap: leap}
}

// add takes the records of a chunk, sorted by arrival, and writes all that arrive before
// end: no later chunk has any.
func (l *lane) add(number int, records []rec, end int64) error {
	if len(records) > 0 {
		heap.Push(&l.runs, run{records, number})
	}
	for len(l.runs) > 0 && l.runs[0].records[0].arrival < end {
		top := &l.runs[0]
		next := &top.records[0]
		if top.records = top.records[1:]; len(top.records) == 0 {
			heap.Pop(&l.runs)
		} else {
			heap.Fix(&l.runs, 0)
		}
		if err := l.arrive(next); err != nil {
			return err
		}
	}
	return nil
}

// arrive writes r, or puts it with those that are held, and then those that r releases.
func (l *lane) arrive(r *rec) error {
	clock := &l.clocks[r.kind]
	if r.held && clock.Time(l.leap) < r.arrival {
		l.held[r.kind] = append(l.held[r.kind], *r)
		return nil
	}
	if err := l.write(r); err != nil {
		return err
	}
	if r.fault != faultless {
		return nil
	}
	clock.Add(r.time)
	reached := clock.Time(l.leap)
	waiting := l.held[r.kind]
	n := 0
	for ; n < len(waiting) && waiting[n].arrival <= reached; n++ {
		if err := l.write(&waiting[n]); err != nil {
			return err
		}
	}
	if n > 0 {
		l.held[r.kind] = waiting[n:]
	}
	return nil
}

// finish writes what is left when no chunk comes any more.
func (l *lane) finish() error {
	if err := l.add(0, nil, math.MaxInt64); err != nil {
		return err
	}
	if l.drop {
		return nil
	}
	for _, waiting := range l.held {
		for i := range waiting {
			if err := l.write(&waiting[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
