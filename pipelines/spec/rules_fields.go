package spec

import (
	"slices"
	"strings"

	"tributary/io/fileio"
	"tributary/io/record"
	"tributary/pipelines/spec/problem"
)

// use is a field path and the value of the spec that names it.
type use struct {
	field string
	at    dotted
}

// fieldRules looks at the fields that are read from one record: some must differ,
// and none can be a value and a record with fields of its own at once.
func (r *reader) fieldRules(s *Spec) {
	v := dotted("views")
	views := []use{{s.Views.ID, v.key("id")}, r.timeUse(s.Views.Time, v.key("time"))}
	r.mustDiffer(views[0], views[1], "a view's id and its time are the same field")
	r.nested(s.Views.Inputs, append(views, r.orderUses(s.Views.Inputs, v.key("inputs"))...))

	for _, e := range s.Engagements {
		at := dotted("engagements").key(e.Kind)
		view, eventTime := use{e.View, at.key("view")}, r.timeUse(e.Time, at.key("time"))
		id := use{e.ID, at.key("id")}
		all := []use{view, eventTime, id}
		r.mustDiffer(view, eventTime, "the view and the time are the same field")
		r.mustDiffer(view, id, "an engagement's own id is the view's id: of several engagements with a view only one would count")
		r.mustDiffer(eventTime, id, "an engagement's own id is its time: engagements at one time would be one")
		if e.ViewTime != nil {
			viewTime := r.timeUse(*e.ViewTime, at.key("view_time"))
			r.mustDiffer(eventTime, viewTime, "the view's time is the engagement's time: only engagements at the very time of a view would find it")
			all = append(all, viewTime)
			r.viewTimeRule(s, e, viewTime.at)
		}
		for _, c := range e.Where {
			all = append(all, use{c.Field, at.key("where").key(c.Field)})
		}
		if e.Label.Field != "" {
			all = append(all, use{e.Label.Field, at.key("label").key(string(e.Label.Func))})
		}
		r.nested(e.Inputs, append(all, r.orderUses(e.Inputs, at.key("inputs"))...))
	}
}

func (r *reader) timeUse(t TimeField, at dotted) use {
	if r.isSet(at.key("field")) {
		at = at.key("field")
	}
	return use{t.Field, at}
}

func (r *reader) orderUses(inputs []Input, at dotted) []use {
	var out []use
	for i, in := range inputs {
		if in.Order == OrderField {
			order := at.index(i).key("order")
			out = append(out, use{in.PartitionField, order.key("partition")}, use{in.OffsetField, order.key("offset")})
		}
	}
	return out
}

func (r *reader) mustDiffer(a, b use, message string) {
	if a.field == "" || a.field != b.field {
		return
	}
	p := r.problem("T1108", r.at(b.at), b.at, "%s (%s)", message, a.field)
	p.Got, p.Hint = a.field, "name the field that holds it"
	r.add(p)
}

// nested reports a field inside another one that is used as a value. CSV has no
// fields inside fields: a dot there is part of a column's name.
func (r *reader) nested(inputs []Input, uses []use) {
	if len(inputs) > 0 && !slices.ContainsFunc(inputs, func(in Input) bool { return in.Format != CSV }) {
		return
	}
	for i, inner := range uses {
		for j, outer := range uses {
			if i == j || inner.field == "" || outer.field == "" || !leadsThrough(inner.field, outer.field) {
				continue
			}
			at := r.at(inner.at)
			if strings.Contains(string(inner.at), ".where.") {
				key := r.marks[string(inner.at)].key
				at = &node{kind: textKind, line: key.Line, column: key.Column, width: 1}
			}
			p := r.problem("T1111", at, inner.at, "%s lies inside %s, which is a value (%s): a field is either a value or holds fields of its own", inner.field, outer.field, outer.at)
			p.Got = inner.field
			r.add(p)
			return
		}
	}
}

// leadsThrough tells whether a path leads through the field at another.
func leadsThrough(inner, outer string) bool {
	in, errIn := record.ParsePath(inner)
	out, errOut := record.ParsePath(outer)
	return errIn == nil && errOut == nil && len(in) > len(out) && slices.Equal(in[:len(out)], out)
}

// viewTimeRule: an engagement refers only to views within the clock skew of its
// view_time, so a coarser view_time than the view's own time finds none.
func (r *reader) viewTimeRule(s *Spec, e Engagement, at dotted) {
	coarse := resolutions[e.ViewTime.Unit]
	if coarse <= resolutions[s.Views.Time.Unit] || s.ClockSkew >= coarse || !r.ok("clock_skew", "views.time") {
		return
	}
	p := r.problem("T1211", r.at(at), at, "view_time has whole seconds and the views' time may be finer, but clock_skew is %s: engagements would not find their views", FormatDuration(s.ClockSkew))
	p.Hint = "set clock_skew to 1s at least, or leave view_time out"
	r.add(p)
}

