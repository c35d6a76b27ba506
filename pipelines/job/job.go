// Package job says what a spec means to the join: its parameters, and in which role each
// input is read. Joins of files and of topics both begin here; package graph is the pipeline of both.
//
//	job.go         the parameters of the join; fields.go, check.go, computed.go, schema.go, viewschema.go: fields and schemas of inputs
//	elements.go    those of events where records hold several
//	clusters.go    clusters and registries of a spec; inputs.go: inputs that are topics; partitions.go: names of partitions
//	labels.go      labels of kinds
//	sampleshape.go, sampleformat.go, samplefolder.go, sampletopic.go, rejectedtopics.go: sinks with an end or without
//	pages.go       pages for "tributary help", the .md files beside it
package job

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"tributary/io/expression"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
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
	views := rules.Input{Kind: rules.Views, Time: timeField(&s.Views.Time, s.Views.Fields), Where: conditions(s.Views.Where.Conditions), Expression: rest(&s.Views.Where), Each: s.Views.Each, Computed: computed(s.Views.Fields)}
	views.ID, views.MoreID = idFields(s.Views.ID)
	views.Key = s.Views.Key
	add("views", []string{"views"}, s.Views.Inputs, views)
	for k, e := range s.Engagements {
		p.Kinds = append(p.Kinds, rules.Kind{
			Name:   e.Kind,
			Window: e.Window.Milliseconds(),
			Count:  rules.Count(e.Count),

			SkipBadValues: e.OnBadValue == spec.BadValueNull,
			Credit:        creditOf(e.Credit),
			After:         e.After,
			Otherwise:     e.Otherwise == spec.OtherwiseAny,
		})
		in := rules.Input{
			Kind: k, Time: timeField(&e.Time, e.Fields), ViewTime: timeField(e.ViewTime, e.Fields),
			Where: conditions(e.Where.Conditions), Expression: rest(&e.Where), Each: e.Each, Computed: computed(e.Fields),
		}
		setLabels(&p.Kinds[k], &in, &e)
		_, named := e.Named()
		in.ID, in.MoreID = idFields(named)
		in.EventID, in.MoreEventID = idFields(e.ID)
		add(e.Kind, []string{"engagements", e.Kind}, e.Inputs, in)
	}
	for i, stage := range s.Stages {
		p.Stages = append(p.Stages, rules.Stage{
			Name: stage.Name(), After: stage.After.Milliseconds(), OutOfOrderness: stage.OutOfOrderness.Milliseconds(),
			Bucket: stage.Bucket.Milliseconds(), Shards: StageShards(s, i), Emit: rules.Emit(stage.Emit),
		})
	}
	p.Stage = p.StageCount() - 1
	p.Shape = shapeOf(s)
	return p, sources
}

var conditionTypes = map[spec.ConditionType]expression.ConditionType{
	spec.TextCondition: expression.TextCondition, spec.NumberCondition: expression.NumberCondition, spec.BoolCondition: expression.BoolCondition,
}

// creditOf is which views of a key share an engagement.
func creditOf(c spec.Credit) rules.Credit {
	if c == spec.CreditAll {
		return rules.CreditAll
	}
	return rules.Credit(c)
}

// idFields are the first field of an id, empty for none, and the others.
func idFields(paths []string) (first string, more []string) {
	if len(paths) == 0 {
		return "", nil
	}
	return paths[0], append(more, paths[1:]...)
}

// rest is the expression of a where that asks more than its conditions.
func rest(w *spec.Where) string {
	if !w.Rest {
		return ""
	}
	return w.Expression
}

func computed(fields []spec.ComputedField) (out []rules.Computed) {
	for _, f := range fields {
		out = append(out, rules.Computed{Name: f.Name, Expression: f.Expression})
	}
	return out
}

func conditions(where []spec.Condition) (out []expression.Condition) {
	for _, c := range where {
		out = append(out, expression.Condition{Field: c.Field, Value: c.Value, Type: conditionTypes[c.Type]})
	}
	return out
}

// timeField is a field with a time; a computed one that is just a field of the record is that, with the unit that a schema gives it.
func timeField(f *spec.TimeField, fields []spec.ComputedField) rules.Field {
	if f == nil {
		return rules.Field{}
	}
	path := f.Field
	if i := slices.IndexFunc(fields, func(c spec.ComputedField) bool { return c.Name == path }); i >= 0 {
		if asks, err := expression.ParseValue(fields[i].Expression); err == nil && asks.IsField() {
			path = asks.Fields[0].Path
		}
	}
	return rules.Field{Path: path, Unit: f.Unit, Pattern: f.Pattern, Zone: f.Zone}
}

// StageShards is over how many shards the buckets of a stage are spread. An early stage has few views in a bucket, and what a runner
// does for each (bucket, shard) costs more than what is in it.
func StageShards(s *spec.Spec, stage int) int {
	if stage >= len(s.Stages)-1 {
		return s.Shards
	}
	return max(1, s.Shards/4)
}
