package shuffle

import (
	"math"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/decode"
)

// cursor is a position in a batch, with the clock of the partition before it, and the one by the log
// alone, which is another one after the partition was idle.
type cursor struct {
	batch  record.Batch
	offset int64
	// element is which event of a record that holds several, 0 for the first; several says that it does.
	element int32
	several bool
	// read says that r has read the event at hand.
	read bool
	// schema and schemaText are those of an element's record.
	schema     uint64
	schemaText string
	clock      record.Clock
	log        record.Clock
	sheet      *account.Sheet   // of the batch's offset range
	in         *account.Input   // part of account, once it is needed
	stages     []*account.Stage // likewise
}

// pass moves the clocks over a record's event time.
func (c *cursor) pass(r *decode.Reader, t int64) {
	if !r.Input.Ordered {
		return
	}
	c.clock.Add(t)
	if c.batch.AfterIdle {
		c.log.Add(t)
	}
}

// watermark is that of the partition before the record at the cursor, or record.NoTime. A clock
// that was raised does not hold back the one by the log.
func (k *Packer) watermark(c *cursor) int64 {
	at := k.watermarkAt(c.clock)
	if c.batch.AfterIdle {
		at = max(at, k.watermarkAt(c.log))
	}
	return at
}

func (k *Packer) watermarkAt(c record.Clock) int64 {
	reached := c.Time(k.p.MaxFutureSkew)
	if reached == record.NoTime {
		return record.NoTime
	}
	return reached - k.p.OutOfOrderness
}

// lateness is what makes a record late: the watermark before it, and the one by the log alone,
// which another reading goes by. The clock is the one that the watermark follows.
type lateness struct {
	watermark, log int64
	clock          record.Clock
}

func (k *Packer) lateness(c *cursor) lateness {
	l := lateness{watermark: k.watermark(c), clock: c.clock}
	if l.log = l.watermark; c.batch.AfterIdle {
		l.log = k.watermarkAt(c.log)
	}
	return l
}

// passed tells whether the watermark has come to a time, and whether it has only because the
// partition had been idle.
func (l lateness) passed(t int64) (late, afterIdle bool) {
	late = l.watermark != record.NoTime && t <= l.watermark
	return late, late && (l.log == record.NoTime || t > l.log)
}

// closedThrough is the time through which views had closed for a stage; math.MinInt64 if there is no watermark.
func (t *route) closedThrough(by lateness) int64 {
	if by.watermark == record.NoTime {
		return math.MinInt64
	}
	return by.watermark + t.p.Shift - t.longest
}
