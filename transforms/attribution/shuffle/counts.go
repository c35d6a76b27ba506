package shuffle

import (
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
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

// counts are those of the views, or of the kind that the input is of.
func (k *Packer) counts(r *decode.Reader, c *cursor) *account.Counts {
	if r.Input.Kind == rules.Views {
		return &c.sheet.Views.N
	}
	return &k.engagements(r, c).N
}

// filtered counts a record that is none of the input's kind.
func (k *Packer) filtered(r *decode.Reader, c *cursor, t int64, rec []byte) {
	if k.accounts(c, t) {
		k.counts(r, c)[account.Filtered]++
		c.input(r).N[account.Filtered]++
		k.seenRefused(r, c, t, 1, account.Filtered, "", rec)
	}
}

// input is the account of the batch's input.
func (c *cursor) input(r *decode.Reader) *account.Input {
	if c.in == nil {
		c.in = c.sheet.InputOf(r.Input.Name)
	}
	return c.in
}

// countStages counts a view that is late for so many of the stages.
func (k *Packer) countStages(c *cursor, late int) {
	if c.stages == nil {
		for i := range k.p.Stages {
			c.stages = append(c.stages, c.sheet.StageOf(k.p.Stages[i].Name))
		}
	}
	for i, s := range c.stages {
		s.N[account.Read]++
		if i < late {
			s.N[account.Late]++
		}
	}
}
