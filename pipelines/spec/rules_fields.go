package spec

import (
	"slices"
	"strconv"
	"strings"

	"tributary/io/expression"
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
	id, viewTime := r.idUses(s.Views.ID, v.key("id")), r.timeUse(s.Views.Time, v.key("time"))
	r.mustDiffer(single(id), viewTime, "a view's id and its time are the same field")
	key := r.idUses(s.Views.Key, v.key("key"))
	r.mustDiffer(single(key), viewTime, "the key of views and their time are the same field")
	views := append(append(id, key...), viewTime)
	views = append(views, whereUses(&s.Views.Where, v.key("where"))...)
	viewOrder := r.orderUses(s.Views.Inputs, v.key("inputs"))
	r.computedRules(s.Views.Fields, append([]use{{s.Views.Each, v.key("each")}}, viewOrder...))
	views, id = computed(views, s.Views.Fields), computed(id, s.Views.Fields)
	views = append(views, viewOrder...)
	r.nested(s.Views.Inputs, views)
	whole := append(viewOrder, viewTime)
	r.ownRules(s.Views.Inputs, views, computed(whole, s.Views.Fields))
	r.eachRules(s.Views.Each, v, s.Views.Inputs, computed(whole, s.Views.Fields), id, "the id has no field of an element")

	for _, e := range s.Engagements {
		at := dotted("engagements").key(e.Kind)
		named, fields := e.Named()
		view, eventTime, id := r.idUses(fields, at.key(named)), r.timeUse(e.Time, at.key("time")), r.idUses(e.ID, at.key("id"))
		r.sameShape(s, e, at.key(named))
		r.mustDiffer(single(view), eventTime, "the "+named+" and the time are the same field")
		r.ownID(e, at.key("id"))
		r.mustDiffer(eventTime, single(id), "an engagement's own id is its time: engagements at one time would be one")
		all := append(append(view, eventTime), id...)
		whole := append(r.orderUses(e.Inputs, at.key("inputs")), eventTime)
		if e.ViewTime != nil {
			viewTime := r.timeUse(*e.ViewTime, at.key("view_time"))
			r.mustDiffer(eventTime, viewTime, "the view's time is the engagement's time: only engagements at the very time of a view would find it")
			all, whole = append(all, viewTime), append(whole, viewTime)
			r.viewTimeRule(s, e, viewTime.at)
		}
		all = append(all, whereUses(&e.Where, at.key("where"))...)
		for _, l := range e.AllLabels() {
			if l.Field != "" {
				all = append(all, use{l.Field, e.labelAt(&l).key(string(l.Func))})
			}
		}
		order := r.orderUses(e.Inputs, at.key("inputs"))
		r.computedRules(e.Fields, append([]use{{e.Each, at.key("each")}}, order...))
		all = computed(all, e.Fields)
		r.eachRules(e.Each, at, e.Inputs, computed(append(order, eventTime), e.Fields), all, "no field here is of an element")
		all = append(all, order...)
		r.nested(e.Inputs, all)
		r.ownRules(e.Inputs, all, computed(whole, e.Fields))
	}
}

func (r *reader) timeUse(t TimeField, at dotted) use {
	if r.isSet(at.key("field")) {
		at = at.key("field")
	}
	return use{t.Field, at}
}

func whereUses(where *Where, at dotted) (out []use) {
	if where.Expression != "" {
		asks, err := expression.Parse(where.Expression)
		if err != nil {
			return nil // it has been reported
		}
		for _, f := range asks.Fields {
			out = append(out, use{f.Path, at})
		}
		return out
	}
	for _, c := range where.Conditions {
		out = append(out, use{c.Field, at.key(c.Field)})
	}
	return out
}

// idUses are the fields of an id; one that is named twice is reported.
func (r *reader) idUses(paths []string, at dotted) (out []use) {
	for i, path := range paths {
		one := use{path, at}
		if r.isSet(at.index(i)) {
			one.at = at.index(i)
		}
		if first := slices.Index(paths[:i], path); first >= 0 {
			r.mustDiffer(out[first], one, "the id has this field twice")
		}
		out = append(out, one)
	}
	return out
}

// single is the use of an id of one field; of several, none is the id.
func single(id []use) use {
	if len(id) != 1 {
		return use{}
	}
	return id[0]
}

// sameShape: an engagement names its view by as many fields as the view's id has, in their order.
func (r *reader) sameShape(s *Spec, e Engagement, at dotted) {
	id, of := s.Views.ID, "id"
	named, view := e.Named()
	if named == "key" {
		id, of = s.Views.Key, "key"
	}
	if len(id) == 0 || len(view) == 0 || !r.ok(dotted("views").key(of), at) || r.anyFailed("views."+of+".", string(at)+".") {
		return
	}
	sorted := func(paths []string) []string { return slices.Sorted(slices.Values(paths)) }
	var p problem.Problem
	switch {
	case len(id) != len(view):
		p = r.problem("T1114", r.at(at), at, "a view is named by %s here, and its %s has %s: %s", numberOf(view), of, numberOf(id), strings.Join(id, ", "))
		p.Hint = "name as many fields on both sides, in the same order"
	case !slices.Equal(id, view) && slices.Equal(sorted(id), sorted(view)):
		p = r.problem("T1114", r.at(at), at, "the view's %s has these fields in another order: %s", of, strings.Join(id, ", "))
		p.Hint = "write `" + named + ": " + idType.inline(id) + "`"
	default:
		return
	}
	p.Got = strings.Join(view, ", ")
	r.add(p)
}

