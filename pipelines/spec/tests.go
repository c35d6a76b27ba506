package spec

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"tributary/io/record"
	"tributary/pipelines/spec/problem"
)

// Millis reads a time as tests write it, RFC 3339 text or a number in the field's
// unit, or text by its pattern, in milliseconds since the epoch. Text may always be RFC 3339.
func (t TimeField) Millis(v any) (int64, error) {
	if t.Field == record.OwnTimestamp {
		t.Unit = record.UnitEpochMs
	}
	at, err := record.NewTimeReader(record.TimeForm{Unit: t.Unit, Pattern: t.Pattern, Zone: t.Zone})
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case string:
		text := record.Value{Kind: record.String, Text: []byte(v)}
		if ms, err := text.Millis(record.UnitRFC3339); err == nil {
			return ms, nil
		}
		return at.Millis(text)
	case int64:
		return at.Millis(record.Value{Kind: record.Int, Int: v})
	case float64:
		return at.Millis(record.Value{Kind: record.Float, Float: v})
	}
	return at.Millis(record.Value{})
}

// Lookup returns the value at a field path of a record; ok is false if it is absent.
func Lookup(rec map[string]any, field string) (value any, ok bool) {
	names, err := record.ParsePath(field)
	if err != nil {
		return nil, false
	}
	value = rec
	for _, name := range names {
		inner, isMap := value.(map[string]any)
		if !isMap {
			return nil, false
		}
		if value, ok = inner[name]; !ok {
			return nil, false
		}
	}
	return value, true
}

// tests reads the spec's own tests.
func (r *reader) tests(n *node, at dotted, above *fields, s *Spec) []Test {
	if n.kind == mapKind || n.kind == textKind {
		p := r.problem("T1010", n, at, "must be a list, got %s", n.kind)
		p.Hint = "begin each test with `- name: ...`"
		r.add(p)
		return nil
	}
	if n.kind != listKind {
		r.text(n, at)
		return nil
	}
	var out []Test
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		t, ok := r.test(item, at, above, s)
		if !ok {
			continue
		}
		if first := slices.IndexFunc(out, func(o Test) bool { return o.Name == t.Name }); first >= 0 && t.Name != "" {
			p := r.problem("T1504", item, at.key("name"), "another test has this name, in line %d", out[first].At.Line)
			p.Got, p.Hint = t.Name, "say what is different about this one"
			r.add(p)
		}
		out = append(out, t)
	}
	return out
}

func (r *reader) test(n *node, at dotted, above *fields, s *Spec) (Test, bool) {
	t := testInSpec{spec: s}
	t.At = problem.Position{File: r.file, Line: n.line, Column: n.column}
	f := testSection.read(r, n, at, above, &t)
	return t.Test, f != nil
}

// testViews reads the views of a test.
func (r *reader) testViews(n *node, at dotted, s *Spec) []map[string]any {
	if n.kind == listKind && len(n.items) == 0 {
		r.add(r.problem("T1012", n, at, "a test needs a view: each sample comes from one"))
	}
	return r.records(n, at, []idFields{
		{"id", ofRecord(s.Views.ID, s.Views.Each, s.Views.Fields), false}, {"key", ofRecord(s.Views.Key, s.Views.Each, s.Views.Fields), false},
	}, map[string]TimeField{"time": s.Views.Time}, s.Views.Fields)
}

func (r *reader) testEngagements(n *node, at dotted, above *fields, s *Spec) map[string][]map[string]any {
	f := r.pairs(n, at, &section{name: "a test's engagements"}, above)
	if f == nil {
		return nil
	}
	out := map[string][]map[string]any{}
	for e, value := range r.kinds(f, at, s) {
		times := map[string]TimeField{"time": e.Time}
		if e.ViewTime != nil && !e.OfElement(e.ViewTime.Field) {
			times["view_time"] = *e.ViewTime
		}
		named, fields := e.Named()
		out[e.Kind] = append(out[e.Kind], r.records(value, at.key(e.Kind), []idFields{
			{named, ofRecord(fields, e.Each, e.Fields), false}, {"id", ofRecord(e.ID, e.Each, e.Fields), true},
		}, times, e.Fields)...)
	}
	return out
}

func (r *reader) unknownKind(key *node, at dotted, s *Spec) {
	var kinds []string
	for _, e := range s.Engagements {
		kinds = append(kinds, e.Kind)
	}
	p := r.problem("T1501", key, at, "there is no kind of engagement %q", key.text)
	p.Got, p.Allowed = key.text, kinds
	if p.Nearest = Nearest(key.text, kinds); p.Nearest != "" {
		p.Fix = r.replaced(key, p.Nearest)
	}
	r.add(p)
}

// records reads a list of views or engagements. ids and times are the fields that
// each must have, by the key of the spec that names them; empty ones are not asked for.
func (r *reader) records(n *node, at dotted, ids []idFields, times map[string]TimeField, computed []ComputedField) []map[string]any {
	if n.kind != listKind {
		if n.kind == badKind {
			r.failed[at] = true
			return nil
		}
		p := r.problem("T1010", n, at, "must be a list of records, got %s", n.kind)
		p.Hint = "for example `[{view_id: v1, ts: 2026-01-01T10:00:00Z}]`"
		r.add(p)
		return nil
	}
	var out []map[string]any
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		if item.kind != mapKind {
			r.pairs(item, at, &section{name: "a record"}, nil)
			continue
		}
		record, ok := r.value(item, at).(map[string]any)
		if !ok {
			continue
		}
		out = append(out, record)
		r.checkIDs(item, at, record, ids)
		r.checkTimes(item, at, record, times, computed)
	}
	return out
}

