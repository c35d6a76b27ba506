package join

import (
	"math"
	"time"

	"tributary/pipelines/spec"
	"tributary/transforms/attribution"
	"tributary/transforms/sample"
)

// source is one input of the spec in one role; its place in a plan's list is what
// event.Batch.Input and attribution.Params.Inputs count by.
type source struct {
	spec.Input
	// Role names it in messages and outputs: views, or the kind of engagement.
	Role string
	// At is the path of the role's keys in the spec, Number the input's place in its list.
	At     []string
	Number int
}

// paramsOf translates a spec for the join, without what only the files can tell
// (schemas, the end of the log) and without a slice.
func paramsOf(s *spec.Spec) (attribution.Params, []source) {
	p := attribution.Params{
		OutOfOrderness:   s.OutOfOrderness.Milliseconds(),
		ClockSkew:        s.ClockSkew.Milliseconds(),
		DuplicatesWithin: s.Views.DuplicatesWithin.Milliseconds(),
		Bucket:           s.Bucket.Milliseconds(),
		Shards:           s.Shards,
		Keep:             s.Keep,
		SpecVersion:      s.Version,
		Orphans:          s.Outputs.Orphans != "",
		From:             math.MinInt64,
		To:               attribution.NoLogEnd,
		LogEnd:           attribution.NoLogEnd,
		Schemas:          map[uint64]string{},
	}
	var sources []source
	add := func(role string, at []string, inputs []spec.Input, in attribution.Input) {
		for i, input := range inputs {
			in.Ordered = input.Order != spec.OrderNone
			p.Inputs = append(p.Inputs, in)
			sources = append(sources, source{Input: input, Role: role, At: at, Number: i})
		}
	}
	add("views", []string{"views"}, s.Views.Inputs, attribution.Input{
		Kind: attribution.Views, ID: s.Views.ID, Time: timeField(&s.Views.Time),
	})
	for k, e := range s.Engagements {
		p.Kinds = append(p.Kinds, attribution.Kind{
			Name:   e.Kind,
			Window: e.Window.Milliseconds(),
			Label:  sample.Func(e.Label.Func),
			Credit: attribution.Credit(e.Attribution),
		})
		in := attribution.Input{
			Kind: k, ID: e.View, Time: timeField(&e.Time), ViewTime: timeField(e.ViewTime), EventID: e.ID, Value: e.Label.Field,
		}
		for _, c := range e.Where {
			in.Where = append(in.Where, attribution.Condition(c))
		}
		add(e.Kind, []string{"engagements", e.Kind}, e.Inputs, in)
	}
	return p, sources
}

func timeField(f *spec.TimeField) attribution.Field {
	if f == nil {
		return attribution.Field{}
	}
	return attribution.Field{Path: f.Field, Unit: f.Unit}
}

// columnsOf are the labels in a sample.
func columnsOf(p *attribution.Params) []sample.Column {
	columns := make([]sample.Column, len(p.Kinds))
	for i, k := range p.Kinds {
		columns[i] = sample.Column{Kind: k.Name, Func: k.Label}
	}
	return columns
}

// timeOf and msOf turn event times into the standard library's, and back.
func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func msOf(t time.Time) int64 { return t.UnixMilli() }
