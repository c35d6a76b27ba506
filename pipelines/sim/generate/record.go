package generate

import (
	"math"

	"tributary/io/record"
)

// fate is what must become of a record; the accounts of the join have a count for each.
type fate uint8

const (
	fateSample             fate = iota // a view that becomes a sample
	fateDuplicate                      // seen before
	fateDuplicateDiffering             // seen before, with another payload
	fateLate
	fateDead
	fateMatched // an engagement that counts
	fateOutside
	fateOrphan
	fates
)

// fault is what is wrong with a malformed record.
type fault uint8

const (
	faultless   fault = iota
	faultNoID         // the view id is null
	faultNoTime       // the time is null
	faultTime         // the time is one that no event has
)

// impossibleTimes are outside 1970 to 2199: an unset clock, and microseconds where
// milliseconds were promised.
var impossibleTimes = [...]int64{-1, record.MaxTime + 1, 1_767_225_600_000_000, math.MaxInt64}

// record is what is decided about a view or an engagement. All else in it, ids and
// payload, follows from the view's number and is made when it is written.
type rec struct {
	// arrival orders the records of a partition; ties by seq, then by chunk. A held
	// record is written once its partition has reached an event time of arrival.
	arrival int64
	time    int64 // event time, ms
	// view is the number of the view; of an orphan or a malformed record, one that no
	// view has.
	view     int64
	viewTime int64 // of an engagement: the view's
	seq      uint32
	kind     uint8 // of an engagement: its place in Config.Kinds
	repeat   uint8 // of an engagement: how many of its kind the view had before
	fate     fate
	fault    fault
	held     bool
}

// ghost is the number of a view that never comes. Views end below 10^11.
func ghost(view int64) int64 { return view + 900_000_000_000 }

// broken is the number in malformed records.
func broken(view int64) int64 { return view + 800_000_000_000 }

// row is the truth about one sample, apart from its labels.
type row struct {
	view, time int64
}

// trueLabel is the truth about one kind in one sample.
type trueLabel struct {
	count int64
	sum   float64
	// delay is the time from the view to the first engagement that counts, in ms; one
	// stamped before its view has 0.
	delay int64
}

func (l *trueLabel) add(delay int64, amount float64) {
	delay = max(0, delay)
	if l.count == 0 || delay < l.delay {
		l.delay = delay
	}
	l.count++
	l.sum += amount
}

// chunk is a run of views with all that belongs to them.
type chunk struct {
	// views and engagements hold, for each partition, its records in order of arrival.
	views, engagements [][]rec
	// rows are in order of (time, view id); the labels of row i are those from i*kinds on.
	rows   []row
	labels []trueLabel
	// end is a time that no later chunk's records arrive before.
	end int64
}
