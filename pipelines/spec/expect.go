package spec

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"tributary/io/record"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// testSamples reads what must come out of a test.
func (r *reader) testSamples(t *Test, n *node, at dotted, above *fields, s *Spec) (samples []map[string]any) {
	if n.kind != listKind {
		r.records(n, at, nil, nil, nil) // which reports what is wrong
		return nil
	}
	known := map[string]bool{}
	for _, view := range t.Views {
		if id, ok := viewID(view, s.Views.ID); ok {
			known[id] = true
		}
	}
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		e := expected{values: map[string]any{}, spec: s}
		f := sampleSection.read(r, item, at, above, &e)
		if f == nil {
			continue
		}
		sample := e.values
		samples = append(samples, sample)
		t.SamplesAt = append(t.SamplesAt, problem.Position{File: r.file, Line: item.line, Column: item.column})
		if n, at := f.get("view_id"); n != nil && r.ok(at, dotted("views.id")) && len(known) > 0 && !known[idText(sample["view_id"])] {
			ids := make([]string, 0, len(known))
			for id := range known {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			p := r.problem("T1505", n, at, "no view of this test has the id %s", n.text)
			p.Got, p.Allowed = n.text, ids
			if p.Nearest = Nearest(n.text, ids); p.Nearest != "" {
				p.Fix = r.replaced(n, p.Nearest)
			}
			r.add(p)
		}
	}
	return samples
}

// idText is the text by which ids compare.
func idText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// viewID is the text of the id that a test's view has in these fields; not ok if one is absent.
func viewID(view map[string]any, paths []string) (text string, ok bool) {
	values := make([]record.Value, len(paths))
	for i, path := range paths {
		v, ok := Lookup(view, path)
		if !ok {
			return "", false
		}
		text := idText(v)
		if len(paths) == 1 {
			return text, true
		}
		values[i] = record.Value{Kind: record.String, Text: []byte(text)}
	}
	id, _, err := record.AppendIDParts(nil, values)
	return string(id), err == nil
}

// noSuchSample reports a value that no sample can have.
func (r *reader) noSuchSample(n *node, at dotted, want string) any {
	if n.kind == badKind {
		r.failed[at] = true
		return nil
	}
	p := r.problem("T1506", n, at, "no sample can have this value: it must be %s", want)
	p.Got = n.text
	r.add(p)
	return nil
}

// expectedTime reads the time of a view.
func (r *reader) expectedTime(n *node, at dotted, s *Spec) any {
	v := r.value(n, at)
	if _, err := s.Views.Time.Millis(v); err != nil && r.ok(at) {
		p := r.problem("T1503", n, at, "%v", err)
		p.Got, p.Allowed = n.text, []string{"RFC 3339, like 2026-01-01T10:00:00Z", "a number in the unit of the field"}
		r.add(p)
	}
	return v
}

// expectedStage reads the name of a stage.
func (r *reader) expectedStage(n *node, at dotted, s *Spec) any {
	d := r.duration(n, at, time.Millisecond)
	if d <= 0 {
		return nil
	}
	name := FormatDuration(d)
	switch {
	case !r.isSet("stages"):
		r.add(r.noStages(n, at))
		return name
	case !r.ok("stages") || !r.windows(s) || !r.stagesInOrder(s):
		return name // what there is is not known
	}
	var names []string
	for _, stage := range withLast(s.Stages, s.LongestWindow()) {
		names = append(names, stage.Name())
	}
	if !slices.Contains(names, name) {
		p := r.problem("T1507", n, at, "there is no stage %s", n.text)
		p.Got, p.Allowed = n.text, names
		if p.Nearest = Nearest(name, names); p.Nearest != "" {
			p.Fix = r.replaced(n, p.Nearest)
		}
		r.add(p)
	}
	return name
}

