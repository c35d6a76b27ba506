package spec

import (
	"slices"
	"strconv"

	"tributary/pipelines/spec/problem"
	"tributary/transforms/label"
)

// testSamples reads what must come out of a test.
func (r *reader) testSamples(t *Test, n *node, at dotted, above *fields, s *Spec) (samples []map[string]any) {
	if n.kind != listKind {
		r.records(n, at, nil, nil) // which reports what is wrong
		return nil
	}
	known := map[string]bool{}
	for _, view := range t.Views {
		if id, ok := Lookup(view, s.Views.ID); ok {
			known[idText(id)] = true
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

// perKind reads a mapping of kinds to labels or delays.
func (r *reader) perKind(key string, n *node, at dotted, above *fields, s *Spec) any {
	f := r.pairs(n, at, &section{name: key}, above)
	if f == nil {
		return nil
	}
	out := map[string]any{}
	for e, value := range r.kinds(f, at, s) {
		value = value.number()
		want := "a whole number of milliseconds, or null for no engagement"
		fits := value.kind == nullKind || value.kind == intKind
		if key == "labels" {
			want, fits = e.Label.takes(value)
		}
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

// takes tells whether a label may have a value, and in words which it may have.
func (l Label) takes(n *node) (want string, ok bool) {
	d := l.Func.Definition()
	if d == nil {
		return "", true // the label itself is wrong, and was reported
	}
	form, ok := forms[n.kind]
	return d.Holds, ok && d.Fits(form, n.text)
}

// forms of values that a label can have.
var forms = map[kind]label.Form{
	nullKind: label.Null, boolKind: label.Bool, intKind: label.Int, floatKind: label.Float, textKind: label.Text,
}