// numberOf says how many fields there are.
func numberOf(paths []string) string {
	if len(paths) == 1 {
		return "1 field"
	}
	return strconv.Itoa(len(paths)) + " fields"
}

// ownID: an engagement's own id tells those with one view apart, which nothing does that names the view.
func (r *reader) ownID(e Engagement, at dotted) {
	named, fields := e.Named()
	if len(e.ID) == 0 || slices.ContainsFunc(e.ID, func(path string) bool { return !slices.Contains(fields, path) }) {
		return
	}
	field, is := strings.Join(e.ID, ", "), "the view's id"
	if named == "key" {
		is = "the key of its views"
	}
	if len(e.ID) < len(fields) {
		is = "a part of " + is
	}
	p := r.problem("T1108", r.at(at), at, "an engagement's own id is %s: of several engagements with a view only one would count (%s)", is, field)
	p.Got, p.Hint = field, "name the field that holds it"
	r.add(p)
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
	coarse := e.ViewTime.resolution()
	if coarse <= s.Views.Time.resolution() || s.ClockSkew >= coarse || !r.ok("clock_skew", "views.time") {
		return
	}
	p := r.problem("T1211", r.at(at), at, "view_time is in whole %ss and the views' time may be finer, but clock_skew is %s: engagements would not find their views", wholes[coarse], FormatDuration(s.ClockSkew))
	p.Hint = "set clock_skew to " + FormatDuration(coarse) + " at least, or leave view_time out"
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
		if inputs := at.key("inputs"); shared && r.ok(inputs, at.key("where"), "views.inputs", "views.where") && !r.anyFailed("views.where.", string(at.key("where"))+".") {
			r.viewsAsEngagements(s, e, inputs)
		}
		for _, other := range s.Engagements[:i] {
			if len(own) > 0 && len(e.View)+len(e.Key) > 0 && r.ok(at.key("where"), dotted("engagements").key(other.Kind).key("where")) && slices.Equal(own, paths(other.Inputs)) && e.Where.same(&other.Where) &&
				slices.Equal(e.View, other.View) && slices.Equal(e.Key, other.Key) && e.CreditRule == other.CreditRule && e.Time == other.Time && e.Window == other.Window && e.Label == other.Label &&
				len(e.Labels)+len(other.Labels) == 0 && e.Count == other.Count {
				p := r.problem("T1113", r.at(at), at, "%s and %s are the same engagements with the same label", e.Kind, other.Kind)
				p.Hint = "tell them apart with `where`, or leave one out"
				r.add(p)
			}
		}
	}
}

// viewsAsEngagements looks at a kind that is read from the views' inputs. One record may well be
// both a view and an engagement, where it has a time for each.
func (r *reader) viewsAsEngagements(s *Spec, e Engagement, inputs dotted) {
	sameFields := len(e.View) > 0 && slices.Equal(e.View, s.Views.ID) && e.Time.Field != "" && e.Time.Field == s.Views.Time.Field &&
		sameComputed(e.Fields, s.Views.Fields, append(slices.Clone(e.View), e.Time.Field)...)
	all := e.Where.All() || e.Where.same(&s.Views.Where)
	at := r.at(inputs)
	var p problem.Problem
	switch {
	case all && sameFields:
		p = r.problem("T1112", at, inputs, "these are the views, read with the same fields: every view would be an engagement with itself")
		p.Hint = "say with `where` which records are engagements, or name the engagement's own time"
	case all && e.Where.All():
		p = r.problem("T1215", at, inputs, "these are the views' inputs, and there is no condition: each view is an engagement of the kind %s, too", e.Kind)
		p.Hint = "say with `where` which records are engagements"
	case sameFields && s.Views.Where.All():
		p = r.problem("T1215", at, inputs, "these are the views' inputs, and all their records are views: each %s is a view as well, and makes itself positive", e.Kind)
		p.Hint = "say with `where` of the views which records are views"
	case sameFields && !exclusive(s.Views.Where.Conditions, e.Where.Conditions):
		p = r.problem("T1215", at, inputs, "these are the views' inputs, and a record may meet the conditions of both: it is a view and a %s, and makes itself positive", e.Kind)
		p.Hint = "give both a condition on one field, like `where: {event: view}` and `where: {event: " + e.Kind + "}`"
	default:
		return
	}
	r.add(p)
}

// exclusive tells whether no record meets both conditions, as they want different values of one field.
func exclusive(a, b []Condition) bool {
	return slices.ContainsFunc(a, func(one Condition) bool {
		return slices.ContainsFunc(b, func(other Condition) bool {
			text := record.Value{Kind: record.String, Text: []byte(other.Value)}
			return one.Field == other.Field && !strings.EqualFold(one.Value, other.Value) && !text.EqualNumber([]byte(one.Value))
		})
	})
}

// same tells whether both ask the same, as far as that shows.
func (w *Where) same(other *Where) bool {
	return slices.Equal(sortedWhere(w.Conditions), sortedWhere(other.Conditions)) && w.Rest == other.Rest && (!w.Rest || w.Expression == other.Expression)
}

func sortedWhere(where []Condition) []Condition {
	out := slices.Clone(where)
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
			if out.folder == "" || out.folder == Standard || !couldMatch(in.Path, out.folder) {
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
