package spec

import (
	"time"

	"tributary/transforms/label"
)

// kindSection is one kind of engagement.
var kindSection = &section{
	name: "a kind of engagement",
	keys: []key{
		{
			name: "inputs", example: "[data/*.avro]", required: true,
			doc:   "The files or topics that engagements are in. Kinds may share them.",
			value: at(inputsType, func(e *Engagement) *[]Input { return &e.Inputs }),
		},
		{
			name: "where", example: "{kind: like}",
			doc:   "Only records whose fields have these values. Numbers are equal as numbers (1e6 is 1000000), booleans as booleans, text byte for byte.",
			value: at(whereType, func(e *Engagement) *[]Condition { return &e.Where }),
		},
		{
			name: "view", example: "view_id", required: true,
			doc:   "The field that names the view.",
			value: at(fieldType, func(e *Engagement) *string { return &e.View }),
		},
		{
			name: "time", example: "ts", required: true,
			doc:   "The field with the engagement's time.",
			value: at(timeType, func(e *Engagement) *TimeField { return &e.Time }),
		},
		{
			name: "view_time", example: "view_ts",
			doc:   "The field with the view's time, if there is one: the join is cheaper with it.",
			value: at(optional(timeType), func(e *Engagement) **TimeField { return &e.ViewTime }),
		},
		{
			name: "id", example: "event_id",
			doc:   "The field that identifies the engagement itself, to find duplicates.",
			value: at(fieldType, func(e *Engagement) *string { return &e.ID }),
		},
		{
			name: "window", example: "30m", required: true,
			doc:   "How long after its view an engagement counts: up to, but not at, this time.",
			value: at(lengthType, func(e *Engagement) *time.Duration { return &e.Window }),
		},
		{
			name: "label", example: "{sum: price}",
			doc:   "What the engagements that count become. sum, min, max, first and last are of a field.",
			value: at(labelType, func(e *Engagement) *Label { return &e.Label }).or(Label{Func: label.Binary}),
		},
		{
			name: "on_bad_value", example: `"null"`,
			doc: "What becomes of an engagement whose value the label cannot take, like text that is no number, NaN or an infinity: a dead letter, or it counts without its value (null), which is counted.",
			value: at(badValueType, func(e *Engagement) *OnBadValue { return &e.OnBadValue }).or(BadValueDead).
				shownIf(func(e *Engagement) bool { return e.Label.Field != "" }),
		},
		{
			name: "attribution", example: "first",
			doc:   "Which of a view's engagements in the window count.",
			value: at(choice(Attributions), func(e *Engagement) *Attribution { return &e.Attribution }).or(AttributeAll),
		},
	},
}

// badValueType is dead or null, which needs no quotes here.
var badValueType = func() valueType[OnBadValue] {
	f := choice(OnBadValues)
	f.schema = oneOf(texts(OnBadValues)...).orNull()
	choose := f.read
	f.read = func(r *reader, n *node, at dotted, above *fields) OnBadValue {
		if n.kind == nullKind {
			return BadValueNull
		}
		return choose(r, n, at, above)
	}
	return f
}()

// orNull adds null to the values of an enum.
func (o object) orNull() object { return object{{"enum", append(o[0].value.([]any), nil)}} }
