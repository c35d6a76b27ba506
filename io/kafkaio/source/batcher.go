package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/record"
)

// A batch is emitted once it has that many records or bytes: enough that what is paid for
// an element is nothing beside it, few enough that the open batches of all partitions fit
// in memory.
const (
	batchRecords = 500
	batchBytes   = 256 << 10
)

// ErrHandedOver says that the rest of the restriction belongs to somebody else now: what
// was not claimed must not be emitted.
var ErrHandedOver = errors.New("the rest was handed over")

// Output is what becomes of what a reader reads. Event times are in ms, record.NoTime for
// the earliest there is.
type Output struct {
	Claim  func(Claim) bool
	Batch  func(at int64, b record.Batch)
	Reject func(at int64, r record.Rejected)
}

// batcher cuts the records of one partition into batches. It decides by the records alone,
// and by the watermark if the partition was idle.
type batcher struct {
	topic          *topic
	index          int // of the partition in the restriction
	ranksAfter     int32
	outOfOrderness int64
	// maxAhead is how far ahead of the clocks of others a record may be; 0 for any.
	maxAhead int64
	now      func() time.Time
	out      Output
	// after is the position behind all that was added, claimed or not.
	after position
	// raises are those of Start.Decided that may be still to come.
	raises []Raise
	// watermark is the reader's, as emitted.
	watermark int64
	open      record.Batch
	rejected  []record.Rejected
	// rejectedBytes is how much of records is in rejected.
	rejectedBytes int
	// times counts the records with an event time.
	times int64
	// ownRoom and ownedRoom are for what a record has beside its value, and both.
	ownRoom, ownedRoom []byte
	// size is that of the last batch and a little more: the next is likely to need as much.
	size int
}

// reset begins at a position that was claimed.
func (b *batcher) reset(p position, watermark int64, out Output) {
	b.after, b.watermark, b.out = p, watermark, out
	b.open, b.rejected, b.rejectedBytes = record.Batch{}, nil, 0
}

// take adds the next record of the log. On an error nothing was taken.
func (b *batcher) take(ctx context.Context, r *kgo.Record) error {
	offset := r.Offset
	if offset < b.after.Next || b.after.done() {
		return nil
	}
	if offset >= b.after.Stop {
		b.after.Next = b.after.Stop
		return nil
	}
	if r.Attrs.IsControl() {
		b.after.Next = offset + 1
		return nil
	}
	if r.Value == nil {
		return b.reject(record.Rejected{Reason: record.ReasonTombstone, Offset: offset, EventTime: record.NoTime})
	}
	rec, by, err := b.topic.open(ctx, r)
	if err != nil {
		reason, unusable := isUnusable(err)
		if !unusable {
			return err
		}
		return b.reject(record.Rejected{Offset: offset, Detail: reason, EventTime: record.NoTime, Record: r.Value})
	}
	at := by.of(rec, r)
	if why := b.ahead(at, r); why != "" {
		return b.reject(record.Rejected{
			Offset: offset, Detail: why, EventTime: at, Record: rec, Schema: by.fingerprint, SchemaText: by.text,
		})
	}
	for len(b.raises) > 0 && offset >= b.raises[0].Offset {
		if err := b.flush(); err != nil {
			return err
		}
		b.after.raise(b.raises[0].Clock, b.maxAhead)
		b.raises = b.raises[1:]
	}
	framed := rec
	if len(b.topic.own) > 0 {
		b.ownRoom = b.topic.own.append(b.ownRoom[:0], r, b.topic.nameOf(by))
		b.ownedRoom = record.AppendOwned(b.ownedRoom[:0], b.ownRoom, rec)
		framed = b.ownedRoom
	}
	if at != record.NoTime && b.after.Idle { // what has no time does not wake it
		if err := b.flush(); err != nil {
			return err
		}
		b.wake()
	}
	if b.open.Count > 0 && (b.open.Schema != by.fingerprint || b.open.Count >= batchRecords || len(b.open.Records)+len(framed) > batchBytes ||
		record.Chapter(b.open.Offset) != record.Chapter(offset)) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	if b.open.Count == 0 {
		b.open = record.Batch{
			Partition: b.after.rank(b.ranksAfter), Schema: by.fingerprint, SchemaText: by.text, Offset: offset,
			MaxTime: b.after.Clock.Largest, SecondTime: b.after.Clock.Second, Framed: true, AfterIdle: b.after.Raised, Own: len(b.topic.own) > 0,
			Records: make([]byte, 0, b.size),
		}
		if b.open.AfterIdle {
			b.open.LogTime, b.open.LogSecond = b.after.LogClock.Largest, b.after.LogClock.Second
		}
	}
	b.open.Records = record.AppendFramed(b.open.Records, offset-b.open.Offset, framed)
	b.open.Count++
	if at != record.NoTime {
		b.times++
		b.after.add(at, b.maxAhead)
	}
	b.after.Next = offset + 1
	return nil
}

