package spec

import (
	"slices"

	"tributary/transforms/label"
)

// labelType is a function's name, or a mapping of one function to its field.
var labelType = valueType[Label]{
	about: about{
		what: "a function, or a mapping of one to its field", words: plainLabels(), inner: []*section{typedSection},
		schema: object{{"anyOf", []any{
			oneOf(plainLabels()...),
			object{
				{"type", "object"},
				{"additionalProperties", false},
				{"minProperties", 1},
				{"maxProperties", 1},
				{"properties", labelFields()},
			},
		}}},
	},
	read: func(r *reader, n *node, at dotted, _ *fields) Label { return r.label(n, at, "label") },
	inline: func(l Label) string {
		if l.Field == "" {
			return string(l.Func)
		}
		field := quoted(l.Field)
		if l.Type != "" {
			field = typedSection.inline(&l)
		}
		return "{" + string(l.Func) + ": " + field + "}"
	},
	text: func(l Label) string {
		if l.Field == "" {
			return string(l.Func)
		}
		if l.Type != "" {
			return string(l.Func) + " of " + l.Field + " (" + string(l.Type) + ")"
		}
		return string(l.Func) + " of " + l.Field
	},
}

// plainLabels are the functions that take no field, fieldLabels those that need one.
func plainLabels() []string { return texts(label.All(label.Nothing)) }
func fieldLabels() []string { return texts(label.All(label.Number, label.Value)) }

// labelFields are the functions with a field, in the JSON Schema.
func labelFields() (properties object) {
	for _, f := range label.All(label.Number, label.Value) {
		field := object{{"description", f.Definition().Doc}, {"$ref", "#/$defs/field"}}
		if f.Carries() {
			field = object{{"description", f.Definition().Doc}, {"anyOf", []any{ref("field"), typedSection.schema()}}}
		}
		properties = append(properties, member{string(f), field})
	}
	return properties
}

// label reads a function's name, or a mapping of one function to its field; key is what stands before it.
func (r *reader) label(n *node, at dotted, key string) Label {
	all := slices.Concat(plainLabels(), fieldLabels())
	bad := func(at *node, field dotted, hint string, format string, args ...any) Label {
		p := r.problem("T1303", at, field, format, args...)
		p.Got, p.Allowed, p.Hint = at.text, labelForms(), hint
		r.add(p)
		return Label{}
	}
	if n.kind != mapKind {
		text := r.text(n, at)
		switch {
		case text == "" || slices.Contains(plainLabels(), text):
			return Label{Func: label.Func(text)}
		case slices.Contains(all, text):
			return bad(n, at, "name the field, like `"+key+": {"+text+": price}`", "%s needs a field", text)
		}
		p := r.notAllowed(n, at, text, labelForms())
		if p.Nearest = Nearest(text, all); slices.Contains(fieldLabels(), p.Nearest) {
			p.Hint = "name the field, like `label: {" + p.Nearest + ": price}`"
		} else {
			p.Fix = r.replaced(n, p.Nearest)
		}
		r.add(p)
		return Label{}
	}
	f := r.pairs(n, at, &section{name: "label"}, nil)
	if len(n.pairs) != 1 {
		if len(n.pairs) == 0 {
			return bad(n, at, "", "names no function")
		}
		return bad(n.pairs[1].key, at, "give each a name, like `labels: {least: {min: price}, most: {max: price}}`", "a label has one function, this is a second one")
	}
	p := f.node.pairs[0]
	name := p.key.text
	switch {
	case slices.Contains(plainLabels(), name):
		return bad(p.key, at.key(name), "write `"+key+": "+name+"`", "%s takes no field", name)
	case !slices.Contains(all, name):
		wrong := r.notAllowed(p.key, at.key(name), name, fieldLabels())
		r.add(wrong)
		return Label{}
	}
	l := Label{Func: label.Func(name)}
	r.labelField(p.value, at.key(name), &l, key)
	return l
}

func labelForms() []string {
	forms := plainLabels()
	for _, name := range fieldLabels() {
		forms = append(forms, "{"+name+": FIELD}")
	}
	return forms
}
