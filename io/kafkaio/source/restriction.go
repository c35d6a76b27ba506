package source

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/record"
	"tributary/io/wire"
)

// noStop is the stop of a partition that is read for ever.
const noStop = math.MaxInt64

// Restriction is what one reader still has to read, and all that it must know of what it
// has read. Runners keep one for every poll, so it is encoded small.
//
// Partitions are in order of (topic, partition). A restriction that is shared is not
// changed: see clone.
type Restriction struct {
	// Watermark is the largest that the reader has emitted, in ms; record.NoTime at first.
	// What is late after a partition was idle depends on it.
	Watermark int64
	// Ends says that reading ends, once every partition has reached its Stop.
	Ends bool
	// IDs are those that the cluster gave the Config's sorted topics, zero where it gave
	// none: a topic that is made anew has another, and its offsets mean other records.
	IDs        []kadm.TopicID
	Partitions []position
}

// position is where one partition's reading stands.
type position struct {
	// Topic is the index in the Config's sorted topics.
	Topic, Partition int32
	// Next is the offset of the next record; reading ends at Stop.
	Next, Stop int64
	// Clock is the partition's clock before Next.
	Clock record.Clock
	// Idle says that the partition does not hold the watermark back.
	Idle bool
	// Raised says that Clock is not from the log: it was raised to the watermark when the
	// partition came back from being idle, or was taken up while others were read. Then
	// LogClock is the one from the log; otherwise it is zero.
	Raised   bool
	LogClock record.Clock
}

// logClock is the clock before Next by the log alone.
func (p *position) logClock() record.Clock {
	if p.Raised {
		return p.LogClock
	}
	return p.Clock
}

// raise moves the clock to an event time that the watermark demands, if it is behind it.
func (p *position) raise(to, leap int64) {
	if p.Clock.Time(leap) >= to {
		return
	}
	p.LogClock, p.Raised = p.logClock(), true
	p.Clock.Add(to)
	p.Clock.Add(to) // as two records would
}

// add moves the clock over the event time of a record. Once the log's own has come as far, it is
// the one that counts: the first record of a log is believed, however far it is ahead of where the
// clock was raised to.
func (p *position) add(t, leap int64) {
	p.Clock.Add(t)
	if !p.Raised {
		return
	}
	if p.LogClock.Add(t); p.LogClock.Time(leap) >= p.Clock.Time(leap) {
		p.Clock, p.LogClock, p.Raised = p.LogClock, record.Clock{}, false
	}
}

func (p *position) done() bool { return p.Next >= p.Stop }

// rank is the partition's rank among all partitions, where so many slots come before those of the topics.
func (p *position) rank(slots int32) int32 { return Rank(slots+p.Topic, p.Partition) }

func (r Restriction) clone() Restriction {
	r.Partitions = slices.Clone(r.Partitions)
	return r
}

// topicID is the id of a topic, zero where none is known.
func (r *Restriction) topicID(topic int32) kadm.TopicID {
	if int(topic) >= len(r.IDs) {
		return kadm.TopicID{}
	}
	return r.IDs[topic]
}

// done says whether all has been read.
func (r *Restriction) done() bool {
	return r.Ends && !slices.ContainsFunc(r.Partitions, func(p position) bool { return !p.done() })
}

// reached returns the watermark that the partitions' positions allow, no less than what was
// emitted; record.NoTime before any. A partition that nothing was read from holds it back.
func (r *Restriction) reached(outOfOrderness, leap int64) int64 {
	lowest := int64(math.MaxInt64)
	for i := range r.Partitions {
		p := &r.Partitions[i]
		switch {
		case p.Idle || p.done():
		case p.Clock == record.NoClock:
			return r.Watermark
		default:
			lowest = min(lowest, behind(p.Clock.Time(leap), outOfOrderness))
		}
	}
	if lowest == math.MaxInt64 {
		return r.Watermark
	}
	return max(r.Watermark, lowest)
}

// allIdle says whether nothing holds the watermark: no partition that is not idle or done.
func (r *Restriction) allIdle() bool {
	return !slices.ContainsFunc(r.Partitions, func(p position) bool { return !p.Idle && !p.done() })
}

