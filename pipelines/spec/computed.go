package spec

import (
	"encoding/json"
	"fmt"
	"slices"

	"tributary/io/expression"
	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// computedType is fields that are computed: a mapping of their names to expressions.
var computedType = valueType[[]ComputedField]{
	about: about{
		what: "a mapping of names to expressions",
		schema: object{
			{"type", "object"},
			{"minProperties", 1},
			{"propertyNames", object{{"pattern", sample.ColumnPattern}}},
			{"additionalProperties", ref("text")},
		},
	},
	read:   func(r *reader, n *node, at dotted, _ *fields) []ComputedField { return r.computedFields(n, at) },
	absent: func(all []ComputedField) bool { return len(all) == 0 },
	inline: func(all []ComputedField) string {
		parts := make([]string, len(all))
		for i, f := range all {
			parts[i] = f.Name + ": " + quoted(f.Expression)
		}
		return braced(parts)
	},
	text: func(all []ComputedField) string {
		text := ""
		for i, f := range all {
			if i > 0 {
				text += ", "
			}
			text += f.Name + " = " + f.Expression
		}
		return text
	},
}

// computedFields reads fields that are computed.
func (r *reader) computedFields(n *node, at dotted) (out []ComputedField) {
	if n.kind == mapKind && len(n.pairs) == 0 {
		p := r.problem("T1012", n, at, "has no field")
		p.Hint = "leave it out to compute none"
		r.add(p)
		return nil
	}
	if n.kind != mapKind && n.kind != badKind {
		p := r.problem("T1010", n, at, "must be a mapping of names to expressions, got %s", n.kind)
		p.Hint = "for example `fields: {eur: 'double(price) * 1.1'}`"
		r.add(p)
		return nil
	}
	if r.pairs(n, at, &section{name: "fields"}, nil) == nil {
		return nil
	}
	for _, pair := range n.pairs {
		at := at.key(pair.key.text)
		r.mark(at, pair.key, pair.value)
		if !sample.ColumnName(pair.key.text) {
			p := r.problem("T1118", pair.key, at, "a computed field cannot be called %q", pair.key.text)
			p.Got, p.Allowed = pair.key.text, columnNames
			r.add(p)
			continue
		}
		if text, asks := r.parsed(pair.value, at, expression.ParseValue); asks != nil {
			out = append(out, ComputedField{Name: pair.key.text, Expression: text})
		}
	}
	return out
}

// computed replaces uses of computed fields by those of what they are computed of.
func computed(uses []use, fields []ComputedField) (out []use) {
	for _, u := range uses {
		i := slices.IndexFunc(fields, func(f ComputedField) bool { return f.Name == u.field })
		if i < 0 {
			out = append(out, u)
			continue
		}
		asks, err := expression.ParseValue(fields[i].Expression)
		if err != nil {
			continue // it has been reported
		}
		for _, f := range asks.Fields {
			out = append(out, use{f.Path, u.at})
		}
	}
	return out
}

// computedRules looks at what is read before fields are computed, and so cannot be one: lists, partitions and offsets.
func (r *reader) computedRules(fields []ComputedField, early []use) {
	for _, u := range early {
		if slices.ContainsFunc(fields, func(f ComputedField) bool { return f.Name == u.field }) {
			p := r.problem("T1119", r.at(u.at), u.at, "%s is computed, and partitions, offsets and lists are read before that", u.field)
			p.Got, p.Hint = u.field, "name a field of the record"
			r.add(p)
		}
	}
}

// sameComputed tells whether fields of those names are the same with both, computed or not.
func sameComputed(a, b []ComputedField, names ...string) bool {
	of := func(fields []ComputedField, name string) string {
		if i := slices.IndexFunc(fields, func(f ComputedField) bool { return f.Name == name }); i >= 0 {
			return fields[i].Expression
		}
		return ""
	}
	return !slices.ContainsFunc(names, func(name string) bool { return of(a, name) != of(b, name) })
}

// OfElement tells whether a field is, or may be, of an element of the list of each.
func (e *Engagement) OfElement(field string) bool {
	return e.Each != "" && (rules.InElement(field, e.Each) || slices.ContainsFunc(e.Fields, func(f ComputedField) bool { return f.Name == field }))
}

// ValueIn is the value of a time field in a record of a test, computed if it is one of the fields; not ok if the record has none.
func (t TimeField) ValueIn(rec map[string]any, fields []ComputedField) (value any, ok bool, err error) {
	i := slices.IndexFunc(fields, func(f ComputedField) bool { return f.Name == t.Field })
	if i < 0 {
		value, ok = Lookup(rec, t.Field)
		return value, ok, nil
	}
	asks, err := expression.ParseValue(fields[i].Expression)
	if err != nil {
		return nil, false, err
	}
	program, err := asks.Program()
	if err != nil {
		return nil, false, err
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return nil, false, err
	}
	paths := make([]string, len(asks.Fields))
	for i, f := range asks.Fields {
		paths[i] = f.Path
	}
	values := make([]record.Value, len(paths))
	if _, err := jsontext.NewExtractor(paths).Extract(text, values); err != nil {
		return nil, false, err
	}
	v, err := program.Value(values)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", t.Field, err)
	}
	switch v.Kind {
	case record.Null:
		return nil, false, nil
	case record.Int:
		return v.Int, true, nil
	case record.Float:
		return v.Float, true, nil
	case record.String:
		return string(v.Text), true, nil
	default:
		return nil, true, fmt.Errorf("%s: %s is no time", t.Field, v)
	}
}