// noStages reports what only samples of stages have, of a spec without.
func (r *reader) noStages(n *node, at dotted) problem.Problem {
	p := r.problem("T1507", n, at, "the spec has no stages: each view has one sample, which is of none")
	p.Got, p.Hint = n.text, "leave it out, or add stages, like `stages: [10s]`"
	return p
}

// perKind reads a mapping of kinds to labels or delays.
func (r *reader) perKind(key string, n *node, at dotted, above *fields, s *Spec) any {
	f := r.pairs(n, at, &section{name: key}, above)
	if f == nil {
		return nil
	}
	if key == "labels" {
		return r.expectedLabels(f, at, s)
	}
	out := map[string]any{}
	for e, value := range r.kinds(f, at, s) {
		value = value.number()
		want := "a whole number of milliseconds, or null for no engagement"
		fits := value.kind == nullKind || value.kind == intKind
		if !fits && value.kind != badKind {
			w := r.problem("T1506", value, at.key(e.Kind), "no sample can have this value: it must be %s", want)
			w.Got = value.text
			r.add(w)
			continue
		}
		out[e.Kind] = r.value(value, at.key(e.Kind))
	}
	return out
}

// expectedLabels reads a mapping of names of labels to values.
func (r *reader) expectedLabels(f *fields, at dotted, s *Spec) any {
	out := map[string]any{}
	for l, value := range r.allLabels(f, at, s) {
		value, at := value.number(), at.key(l.Name)
		want, fits := l.takes(value)
		if !fits && value.kind != badKind {
			w := r.problem("T1506", value, at, "no sample can have this value: it must be %s", want)
			w.Got = value.text
			r.add(w)
			continue
		}
		out[l.Name] = r.value(value, at)
	}
	return out
}

// allLabels goes through the labels of a mapping; keys that are none are reported.
func (r *reader) allLabels(f *fields, at dotted, s *Spec) iter.Seq2[*NamedLabel, *node] {
	known := map[string]*NamedLabel{}
	several := false
	for i := range s.Engagements {
		e := &s.Engagements[i]
		several = several || len(e.Labels) > 0
		for _, l := range e.AllLabels() {
			if d := l.Func.Definition(); d != nil && e.Credit == CreditEven {
				l.Func = d.Parts // none if it has no parts, which was reported
			}
			known[l.Name] = &l
		}
	}
	return func(yield func(*NamedLabel, *node) bool) {
		for _, p := range f.node.pairs {
			switch l := known[p.key.text]; {
			case l != nil:
				if !yield(l, p.value) {
					return
				}
			case !several:
				r.unknownKind(p.key, at.key(p.key.text), s)
			default:
				names := slices.Sorted(maps.Keys(known))
				w := r.problem("T1501", p.key, at.key(p.key.text), "there is no label %q", p.key.text)
				w.Got, w.Allowed = p.key.text, names
				if w.Nearest = Nearest(p.key.text, names); w.Nearest != "" {
					w.Fix = r.replaced(p.key, w.Nearest)
				}
				r.add(w)
			}
		}
	}
}

// takes tells whether a label may have a value, and in words which it may have.
func (l Label) takes(n *node) (want string, ok bool) {
	d := l.Func.Definition()
	if d == nil {
		return "", true // the label itself is wrong, and was reported
	}
	form, ok := forms[n.kind]
	if l.Type != "" {
		want := "null for no engagement, or a " + string(l.Type)
		return want, ok && (form == label.Null || slices.Contains(castForms[l.Type], form))
	}
	return d.Holds, ok && d.Fits(form, n.text)
}

// castForms are the forms of values of a type.
var castForms = map[sample.Cast][]label.Form{
	sample.CastBoolean: {label.Bool}, sample.CastLong: {label.Int}, sample.CastDouble: {label.Int, label.Float}, sample.CastString: {label.Text},
}

// forms of values that a label can have.
var forms = map[kind]label.Form{
	nullKind: label.Null, boolKind: label.Bool, intKind: label.Int, floatKind: label.Float, textKind: label.Text,
}
