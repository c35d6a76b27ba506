// Package job says what a spec means to the join: its parameters, and in which role each
// input is read. Joins of files and of topics both begin here; package graph is the pipeline of both.
//
//	job.go         the parameters of the join; fields.go, check.go, schema.go, viewschema.go: fields and schemas of inputs
//	clusters.go    clusters and registries of a spec; inputs.go: inputs that are topics; partitions.go: names of partitions
//	sampleformat.go, samplefolder.go, sampletopic.go, rejectedtopics.go: sinks with an end or without
//	pages.go       pages for "tributary help", the .md files beside it
package job

import (
	"math"
	"strconv"
	"strings"

	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// Source is one input of the spec in one role; its place in a plan's list is what
// record.Batch.Input and rules.Params.Inputs count by.
type Source struct {
	spec.Input
	// Role names it in messages and outputs: views, or the kind of engagement.
	Role string
	// At is the path of the role's keys in the spec, Number the input's place in its list.
	At     []string
	Number int
}

// Of translates a spec for the join, without what only its inputs can tell (schemas, the end
// of the log) and without an interval.
func Of(s *spec.Spec) (rules.Params, []Source) {
	p := rules.Params{
		OutOfOrderness: s.OutOfOrderness.Milliseconds(),
		MaxFutureSkew:  s.MaxFutureSkew().Milliseconds(),
		ClockSkew:      s.ClockSkew.Milliseconds(),
		DedupWindow:    s.Views.DedupWindow.Milliseconds(),
		Bucket:         s.Bucket.Milliseconds(),
		Shards:         s.Shards,
		Keep:           s.Keep,
		SpecVersion:    s.Version,
		Orphans:        s.Outputs.Orphans != "" || s.Outputs.Topics.Orphans != "",
		From:           math.MinInt64,
		To:             rules.NoLogEnd,
		LogEnd:         rules.NoLogEnd,
		Schemas:        map[uint64]string{},
	}
	var sources []Source
	add := func(role string, at []string, inputs []spec.Input, in rules.Input) {
		for i, input := range inputs {
			in.Ordered = input.Ordered()
			in.Name = strings.Join(at, ".") + ".inputs." + strconv.Itoa(i)
			p.Inputs = append(p.Inputs, in)
			sources = append(sources, Source{Input: input, Role: role, At: at, Number: i})
		}
	}
	add("views", []string{"views"}, s.Views.Inputs, rules.Input{
		Kind: rules.Views, ID: s.Views.ID, Time: timeField(&s.Views.Time),
	})
	for k, e := range s.Engagements {
		p.Kinds = append(p.Kinds, rules.Kind{
			Name:   e.Kind,
			Window: e.Window.Milliseconds(),
			Label:  e.Label.Func,
			Credit: rules.Credit(e.Attribution),

			SkipBadValues: e.OnBadValue == spec.BadValueNull,
		})
		in := rules.Input{
			Kind: k, ID: e.View, Time: timeField(&e.Time), ViewTime: timeField(e.ViewTime), EventID: e.ID, Value: e.Label.Field,
		}
		for _, c := range e.Where {
			in.Where = append(in.Where, rules.Condition{Field: c.Field, Value: c.Value, Type: conditionTypes[c.Type]})
		}
		add(e.Kind, []string{"engagements", e.Kind}, e.Inputs, in)
	}
	return p, sources
}

var conditionTypes = map[spec.ConditionType]rules.ConditionType{
	spec.TextCondition: rules.TextCondition, spec.NumberCondition: rules.NumberCondition, spec.BoolCondition: rules.BoolCondition,
}

func timeField(f *spec.TimeField) rules.Field {
	if f == nil {
		return rules.Field{}
	}
	return rules.Field{Path: f.Field, Unit: f.Unit}
}

// Columns are the labels in a sample.
func Columns(p *rules.Params) []sample.Column {
	columns := make([]sample.Column, len(p.Kinds))
	for i, k := range p.Kinds {
		columns[i] = sample.Column{Kind: k.Name, Func: k.Label}
	}
	return columns
}
