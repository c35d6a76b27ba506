package shuffle

import (
	"slices"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// Seen is what a Packer makes of one event, or of the records that a refusal stands for. It is valid for the call.
type Seen struct {
	Input, Partition int32
	Offset           int64
	// Element is the place in its list of an event of a record that holds several, from 1; 0 for a whole record. Count is how many
	// records it is: more than one where none of them can be told apart.
	Element int32
	Count   int64
	// Kind is that of the input, or rules.Views.
	Kind int
	// Time and Watermark, before the record, are in ms, or record.NoTime.
	Time, Watermark int64
	// Clock is that of the partition before the record, of an event.
	Clock record.Clock
	// Fate is account.Read for what goes on into buckets, else account.Late, Outside, Filtered or Dead; Why says more of it.
	Fate account.Count
	Why  string
	// LateBy is how far, in ms, the watermark was beyond when the last view had closed that it may concern; of what is late. AfterIdle
	// says that it is late only because its partition had been idle.
	LateBy    int64
	AfterIdle bool
	// PartlyLate says of an engagement that goes on that some of the views it may refer to had closed: those through ClosedThrough.
	PartlyLate    bool
	ClosedThrough int64
	// InTimeFrom is the first stage that what goes on was not late for.
	InTimeFrom int
	// ViewID, or the Key, is what an engagement names; a view may have both. EventID is an engagement's own id. They are nil where they
	// are not known, as of most that is dead.
	ViewID, Key, EventID []byte
	ViewTime             int64 // as of bucket.Engagement
	// Value is that of an engagement which goes on.
	Value record.Value
	// Record is what is filtered or dead, as it was read.
	Record []byte
}

// Name is what engagements name the view by, or the one that an engagement names.
func (s *Seen) Name() []byte {
	if s.Key != nil {
		return s.Key
	}
	return s.ViewID
}

// Watch has a Packer say what it makes of each event. What watch returns false for goes into no bucket; accounts have it all the same.
func (k *Packer) Watch(watch func(*Seen) bool) { k.watch = watch }

// seen tells whoever watches of the event at the cursor, whose fate the rest of it says.
func (k *Packer) seen(r *decode.Reader, c *cursor, s *Seen) (goesOn bool) {
	s.Input, s.Partition, s.Offset, s.Kind = c.batch.Input, c.batch.Partition, c.offset, r.Input.Kind
	if c.several {
		s.Element = c.element + 1
	}
	return k.watch(s)
}

// seenView tells of a view.
func (k *Packer) seenView(r *decode.Reader, c *cursor, v *bucket.View, by lateness, fate account.Count) (goesOn bool) {
	s := Seen{Count: 1, Time: v.Time, Watermark: by.watermark, Clock: by.clock, Fate: fate, ViewID: v.ID, Key: v.Key, ViewTime: record.NoTime, ClosedThrough: record.NoTime, InTimeFrom: v.InTimeFrom}
	if fate == account.Late {
		s.Why, s.LateBy = lateView, by.watermark-(v.Time+k.final.longest)
		_, s.AfterIdle = by.passed(v.Time + k.final.longest)
	}
	return k.seen(r, c, &s)
}

// seenEngagement tells of an engagement that is looked for in s.
func (k *Packer) seenEngagement(r *decode.Reader, c *cursor, g *bucket.Engagement, span *rules.Span, by lateness, fate account.Count) (goesOn bool) {
	s := Seen{Count: 1, Time: g.Time, Watermark: by.watermark, Clock: by.clock, Fate: fate, EventID: g.EventID, ViewTime: g.ViewTime, Value: g.Value, ClosedThrough: record.NoTime}
	if k.p.Keyed() {
		s.Key = g.ViewID
	} else {
		s.ViewID = g.ViewID
	}
	closedThrough := k.final.closedThrough(by)
	switch fate {
	case account.Late:
		s.Why, s.LateBy = lateEngagement, closedThrough-span.CountsTo
		_, s.AfterIdle = by.passed(span.CountsTo + k.final.longest)
	case account.Read:
		if s.PartlyLate = closedThrough >= span.CountsFrom; s.PartlyLate {
			s.ClosedThrough = closedThrough
			_, s.AfterIdle = by.passed(span.CountsFrom + k.final.longest)
		}
		for s.InTimeFrom < len(k.routes)-1 {
			to := k.routes[s.InTimeFrom]
			if to.closedThrough(by) < to.p.SpanOf(g.Kind, g.Time, g.ViewTime).CountsTo {
				break
			}
			s.InTimeFrom++
		}
	default:
	}
	return k.seen(r, c, &s)
}

// seenRefused tells of what is filtered, or dead: with the ids of an event that could be read.
func (k *Packer) seenRefused(r *decode.Reader, c *cursor, t, count int64, fate account.Count, why string, rec []byte) {
	if k.watch == nil {
		return
	}
	s := Seen{Count: count, Time: t, Watermark: k.watermark(c), Fate: fate, Why: why, ViewTime: record.NoTime, ClosedThrough: record.NoTime, Record: rec}
	if c.read {
		k.identify(r, &s)
	}
	k.seen(r, c, &s)
}

// identify fills in those ids of the event last read that it has.
func (k *Packer) identify(r *decode.Reader, s *Seen) {
	in := r.Input
	if slices.ContainsFunc(slices.Concat(in.IDs(), in.Key, in.EventIDs()), func(field string) bool { return in.ComputedField(field) != nil }) {
		return // nothing is computed for what is none of the input's kind
	}
	id, err := r.ID()
	if err != nil {
		return
	}
	switch {
	case r.Input.Kind == rules.Views:
		s.ViewID = id
		if key, err := r.Key(); err == nil {
			s.Key = key
		}
		return
	case k.p.Keyed():
		s.Key = id
	default:
		s.ViewID = id
	}
	g := bucket.Engagement{Kind: r.Input.Kind, ViewTime: record.NoTime}
	if _, err := r.Engagement(&g); err == nil {
		s.EventID = g.EventID
	}
}
