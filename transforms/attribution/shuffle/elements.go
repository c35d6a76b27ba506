package shuffle

import (
	"tributary/io/record"
	"tributary/transforms/attribution/decode"
)

// addElements packs the events of a record that holds a list of them, which r has just read. They have one time, and one place in
// the log: what is late was so before any of them. A record without any is filtered.
func (k *Packer) addElements(r *decode.Reader, c *cursor, rec []byte) {
	if !r.Mine() {
		k.addOther(r, c, rec)
		return
	}
	by := k.lateness(c)
	t := r.TimeAlone(rec)
	c.pass(r, t)
	if r.Elements() == 0 {
		k.filtered(r, c, t, rec)
	}
	c.several = true
	c.schema, c.schemaText = r.ElementSchema()
	for i := range r.Elements() {
		c.element, c.read = int32(i), false
		event, err := r.ReadElement(rec, i)
		if err != nil {
			k.malformed(r, c, t, 1, event, err)
			continue
		}
		t, timeErr := r.Time()
		if timeErr != nil {
			t = record.NoTime
		}
		k.addEvent(r, c, event, t, timeErr, by)
	}
	c.several, c.element = false, 0
}
