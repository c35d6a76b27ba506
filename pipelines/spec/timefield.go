package spec

import (
	"slices"

	"tributary/io/record"
)

// timeType is a field with a time: its path, or a mapping of path and unit.
var timeType = valueType[TimeField]{
	about:  about{what: "a field, or a mapping of field and unit", schema: ref("time"), inner: []*section{timeSection}},
	read:   (*reader).timeField,
	inline: timeText, text: TimeField.text,
}

var timeSection = &section{
	name: "a time field",
	keys: []key{
		{
			name: "field", example: "ts", required: true,
			doc:   "The path of the field.",
			value: at(fieldType, func(t *TimeField) *string { return &t.Field }),
		},
		{
			name: "unit", example: "epoch-seconds",
			doc: "How the time is written.",
			value: at(unitType, func(t *TimeField) *record.Unit { return &t.Unit }).orElse(
				"as Avro's logical type says, or for text RFC 3339 and the like, with a zone: 2026-01-02T15:04:05Z, 2026-01-02 15:04:05.25 UTC, 2026-01-02 16:04:05+01", nil),
		},
	},
}

var unitType = func() valueType[record.Unit] {
	f := choice(record.Units)
	f.read = func(r *reader, n *node, at dotted, _ *fields) record.Unit { return r.unit(n, at) }
	return f
}()

func (r *reader) timeField(n *node, at dotted, above *fields) TimeField {
	if n.kind != mapKind {
		return TimeField{Field: r.fieldPath(n, at)}
	}
	var t TimeField
	timeSection.read(r, n, at, above, &t)
	return t
}

func (r *reader) unit(n *node, at dotted) record.Unit {
	text := r.text(n, at)
	if text == "" || slices.Contains(texts(record.Units), text) {
		return record.Unit(text)
	}
	p := r.notAllowed(n, at, text, texts(record.Units))
	p.Nearest = nearestUnit(text)
	p.Fix = r.replaced(n, p.Nearest)
	r.add(p)
	return ""
}

func timeText(t TimeField) string {
	if t.Unit == "" {
		return quoted(t.Field)
	}
	return timeSection.inline(&t)
}

func (t TimeField) text() string {
	if t.Unit == "" {
		return t.Field
	}
	return t.Field + " (" + string(t.Unit) + ")"
}
