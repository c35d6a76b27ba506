package spec

import (
	"slices"
	"strings"

	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// NamedLabel is one of several labels of a kind.
type NamedLabel struct {
	Name string
	Label
}

// AllLabels are the labels of a kind: Labels, or the one that is called like the kind.
func (e *Engagement) AllLabels() []NamedLabel {
	if len(e.Labels) > 0 {
		return e.Labels
	}
	return []NamedLabel{{Name: e.Kind, Label: e.Label}}
}

// labelAt is where a label of the kind stands.
func (e *Engagement) labelAt(l *NamedLabel) dotted {
	at := dotted("engagements").key(e.Kind)
	if len(e.Labels) > 0 {
		return at.key("labels").key(l.Name)
	}
	return at.key("label")
}

// typedSection is the field of a label with a type of its own.
var typedSection = &section{
	name: "a label with a type",
	keys: []key{
		{
			name: "field", example: "coupon_code", required: true,
			doc:   "The path of the field.",
			value: at(fieldType, func(l *Label) *string { return &l.Field }),
		},
		{
			name: "type", example: "string", required: true,
			doc:   "The type of the label, which is this or null. A value that cannot be of the type without loss is as on_bad_value says. Numbers as text are numbers, and true and false are 1 and 0.",
			value: at(choice(sample.Casts), func(l *Label) *sample.Cast { return &l.Type }),
		},
	},
}

// labelsType is a mapping of names to labels.
var labelsType = valueType[[]NamedLabel]{
	about: about{
		what: "a mapping of names to labels",
		schema: object{
			{"type", "object"},
			{"minProperties", 1},
			{"propertyNames", object{{"pattern", kindPattern}, {"not", oneOf(reserved...)}}},
			{"additionalProperties", labelType.schema},
		},
	},
	read:   func(r *reader, n *node, at dotted, _ *fields) []NamedLabel { return r.labels(n, at) },
	absent: func(all []NamedLabel) bool { return len(all) == 0 },
	inline: func(all []NamedLabel) string {
		parts := make([]string, len(all))
		for i, l := range all {
			parts[i] = l.Name + ": " + labelType.inline(l.Label)
		}
		return braced(parts)
	},
	text: func(all []NamedLabel) string {
		parts := make([]string, len(all))
		for i, l := range all {
			parts[i] = l.Name + " = " + labelType.text(l.Label)
		}
		return strings.Join(parts, ", ")
	},
}

// labels reads a mapping of names to labels.
func (r *reader) labels(n *node, at dotted) (out []NamedLabel) {
	switch {
	case n.kind == badKind:
		r.failed[at] = true
		return nil
	case n.kind != mapKind:
		p := r.problem("T1010", n, at, "must be a mapping of names to labels, got %s", n.kind)
		p.Hint = "for example `labels: {bought: binary, value: {sum: price}}`"
		r.add(p)
		return nil
	case len(n.pairs) == 0:
		p := r.problem("T1012", n, at, "names no label")
		p.Hint = "leave it out for one that is called like the kind"
		r.add(p)
		return nil
	}
	f := r.pairs(n, at, &section{name: "labels"}, nil)
	for _, pair := range n.pairs {
		if f.found[pair.key.text].key != pair.key {
			continue // named twice
		}
		at := at.key(pair.key.text)
		r.columnName(pair.key, at, labelNames)
		out = append(out, NamedLabel{pair.key.text, r.label(pair.value, at, pair.key.text)})
	}
	return out
}

// oneOfBoth wants either label or labels.
func (r *reader) oneOfBoth(n *node, at dotted, e *Engagement, f *fields) {
	if other, _ := f.get("label"); other != nil {
		p := r.problem("T1440", n, at, "a kind has either label or labels, and label stands in line %d", other.line)
		p.Hint = "put it into labels, under a name"
		r.add(p)
	}
	e.Label = Label{} // of which none is written
}

// labelRules looks at the names of labels, which are columns of one record.
func (r *reader) labelRules(s *Spec) {
	kinds := map[string]string{} // of a label's name, its kind
	for i := range s.Engagements {
		if e := &s.Engagements[i]; len(e.Labels) == 0 {
			kinds[e.Kind] = e.Kind
		}
	}
	for i := range s.Engagements {
		e := &s.Engagements[i]
		for _, l := range e.Labels {
			at := e.labelAt(&l)
			clash := func(format string, args ...any) {
				position := r.marks[string(at)].key
				p := r.problem("T1443", &node{kind: textKind, line: position.Line, column: position.Column, width: len(l.Name)}, at, format, args...)
				p.Got, p.Hint = l.Name, "give the label another name, like "+e.Kind+"_"+l.Name
				r.add(p)
			}
			switch other, taken := kinds[l.Name]; {
			case taken && other == l.Name:
				clash("%s is the label of the kind %s", l.Name, other)
			case taken:
				clash("%s is a label of the kind %s as well", l.Name, other)
			case l.Name != e.Kind && s.Engagement(l.Name) != nil:
				clash("%s is a kind, and this is a label of another one", l.Name)
			}
			kinds[l.Name] = e.Kind
		}
	}
}

// labelField is the field of a label: its path, or that with a type.
func (r *reader) labelField(n *node, at dotted, l *Label, key string) {
	if n.kind != mapKind {
		l.Field = r.fieldPath(n, at)
		return
	}
	if l.Func.Carries() {
		typedSection.read(r, n, at, nil, l)
		return
	}
	if f := typedSection.read(r, n, at, nil, l); f == nil {
		return
	}
	p := r.problem("T1444", n, at, "%s is always of one type", l.Func)
	p.Allowed = texts(slices.DeleteFunc(label.All(label.Value), func(f label.Func) bool { return !f.Carries() }))
	p.Hint = "name the field alone, like `" + key + ": {" + string(l.Func) + ": " + inYAML(l.Field) + "}`"
	if l.Field == "" {
		p.Hint = "name the field alone, like `" + key + ": {" + string(l.Func) + ": price}`"
	}
	r.add(p)
	l.Type = ""
}
