package shuffle

import (
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/decode"
)

// offsetRange is a piece of a partition's log, within a chapter, as one input reads it.
type offsetRange struct {
	input, partition int32
	chapter          int64
}

// accountOf returns the account of the offset range that b continues.
func (k *Packer) accountOf(b *record.Batch) *account.Sheet {
	key := offsetRange{b.Input, b.Partition, record.Chapter(b.Offset)}
	counted := k.ranges[key]
	if counted == nil {
		counted = k.p.NewSheet()
		counted.Origin = account.Origin{
			Step: account.StepRead, Input: b.Input, Partition: b.Partition, First: b.Offset, Last: b.Offset,
			MaxTime: b.MaxTime, SecondTime: b.SecondTime, AfterIdle: b.AfterIdle,
		}
		k.ranges[key] = counted
	}
	counted.Origin.First = min(counted.Origin.First, b.Offset)
	return counted
}

// accounts tells whether this interval accounts for a record with event time t.
func (k *Packer) accounts(c *cursor, t int64) bool {
	if t == record.NoTime {
		return !c.batch.Repeat
	}
	return k.own(t)
}

func (k *Packer) own(t int64) bool { return k.p.From <= t && t < k.p.To }

func (k *Packer) engagements(r *decode.Reader, c *cursor) *account.Engagements {
	return c.sheet.Engagements[k.p.Kinds[r.Input.Kind].Name]
}

// input is the account of the batch's input.
func (c *cursor) input(r *decode.Reader) *account.Input {
	if c.in == nil {
		c.in = c.sheet.InputOf(r.Input.Name)
	}
	return c.in
}