// wake makes an idle partition take part again. The watermark went on without it, so it is
// as if it had seen records as late as that: whoever judges its records by their own
// partition then finds late what the runner would drop.
func (b *batcher) wake() {
	b.after.Idle = false
	if b.watermark != record.NoTime {
		b.after.raise(b.watermark+b.outOfOrderness, b.maxAhead)
	}
}

// logAppendTime is the type of a timestamp that a broker has given a record.
const logAppendTime = 1

// ahead says why a record is not believed, empty if it is. It may not be too far ahead of
// when Kafka has it written. Where producers say when that was, their clocks may be as wrong
// as those of events, and so the reader's own counts as well: the one thing that is not a
// function of the log, for records that nothing in the log gives away.
func (b *batcher) ahead(at int64, r *kgo.Record) string {
	if b.maxAhead == 0 || at == record.NoTime {
		return ""
	}
	if stamp := r.Timestamp.UnixMilli(); stamp >= 0 && at > stamp+b.maxAhead {
		return aheadOf(at, stamp, b.maxAhead, "when Kafka has it written")
	}
	if now := b.now().UnixMilli(); r.Attrs.TimestampType() != logAppendTime && at > now+b.maxAhead {
		return aheadOf(at, now, b.maxAhead, "when it was read, as is the time that its producer gave it")
	}
	return ""
}

func aheadOf(at, clock, maxAhead int64, what string) string {
	text := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }
	return fmt.Sprintf("event time %s is ahead of %s, %s, by more than max_future_skew, %s: some clock is wrong",
		text(at), text(clock), what, time.Duration(maxAhead)*time.Millisecond)
}

// reject passes over a record that cannot be used, and notes it for each input. It does not
// move the watermark.
func (b *batcher) reject(r record.Rejected) error {
	r.Count, r.Record = 1, bytes.Clone(r.Record)
	b.rejectAll(r)
	b.after.Next = r.Offset + 1
	if b.rejectedBytes += len(r.Record); b.rejectedBytes >= batchBytes || len(b.rejected) >= batchRecords {
		return b.flush() // a producer may write nothing else
	}
	return nil
}

// flush claims and emits what was added since the last flush.
func (b *batcher) flush() error {
	after := b.after
	if !b.out.Claim(func(r *Restriction) { r.Partitions[b.index] = after }) {
		return ErrHandedOver
	}
	if b.open.Count > 0 {
		b.size = min(len(b.open.Records)+len(b.open.Records)/8, batchBytes)
		at := max(behind(b.open.Clock().Time(b.maxAhead), b.outOfOrderness), b.watermark)
		for _, input := range b.topic.Inputs {
			b.open.Input = input
			b.out.Batch(at, b.open)
		}
	}
	for _, r := range b.rejected {
		b.out.Reject(max(r.Watermark, b.watermark), r)
	}
	b.open, b.rejected, b.rejectedBytes = record.Batch{}, nil, 0
	return nil
}

// behind is the watermark of a partition whose clock has come to that event time.
func behind(reached, outOfOrderness int64) int64 {
	if reached == record.NoTime {
		return record.NoTime
	}
	return reached - outOfOrderness
}
