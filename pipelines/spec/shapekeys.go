package spec

import (
	"slices"
	"strings"

	"tributary/io/record"
	"tributary/transforms/sample"
)

// shapeSection says what samples hold of their view. It is not a part of an output: a sample is encoded once, when its
// bucket closes, and the same bytes go to all places.
var shapeSection = &section{
	name: "sample",
	keys: []key{
		{
			name: "fields", example: "[user.id, {pos: ctx.position}]",
			doc:   "Fields of the view that are columns of their own, beside the labels, in this order. A column is called like the last name of its path, or as the spec says, and of the type of its field, or of the one that the spec says: {price: {field: item.price, type: double}}.",
			value: at(sampleFieldsType, func(s *Sample) *[]SampleField { return &s.Fields }),
		},
		{
			name: "view", example: "none",
			doc:   "How samples hold the view itself: as one field (record), with each of its fields as a column (flat), or not at all (none). A field view_id that is the whole id of the views is in samples once.",
			value: at(choice(ViewForms), func(s *Sample) *ViewForm { return &s.View }).orElse("record", nil),
		},
	},
}

// whole tells whether samples hold the view as it is, and nothing else of it.
func (s Sample) whole() bool {
	return len(s.Fields) == 0 && (s.View == "" || s.View == sample.ViewRecord)
}

// castSection is a field as a column of another type.
var castSection = &section{
	name: "a column with a type",
	keys: []key{
		{
			name: "field", example: "item.price", required: true,
			doc:   "The path of the field.",
			value: at(fieldType, func(f *SampleField) *string { return &f.Field }),
		},
		{
			name: "type", example: "double", required: true,
			doc:   "The type of the column, which is this or null. A view whose field cannot be of the type without loss is a dead letter. Numbers as text are numbers, empty text is then null, and true and false are 1 and 0.",
			value: at(choice(sample.Casts), func(f *SampleField) *sample.Cast { return &f.Type }),
		},
	},
}

// sampleFieldsType is a list of fields, each with the name of its column or without.
var sampleFieldsType = valueType[[]SampleField]{
	about: about{
		what: "a list of fields", inner: []*section{castSection},
		schema: object{{"type", "array"}, {"minItems", 1}, {"items", object{{"anyOf", []any{
			ref("field"),
			object{
				{"type", "object"},
				{"minProperties", 1},
				{"maxProperties", 1},
				{"propertyNames", object{{"pattern", sample.ColumnPattern}}},
				{"additionalProperties", object{{"anyOf", []any{ref("field"), castSection.schema()}}}},
			},
		}}}}},
	},
	read:   func(r *reader, n *node, at dotted, _ *fields) []SampleField { return r.sampleFields(n, at) },
	absent: func(all []SampleField) bool { return len(all) == 0 },
	inline: func(all []SampleField) string {
		items := make([]string, len(all))
		for i, f := range all {
			items[i] = quoted(f.Field)
			if f.Type != "" || f.Name != lastName(f.Field) {
				items[i] = f.named(f.Name)
			}
		}
		return "[" + strings.Join(items, ", ") + "]"
	},
	text: func(all []SampleField) string {
		items := make([]string, len(all))
		for i, f := range all {
			items[i] = f.Field
			if f.Name != lastName(f.Field) {
				items[i] += " as " + f.Name
			}
			if f.Type != "" {
				items[i] += " (" + string(f.Type) + ")"
			}
		}
		return strings.Join(items, ", ")
	},
}

// named is the column, under a name, as a spec has it.
func (f SampleField) named(name string) string {
	field := quoted(f.Field)
	if f.Type != "" {
		field = castSection.inline(&f)
	}
	return braced([]string{name + ": " + field})
}

