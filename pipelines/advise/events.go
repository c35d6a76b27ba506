package advise

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/zeebo/xxh3"

	"tributary/io/record"
	"tributary/pipelines/job/batch"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
)

// DefaultEvents is how many events are kept at most, at 72 bytes each: 150 MB.
const DefaultEvents = 2 << 20

// event is a view or an engagement, as far as it matters for what is late, what meets, and what counts. Ids are hashes of 64 bits: that two
// of one log's ids have the same is as good as impossible, and would put an engagement beside a view that it does not name.
type event struct {
	// name is what engagements name the view by: its id, or its key.
	name uint64
	// own tells the event from others of its name: a view's id; of an engagement what makes two of them the same (see bucket.compareEvents).
	own  uint64
	time int64
	// clock is that of the partition before it; record.NoClock where nothing is known of that.
	clock record.Clock
	// viewTime is the one that an engagement carries, or record.NoTime.
	viewTime           int64
	offset             int64
	partition, element int32
	kind               int32 // rules.Views for a view
}

// compareLog orders events by their places.
func (e *event) compareLog(f *event) int {
	return cmp.Or(cmp.Compare(e.partition, f.partition), cmp.Compare(e.offset, f.offset), cmp.Compare(e.element, f.element))
}

// log is what was read.
type log struct {
	base rules.Params // of the whole join, without stages
	// events are those of the ids that were kept, in order of name; kept is the share of all ids, 1 unless there were too many events.
	events []event
	kept   float64
	level  uint
	most   int

	inputs []InputDisorder
	// Of all records.
	views, engagements, dead, filtered int64
	viewBytes, viewRecords             int64 // of all records of inputs of views
	partitions                         map[int32]bool
	first                              int64 // of the views, by time; record.NoTime without
	end                                int64 // where the log ends, see rules.Params.EndOf
}

// farBehind is an out-of-orderness by which nothing is late.
const farBehind = math.MaxInt64 / 8

// read reads the inputs once.
func read(ctx context.Context, in *batch.Whole, most int) (*log, error) {
	l := &log{base: in.Params, kept: 1, most: most, first: record.NoTime, end: in.Params.LogEnd, partitions: map[int32]bool{}}
	l.base.Stages, l.base.Stage, l.base.Shards, l.base.Earlier = nil, 0, 1, nil
	for i := range l.base.Inputs {
		l.inputs = append(l.inputs, InputDisorder{Input: l.base.Inputs[i].Name, Ordered: l.base.Inputs[i].Ordered, Behind: &account.Histogram{}})
	}
	// Who is told of every record must have none that is late: a record is read once, and judged as often as one likes.
	asked := l.base
	asked.OutOfOrderness = farBehind
	packer := shuffle.NewPacker(&asked, func(shuffle.Place, shuffle.Block) {}, func(record.Rejected) {})
	packer.Watch(func(s *shuffle.Seen) bool {
		l.take(s)
		return false
	})
	err := in.Each(ctx, func(b record.Batch) error {
		if asked.Inputs[b.Input].Kind == rules.Views {
			l.viewBytes, l.viewRecords = l.viewBytes+int64(len(b.Records)), l.viewRecords+int64(b.Count)
		}
		l.partitions[b.Partition] = true
		return packer.Add(b)
	}, func(r record.Rejected) { l.dead += r.Count })
	if err != nil {
		return nil, err
	}
	l.base.Schemas = nil
	slices.SortFunc(l.events, func(e, f event) int { return cmp.Compare(e.name, f.name) })
	return l, nil
}

// take takes what the packer makes of a record.
func (l *log) take(s *shuffle.Seen) {
	switch s.Fate {
	case account.Read, account.Outside:
	case account.Filtered:
		l.filtered += s.Count
		return
	default:
		l.dead += s.Count
		return
	}
	e := event{
		name: rules.HashID(s.Name()), time: s.Time, clock: s.Clock, viewTime: s.ViewTime,
		offset: s.Offset, partition: s.Partition, element: s.Element, kind: int32(s.Kind),
	}
	in := &l.inputs[s.Input]
	in.Records++
	if reached := e.clock.Time(l.base.MaxFutureSkew); reached != record.NoTime {
		if in.Behind.Record(max(0, reached-e.time)); reached > e.time {
			in.Displaced++
		}
	}
	if s.Kind == rules.Views {
		l.views++
		if l.first == record.NoTime || e.time < l.first {
			l.first = e.time
		}
		e.own = rules.HashID(s.ViewID)
	} else {
		l.engagements++
		e.own = identity(s)
	}
	if !l.keeps(e.name) {
		return
	}
	if len(l.events) == 1<<16 {
		l.events = slices.Grow(l.events, max(0, l.most+1-len(l.events))) // growing by parts leaves as much again behind
	}
	l.events = append(l.events, e)
	l.shrink()
}

// identity is what two engagements of one name have in common if they are the same: the kind, the view's time that they carry, and their
// own id; without one, all that a join reads of them.
func identity(s *shuffle.Seen) uint64 {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.Kind))
	b = binary.BigEndian.AppendUint64(b, uint64(s.ViewTime))
	if s.EventID != nil {
		return xxh3.Hash(append(append(b, 1), s.EventID...))
	}
	b = binary.BigEndian.AppendUint64(append(b, 0), uint64(s.Time))
	return xxh3.Hash(fmt.Append(b, s.Value.Kind, " ", s.Value.Int, " ", math.Float64bits(s.Value.Float), " ", string(bytes.Clone(s.Value.Text))))
}

// keeps tells whether a name is one of those that are kept: by its hash alone, so that a view and its engagements stay together.
func (l *log) keeps(name uint64) bool {
	return l.level == 0 || name*0x9e3779b97f4a7c15>>(64-l.level) == 0
}

// shrink keeps half of the names where there are too many events. Which are kept in the end depends on how many there are, and not on the
// order in which they came.
func (l *log) shrink() {
	for len(l.events) > l.most {
		l.level++
		l.kept /= 2
		l.events = slices.DeleteFunc(l.events, func(e event) bool { return !l.keeps(e.name) })
	}
}

// groups calls visit with the events of each name.
func (l *log) groups(visit func([]event)) {
	for from := 0; from < len(l.events); {
		to := from + 1
		for to < len(l.events) && l.events[to].name == l.events[from].name {
			to++
		}
		visit(l.events[from:to])
		from = to
	}
}