// sameRecords looks for kinds that are made of the views, or of one another.
func (r *reader) sameRecords(s *Spec) {
	paths := func(inputs []Input) (out []string) {
		for _, in := range inputs {
			out = append(out, in.name())
		}
		slices.Sort(out)
		return out
	}
	views := paths(s.Views.Inputs)
	for i, e := range s.Engagements {
		at := dotted("engagements").key(e.Kind)
		own := paths(e.Inputs)
		shared := slices.ContainsFunc(own, func(p string) bool { return slices.Contains(views, p) })
		if shared && !r.isSet(at.key("where")) && e.View != "" && e.View == s.Views.ID && e.Time.Field != "" && e.Time.Field == s.Views.Time.Field {
			p := r.problem("T1112", r.at(at.key("inputs")), at.key("inputs"), "these are the views, read with the same fields: every view would be an engagement with itself")
			p.Hint = "say with `where` which records are engagements, or name the engagement's own time"
			r.add(p)
		}
		if inputs := at.key("inputs"); shared && r.ok(inputs, at.key("where"), "views.inputs") {
			r.viewsAsEngagements(e, inputs, e.View == s.Views.ID && e.Time.Field == s.Views.Time.Field)
		}
		for _, other := range s.Engagements[:i] {
			if len(own) > 0 && slices.Equal(own, paths(other.Inputs)) && slices.Equal(sortedWhere(e), sortedWhere(other)) &&
				e.View == other.View && e.Time == other.Time && e.Window == other.Window && e.Label == other.Label && e.Attribution == other.Attribution {
				p := r.problem("T1113", r.at(at), at, "%s and %s are the same engagements with the same label", e.Kind, other.Kind)
				p.Hint = "tell them apart with `where`, or leave one out"
				r.add(p)
			}
		}
	}
}

// viewsAsEngagements warns of a kind that is read from the views' inputs: every record of those
// is a view, as views have no condition. One record may well be both, where it has a time
// for each.
func (r *reader) viewsAsEngagements(e Engagement, inputs dotted, sameFields bool) {
	var p problem.Problem
	switch {
	case len(e.Where) == 0:
		p = r.problem("T1215", r.at(inputs), inputs, "these are the views' inputs, and there is no condition: each view is an engagement of the kind %s, too", e.Kind)
		p.Hint = "say with `where` which records are engagements"
	case sameFields:
		p = r.problem("T1215", r.at(inputs), inputs, "these are the views' inputs, and all their records are views: each %s is a view as well, and makes itself positive", e.Kind)
		p.Hint = "write the views to a file or topic of their own; a condition for views comes in a later version"
	default:
		return
	}
	r.add(p)
}

func sortedWhere(e Engagement) []Condition {
	out := slices.Clone(e.Where)
	slices.SortFunc(out, func(a, b Condition) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// ownOutputs reports outputs that an input's pattern matches: the next run would read
// what this one wrote.
func (r *reader) ownOutputs(s *Spec) {
	type input struct {
		Input
		at dotted
	}
	var inputs []input
	collect := func(all []Input, at dotted) {
		for i, in := range all {
			where := at.index(i)
			if !r.isSet(where) {
				where = at
			}
			inputs = append(inputs, input{in, where})
		}
	}
	collect(s.Views.Inputs, "views.inputs")
	for _, e := range s.Engagements {
		collect(e.Inputs, dotted("engagements").key(e.Kind).key("inputs"))
	}
	outputs := s.Outputs.all()
	for _, in := range inputs {
		for _, out := range outputs {
			if out.folder == "" || !couldMatch(in.Path, out.folder) {
				continue
			}
			p := r.problem("T1405", r.at(in.at), in.at, "this matches files of the output %s: the next run would read what this one wrote", out.key)
			p.Got, p.Hint = in.Path, "write "+out.key+" to a folder that no input reaches"
			r.add(p)
			break
		}
	}
}

// couldMatch tells whether a pattern matches files as they are written to a folder.
func couldMatch(pattern, folder string) bool {
	for _, dated := range []string{"", "dt=2026-01-01/"} {
		for _, ending := range []string{".avro", ".json", ".json.gz", ".jsonl", ".jsonl.gz"} {
			if fileio.Matches(pattern, folder+"/"+dated+"part-20260101T000000Z-20260101T010000Z"+ending) {
				return true
			}
		}
	}
	return false
}