// add takes up more partitions.
func (r *Restriction) add(more []position) {
	r.Partitions = append(r.Partitions, more...)
	slices.SortFunc(r.Partitions, func(a, b position) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
}

// restrictionVersion is the first byte of an encoded restriction.
const restrictionVersion = 3

const (
	flagStop = 1 << iota
	flagTime
	flagIdle
	flagRaised
	flagLogTime // of one that is raised
	flagsEnd
)

// encodeRestriction takes about 10 bytes a partition: numbers are written as differences
// from those of the partition before, and partitions of a topic move together.
func encodeRestriction(r Restriction) []byte {
	out := make([]byte, 0, 16+12*len(r.Partitions))
	out = append(out, restrictionVersion)
	out = wire.AppendBool(out, r.Ends)
	out = binary.AppendVarint(out, r.Watermark)
	out = binary.AppendUvarint(out, uint64(len(r.IDs)))
	for _, id := range r.IDs {
		out = append(out, id[:]...)
	}
	out = binary.AppendUvarint(out, uint64(len(r.Partitions)))
	var before position
	for _, p := range r.Partitions {
		var flags byte
		set := func(flag byte, on bool) {
			if on {
				flags |= flag
			}
		}
		set(flagStop, p.Stop != noStop)
		set(flagTime, p.Clock != record.NoClock)
		set(flagIdle, p.Idle)
		set(flagRaised, p.Raised)
		set(flagLogTime, p.Raised && p.LogClock != record.NoClock)
		out = append(out, flags)
		out = binary.AppendVarint(out, int64(p.Topic-before.Topic))
		out = binary.AppendVarint(out, int64(p.Partition-before.Partition))
		out = binary.AppendVarint(out, p.Next-before.Next)
		if p.Stop != noStop {
			out = binary.AppendVarint(out, p.Stop-p.Next)
		}
		if flags&flagTime != 0 {
			out = appendClock(out, p.Clock, before.Clock.Largest)
			before.Clock = p.Clock
		}
		if flags&flagLogTime != 0 {
			out = appendClock(out, p.LogClock, before.Clock.Largest)
		}
		before.Topic, before.Partition, before.Next = p.Topic, p.Partition, p.Next
	}
	return out
}

// appendClock writes a clock as the difference from a time that is near.
func appendClock(out []byte, c record.Clock, near int64) []byte {
	return binary.AppendVarint(binary.AppendVarint(out, c.Largest-near), c.Largest-c.Second)
}

func decodeRestriction(buf []byte) (Restriction, error) {
	fail := func(err error) (Restriction, error) {
		return Restriction{}, fmt.Errorf("decode positions of a reader: %w", err)
	}
	if len(buf) == 0 || buf[0] != restrictionVersion {
		return fail(errors.New("unknown version: the state is of another release; start again from the log"))
	}
	d := wire.NewReader(buf[1:])
	r := Restriction{Ends: d.Byte() == 1, Watermark: d.Varint()}
	for range min(d.Uvarint(), uint64(len(buf))) {
		var id kadm.TopicID
		copy(id[:], d.Take(uint64(len(id))))
		r.IDs = append(r.IDs, id)
	}
	count := d.Uvarint()
	if count > uint64(len(buf)) { // a partition takes more than a byte
		return fail(fmt.Errorf("%d bytes cannot hold %d partitions", len(buf), count))
	}
	var before position
	for range count {
		flags := d.Byte()
		if flags >= flagsEnd || flags&(flagRaised|flagLogTime) == flagLogTime {
			d.Fail()
		}
		p := position{
			Topic: before.Topic + int32(d.Varint()), Partition: before.Partition + int32(d.Varint()), Next: before.Next + d.Varint(),
			Stop: noStop, Clock: record.NoClock, Idle: flags&flagIdle != 0, Raised: flags&flagRaised != 0,
		}
		if flags&flagStop != 0 {
			p.Stop = p.Next + d.Varint()
		}
		if flags&flagTime != 0 {
			p.Clock = clockOf(&d, before.Clock.Largest)
			before.Clock = p.Clock
		}
		if p.Raised {
			p.LogClock = record.NoClock
		}
		if flags&flagLogTime != 0 {
			p.LogClock = clockOf(&d, before.Clock.Largest)
		}
		before.Topic, before.Partition, before.Next = p.Topic, p.Partition, p.Next
		r.Partitions = append(r.Partitions, p)
	}
	if d.Short() || d.More() {
		return fail(fmt.Errorf("%d bytes do not hold %d partitions", len(buf), count))
	}
	return r, nil
}

// clockOf reads what appendClock wrote.
func clockOf(d *wire.Reader, near int64) record.Clock {
	largest := near + d.Varint()
	return record.Clock{Largest: largest, Second: largest - d.Varint()}
}

func init() {
	beam.RegisterType(reflect.TypeFor[Restriction]())
	beam.RegisterCoder(reflect.TypeFor[Restriction](), encodeRestriction, decodeRestriction)
}