// idFields are the fields of an id, with the key of the spec that names them. A record may be without one that is optional.
type idFields struct {
	key      string
	fields   []string
	optional bool
}

func (r *reader) checkIDs(n *node, at dotted, record map[string]any, ids []idFields) {
	for _, id := range ids {
		has := func(field string) bool {
			_, ok := Lookup(record, field)
			return ok
		}
		if id.optional && !slices.ContainsFunc(id.fields, has) {
			continue
		}
		for _, field := range id.fields {
			r.checkID(n, at, record, id.key, field)
		}
	}
}

// checkID looks at a field of an id.
func (r *reader) checkID(n *node, at dotted, record map[string]any, key, field string) {
	v, ok := Lookup(record, field)
	switch v.(type) {
	case string, int64:
		if v != "" {
			return
		}
	}
	fieldAt, fieldNode := r.recordField(n, at, field)
	if !r.ok(fieldAt) {
		return
	}
	if ok {
		p := r.problem("T1502", fieldNode, fieldAt, "%s is the spec's %s field, and must be text or a whole number to identify anything", field, key)
		p.Got = fieldNode.text
		r.add(p)
		return
	}
	r.lacks(n, fieldAt, field, key, "v1")
}

func (r *reader) checkTimes(n *node, at dotted, record map[string]any, times map[string]TimeField, computed []ComputedField) {
	for _, key := range []string{"time", "view_time"} {
		t, asked := times[key]
		if !asked || t.Field == "" {
			continue
		}
		v, ok, err := t.ValueIn(record, computed)
		fieldAt, fieldNode := r.recordField(n, at, t.Field)
		if !r.ok(fieldAt) {
			continue
		}
		if err != nil {
			r.add(r.problem("T1503", n, fieldAt, "%v", err))
			continue
		}
		if !ok {
			r.lacks(n, fieldAt, t.Field, key, "2026-01-01T10:00:00Z")
			continue
		}
		if _, err := t.Millis(v); err != nil {
			p := r.problem("T1503", fieldNode, fieldAt, "%v", err)
			p.Got, p.Allowed = fieldNode.text, []string{"RFC 3339, like 2026-01-01T10:00:00Z", "a number in the unit of the field"}
			if t.Pattern != "" {
				p.Allowed[1] = "text as " + t.Pattern + " says"
			}
			r.add(p)
		}
	}
}

// lacks reports a record without a field that it is joined by.
func (r *reader) lacks(n *node, at dotted, field, key, example string) {
	p := r.problem("T1502", n, at, "the record has no %s, which is the spec's %s field", field, key)
	p.Hint = "add it, like `" + flowExample(field, example) + "`"
	names, err := record.ParsePath(field)
	for _, pair := range n.pairs {
		if err == nil && len(names) == 1 && Nearest(pair.key.text, names) == names[0] {
			p.Got, p.Nearest, p.Fix = pair.key.text, names[0], r.replaced(pair.key, inYAML(names[0]))
			break
		}
	}
	r.add(p)
}

// recordField returns where a field of a record stands; the record itself if it has none.
func (r *reader) recordField(n *node, at dotted, field string) (dotted, *node) {
	names, err := record.ParsePath(field)
	if err != nil {
		names = nil
	}
	for _, name := range names {
		i := slices.IndexFunc(n.pairs, func(p pair) bool { return p.key.text == name })
		if i < 0 {
			break
		}
		n = n.pairs[i].value
	}
	return at.key(field), n
}

// flowExample writes a field path and its value in brackets: {user: {id: v1}}.
func flowExample(field, value string) string {
	names, err := record.ParsePath(field)
	if err != nil {
		names = []string{field}
	}
	for i := range names {
		names[i] = inYAML(names[i])
	}
	return "{" + strings.Join(names, ": {") + ": " + value + strings.Repeat("}", len(names))
}

// kinds goes through the kinds of engagement of a mapping; keys that are none are reported.
func (r *reader) kinds(f *fields, at dotted, s *Spec) iter.Seq2[*Engagement, *node] {
	return func(yield func(*Engagement, *node) bool) {
		for _, p := range f.node.pairs {
			e := s.Engagement(p.key.text)
			if e == nil {
				r.unknownKind(p.key, at.key(p.key.text), s)
			} else if !yield(e, p.value) {
				return
			}
		}
	}
}

// value turns a node into a plain Go value: nil, bool, int64, float64, string, []any
// or map[string]any.
func (r *reader) value(n *node, at dotted) any {
	switch n.kind {
	case boolKind:
		return n.text == "true"
	case intKind:
		if i, ok := r.decimal(n, at, true); ok {
			return i
		}
	case floatKind:
		f, err := strconv.ParseFloat(n.text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			r.add(r.problem("T1014", n, at, "%s is not a finite number", n.text))
			return nil
		}
		return f
	case textKind:
		return n.text
	case listKind:
		out := make([]any, 0, len(n.items))
		for i, item := range n.items {
			out = append(out, r.value(item, at.index(i)))
		}
		return out
	case mapKind:
		f := r.pairs(n, at, &section{name: "a record"}, nil)
		out := make(map[string]any, len(f.found))
		for name, p := range f.found {
			out[name] = r.value(p.value, at.key(name))
		}
		return out
	case nullKind: // nil
	case badKind:
		r.failed[at] = true
	}
	return nil
}
