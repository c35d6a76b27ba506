package why

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"tributary/io/record"
	"tributary/pipelines/job/batch"
	"tributary/transforms/account"
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
)

// found are the records that concern an id, with what the join made of them.
type found struct {
	in      *batch.Whole
	match   *matcher
	records []shuffle.Seen // their own
	joined  *attribution.Explained
	// unreadable are how many records the source or their format refused.
	unreadable int64
}

// find reads the inputs, and once more if what they hold of the id stands under another name, be it that of another role.
func find(ctx context.Context, in *batch.Whole, id string) (*found, error) {
	f := &found{in: in, match: newMatcher(id)}
	for {
		if err := f.read(ctx); err != nil {
			return nil, err
		}
		known := len(f.match.names) + len(f.match.places)
		for i := range f.records {
			s := &f.records[i]
			if !f.match.is(s) {
				continue
			}
			if s.Name() != nil {
				f.match.add(s.Name())
			}
			if s.Fate == account.Filtered && len(in.Params.Inputs) > 1 {
				f.match.places[seenAt(s)], f.match.places[recordAt(s)] = true, true
			}
		}
		if len(f.match.names)+len(f.match.places) == known {
			return f, nil
		}
	}
}

// read reads all, and keeps what matches.
func (f *found) read(ctx context.Context) error {
	f.records, f.unreadable = nil, 0
	e := attribution.NewExplainer(f.in.Params, func(s *shuffle.Seen) bool {
		if f.match.is(s) || s.Name() != nil && f.match.names[string(s.Name())] {
			f.keep(s)
		}
		return f.match.joins(s)
	})
	err := f.in.Each(ctx, e.Add, func(r record.Rejected) {
		f.unreadable += r.Count
		if f.match.in(r.Record) {
			f.keep(&shuffle.Seen{
				Input: r.Input, Partition: r.Partition, Offset: r.Offset, Element: r.Element, Count: r.Count, Kind: f.in.Params.Inputs[r.Input].Kind,
				Time: r.EventTime, Watermark: r.Watermark, Fate: account.Dead, Why: r.Detail, ViewTime: record.NoTime, ClosedThrough: record.NoTime, Record: r.Record,
			})
		}
	})
	if err != nil {
		return err
	}
	f.records = f.match.untaken(f.records)
	if f.joined, err = e.Explain(f.asked()); err != nil {
		return fmt.Errorf("join the records of the id: %w", err)
	}
	return nil
}

// asked says which pairs are told: those of the id's own views, and those of its own engagements; where it has no views those that these are
// looked for.
func (f *found) asked() *attribution.Asked {
	own, views := map[attribution.EventPlace]bool{}, false
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	p := f.in.Params.OfStage(f.in.Params.StageCount() - 1)
	for i := range f.records {
		s := &f.records[i]
		if !f.match.is(s) {
			continue
		}
		own[placeOf(s)] = true
		if s.Kind == rules.Views {
			views = true
		} else if s.Fate == account.Read {
			span := p.SpanOf(s.Kind, s.Time, s.ViewTime)
			from, to = min(from, span.FoundFrom), max(to, span.FoundTo)
		}
	}
	return &attribution.Asked{
		View: func(at attribution.EventPlace, time int64) bool {
			return own[at] || !views && from <= time && time <= to
		},
		Pair: func(view, engagement attribution.EventPlace) bool { return own[view] || own[engagement] },
	}
}

// keep keeps what is seen, without what is valid for the call only.
func (f *found) keep(s *shuffle.Seen) {
	one := *s
	one.ViewID, one.Key, one.EventID, one.Record = bytes.Clone(s.ViewID), bytes.Clone(s.Key), bytes.Clone(s.EventID), nil
	if one.ViewID == nil && one.Key == nil {
		one.Record = bytes.Clone(s.Record)
	}
	f.records = append(f.records, one)
}

// placeOf is where the event stands that was seen.
func placeOf(s *shuffle.Seen) attribution.EventPlace {
	return attribution.EventPlace{Partition: s.Partition, Offset: s.Offset, Element: max(s.Element-1, 0), Kind: s.Kind}
}

// role is views, or the kind of engagement.
func (f *found) role(kind int) string {
	if kind == rules.Views {
		return "views"
	}
	return f.in.Params.Kinds[kind].Name
}
