package shuffle

import (
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/decode"
)

// addUnreadable refuses a record that cannot be read as a whole, if it is of a type that the input takes. Its event time still moves
// the watermark if it can be read alone: sources read nothing else, and what is late must
// not depend on where they cut the log into batches.
func (k *Packer) addUnreadable(r *decode.Reader, c *cursor, record []byte, why error) {
	if !r.Mine() {
		k.addOther(r, c, record)
		return
	}
	t := r.TimeAlone(record)
	c.pass(r, t)
	k.malformed(r, c, t, 1, record, why)
}

// addOther passes over a record of a type that the input does not take, of which the fields need not be there.
func (k *Packer) addOther(r *decode.Reader, c *cursor, record []byte) {
	t := r.TimeAlone(record)
	c.pass(r, t)
	k.filtered(r, c, t, record)
}

// malformed refuses count records, of which the first begins record.
func (k *Packer) malformed(r *decode.Reader, c *cursor, t, count int64, rec []byte, err error) {
	if !k.accounts(c, t) {
		return
	}
	c.sheet.AddDead(r.Input.Name, k.p.KindName(r.Input.Kind), err.Error(), count)
	k.seenRefused(r, c, t, count, account.Dead, err.Error(), rec)
	k.reject(c.rejected(record.ReasonMalformed, err.Error(), t, k.watermark(c), count, rec))
}

func (c *cursor) late(reason record.Reason, why string, t int64, by lateness, afterIdle bool, record []byte) record.Rejected {
	r := c.rejected(reason, why, t, by.watermark, 1, record)
	r.AfterIdle = afterIdle
	return r
}

func (c *cursor) rejected(reason record.Reason, detail string, t, watermark, count int64, rec []byte) record.Rejected {
	element, schema, text := int32(0), c.batch.Schema, c.batch.SchemaText
	if c.several {
		element, schema, text = c.element+1, c.schema, c.schemaText
	}
	return record.Rejected{
		Reason: reason, Detail: detail, Input: c.batch.Input, Partition: c.batch.Partition, Offset: c.offset, Element: element,
		Count: count, EventTime: t, Watermark: watermark, Schema: schema, SchemaText: text, Record: rec,
	}
}