// lastName is what the column of a field is called if nothing else is said.
func lastName(path string) string {
	names, err := record.ParsePath(path)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// sampleFields reads the columns of samples that are fields of the view.
func (r *reader) sampleFields(n *node, at dotted) (out []SampleField) {
	switch {
	case n.kind == badKind:
		r.failed[at] = true
		return nil
	case n.kind != listKind:
		p := r.problem("T1010", n, at, "must be a list of fields, got %s", n.kind)
		p.Hint = "for example `fields: [user.id, {pos: ctx.position}]`"
		if n.kind == textKind {
			p.Got, p.Fix = n.text, r.replaced(n, "["+r.written(n)+"]")
		}
		r.add(p)
		return nil
	case len(n.items) == 0:
		p := r.problem("T1012", n, at, "names no field")
		p.Hint = "leave it out to have none"
		r.add(p)
		return nil
	}
	own := sample.OwnColumns()
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		f, named := r.sampleField(item, at)
		if f.Field == "" || f.Name == "" {
			continue
		}
		if record.IsOwn(f.Field) {
			p := r.problem("T1124", item, at, "%s stands beside the value of a record, and a column is a field of the view itself", f.Field)
			p.Got = f.Field
			r.add(p)
			continue
		}
		clash := func(format string, args ...any) {
			p := r.problem("T1410", named, at, format, args...)
			other := "{the_" + f.Name + ": " + inYAML(f.Field) + "}"
			if f.Type != "" {
				other = f.named("the_" + f.Name)
			}
			p.Got, p.Hint = f.Name, "give the column another name, like `"+other+"`"
			r.add(p)
		}
		j := slices.IndexFunc(out, func(other SampleField) bool { return other.Name == f.Name })
		switch {
		case slices.Contains(own, f.Name):
			clash("samples have a column %s of their own", f.Name)
		case j >= 0:
			clash("two columns would be called %s: of %s and of %s", f.Name, out[j].Field, f.Field)
		}
		out = append(out, f)
	}
	return out
}

// sampleField reads a field, or a mapping of a column's name to it, or to it and a type; named is where its name stands.
func (r *reader) sampleField(n *node, at dotted) (f SampleField, named *node) {
	if n.kind != mapKind {
		f.Field = r.fieldPath(n, at)
		f.Name = lastName(f.Field)
		if f.Field != "" && !sample.ColumnName(f.Name) {
			p := r.problem("T1411", n, at, "a column cannot be called %q", f.Name)
			p.Got, p.Allowed = f.Name, columnNames
			p.Hint = "give it a name, like `{column: " + inYAML(f.Field) + "}`"
			r.add(p)
			return SampleField{}, n
		}
		return f, n
	}
	pairs := r.pairs(n, at, &section{name: "fields"}, nil)
	if pairs == nil {
		return f, n
	}
	if len(n.pairs) != 1 {
		p := r.problem("T1012", n, at, "names no field")
		if len(n.pairs) > 1 {
			p = r.problem("T1411", n.pairs[1].key, at, "one column has one name, this is a second one")
			p.Got, p.Hint = n.pairs[1].key.text, "make an item of the list for each column: [{a: x}, {b: y}]"
		}
		r.add(p)
		return f, n
	}
	pair := n.pairs[0]
	if !sample.ColumnName(pair.key.text) {
		p := r.problem("T1411", pair.key, at, "a column cannot be called %q", pair.key.text)
		p.Got, p.Allowed = pair.key.text, columnNames
		p.Hint = "the name of the column stands before the field: {pos: ctx.position}"
		r.add(p)
		return f, n
	}
	if value := pair.value; value.kind == mapKind {
		castSection.read(r, value, at.key(pair.key.text), nil, &f)
	} else {
		f.Field = r.fieldPath(value, at.key(pair.key.text))
	}
	f.Name = pair.key.text
	return f, pair.key
}

// columnNames are what a column may be called.
var columnNames = []string{"letters, digits and _, no digit first"}

// flatRule wants a schema of views whose fields are all to be columns.
func (r *reader) flatRule(s *Spec) {
	if s.Sample.View != sample.ViewFlat || !r.ok("sample.view", "views.inputs") {
		return
	}
	for i, in := range s.Views.Inputs {
		if in.Schema != "" || in.Format == "" || in.Format.schemas() {
			continue
		}
		at := dotted("views.inputs").index(i)
		p := r.problem("T1412", r.at("sample.view"), "sample.view", "views cannot be flat: those of %s are %s without a schema, and which fields they have is not known", in.name(), in.Format)
		p.Got, p.Hint = string(s.Sample.View), "give the input a schema (schema: FILE.avsc), or name the fields: `sample: {fields: [user.id], view: none}`"
		if !r.ok(at) {
			continue
		}
		r.add(p)
		return
	}
}
