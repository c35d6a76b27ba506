package spec

import (
	"slices"
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
			doc:   "Only records whose fields have these values, or for which an expression is true. Numbers are equal as numbers (1e6 is 1000000), booleans as booleans, text byte for byte. \"tributary help values\" says more of expressions, like 'kind == \"like\" && price > 3.0'.",
			value: at(whereType, func(e *Engagement) *Where { return &e.Where }),
		},
		{
			name: "fields", example: "{eur: 'double(price) * 1.1'}",
			doc:   "Fields that are computed, each by an expression on fields of the record, and used like them: in view, id, time, view_time, where, label. A record of which one cannot be computed is a dead letter. Not lists of each, nor partitions and offsets.",
			value: at(computedType, func(e *Engagement) *[]ComputedField { return &e.Fields }),
		},
		{
			name: "each", example: "items",
			doc:   "A list in the record of which every element is an engagement: fields are then those of the record with the element in place of the list, so that items.id is the element's, and $index is its position, from 0. Records are of any format but CSV. A record whose list is empty, null or absent counts as filtered.",
			value: at(fieldType, func(e *Engagement) *string { return &e.Each }).unless(empty[string]),
		},
		{
			name: "view", example: "view_id",
			doc:   "The field that names the view, or as many as the view's id has, in its order. Either this or key is there.",
			value: at(idType, func(e *Engagement) *[]string { return &e.View }),
		},
		{
			name: "key", example: "[user_id, item_id]",
			doc:   "The field that names views by their key, or as many as views.key has, in its order: any of the views with it may be meant, and credit says which.",
			value: at(idType, func(e *Engagement) *[]string { return &e.Key }),
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
			doc:   "The field that identifies the engagement itself, to find duplicates, or several that do so together.",
			value: at(idType, func(e *Engagement) *[]string { return &e.ID }),
		},
		{
			name: "window", example: "30m", required: true,
			doc:   "How long after its view an engagement counts: up to, but not at, this time.",
			value: at(lengthType, func(e *Engagement) *time.Duration { return &e.Window }),
		},
		{
			name: "label", example: "{sum: price}",
			doc:   "What the engagements that count become. sum, min, max, first and last are of a field, and first and last may have a type: {last: {field: coupon_code, type: string}}.",
			value: at(labelType, func(e *Engagement) *Label { return &e.Label }).or(Label{Func: label.Binary}).unless(empty[Label]),
		},
		{
			name: "labels", example: "{bought: binary, value: {sum: price}, coupon: {last: {field: coupon_code, type: string}}}",
			doc: "Several labels of the kind, each with a name, in place of label. They are columns of samples in this order, each made of the same engagements. Names are once there, over all kinds.",
			value: at(labelsType, func(e *Engagement) *[]NamedLabel { return &e.Labels }).readBy(func(r *reader, n *node, at dotted, f *fields, e *Engagement) []NamedLabel {
				r.oneOfBoth(n, at, e, f)
				return r.labels(n, at)
			}),
		},
		{
			name: "on_bad_value", example: `"null"`,
			doc: "What becomes of an engagement whose value the label cannot take, like text that is no number, NaN or an infinity: a dead letter, or it counts without its value (null), which is counted.",
			value: at(badValueType, func(e *Engagement) *OnBadValue { return &e.OnBadValue }).or(BadValueDead).
				shownIf(func(e *Engagement) bool {
					return slices.ContainsFunc(e.AllLabels(), func(l NamedLabel) bool { return l.Field != "" })
				}),
		},
		{
			name: "count", was: "attribution", example: "first",
			doc:   "Which of one view's engagements in the window count. Which of several views an engagement counts for is credit.",
			value: at(choice(Counts), func(e *Engagement) *Count { return &e.Count }).or(CountAll),
		},
		{
			name: "credit", example: "first",
			doc: "Which of the views with its key, that have an engagement in their window, it counts for: the last before it, the first, all, or each of n for 1/n of it (even); or only such as have had another kind by then: {after: click}. Views are in order of time, and of their place in the log. Which engagements of one view count is count.",
			value: at(creditType, func(e *Engagement) *CreditRule { return &e.CreditRule }).
				orElse("last with key", func(_ *Spec, e *Engagement) (c CreditRule) {
					if len(e.Key) > 0 {
						c.Credit = CreditLast
					}
					return c
				}).shownIf(func(e *Engagement) bool { return len(e.Key) > 0 }),
		},
	},
	rules: []any{
		object{{"not", object{{"required", []string{"label", "labels"}}}}},
		object{{"oneOf", []any{object{{"required", []string{"view"}}}, object{{"required", []string{"key"}}}}}},
		object{
			{"if", object{{"required", []string{"view"}}}},
			{"then", object{{"properties", object{{"credit", object{{"const", CreditAll}}}}}}},
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
