package spec

import "slices"

// expected is a sample that a test must give, and the spec that it is judged by.
type expected struct {
	values map[string]any
	spec   *Spec
}

var sampleSection = &section{
	name: "a sample",
	keys: []key{
		{
			name: "view_id", example: "v1", required: true,
			doc:   "Which view the sample comes from.",
			value: expect("view_id", textKind, intKind),
		},
		{
			name: "view_time", example: "2026-01-01T10:00:00Z",
			doc: "The view's time, RFC 3339 or in the field's unit.",
			value: expect("view_time", textKind, floatKind).readBy(func(r *reader, n *node, at dotted, _ *fields, e *expected) any {
				return r.expectedTime(n, at, e.spec)
			}),
		},
		{
			name: "positive", example: "true",
			doc:   "Whether an engagement of any kind counts.",
			value: expect("positive", boolKind),
		},
		{
			name: "labels", example: "{like: 1}",
			doc: "Labels by kind.",
			value: expectByKind("labels", "string", "number", "boolean", "null").readBy(func(r *reader, n *node, at dotted, f *fields, e *expected) any {
				return r.perKind("labels", n, at, f, e.spec)
			}),
		},
		{
			name: "delay_ms", example: "{like: 300000}",
			doc: "Milliseconds from the view to the first engagement that counts, by kind; null for none.",
			value: expectByKind("delay_ms", "integer", "null").readBy(func(r *reader, n *node, at dotted, f *fields, e *expected) any {
				return r.perKind("delay_ms", n, at, f, e.spec)
			}),
		},
		{
			name: "maturity_ms", example: "1800000",
			doc:   "Milliseconds from the view to where the log ends, or to its closing time.",
			value: expect("maturity_ms", intKind),
		},
		{
			name: "sampling_rate", example: "0.1",
			doc:   "The rate at which such samples are kept.",
			value: expect("sampling_rate", intKind, floatKind),
		},
		{
			name: "weight", example: "10",
			doc:   "1 / sampling_rate.",
			value: expect("weight", intKind, floatKind),
		},
		{
			name: "spec_version", example: "1",
			doc:   "The spec's version.",
			value: expect("spec_version", intKind),
		},
		{
			name: "stage", example: "10s",
			doc: "Which stage gives the sample, one of stages; the last one if it is left out. Where a test names a sample of an earlier one, those of all stages have to be named, as their emit chooses them.",
			value: expectation("stage", valueType[any]{about: about{what: "a duration above 0s", schema: ref("length")}}).
				readBy(func(r *reader, n *node, at dotted, _ *fields, e *expected) any { return r.expectedStage(n, at, e.spec) }),
		},
		{
			name: "version", example: "0",
			doc:   "The number of the stage, from 0.",
			value: ofStage("version", intKind),
		},
		{
			name: "final", example: "false",
			doc:   "Whether the stage is the last one.",
			value: ofStage("final", boolKind),
		},
		{
			name: "view", example: "{item: 7}",
			doc:   "The view's own record, or fields of it.",
			value: expectation("view", valueType[any]{about: about{what: "any value"}, read: func(r *reader, n *node, at dotted, _ *fields) any { return r.value(n, at) }}),
		},
	},
}

// expectation is a field of an expected sample; fields that are left out are not compared.
func expectation(name string, f valueType[any]) slot[expected, any] {
	return through(f, func(e *expected) any { return e.values[name] }, func(e *expected, v any) { e.values[name] = v })
}

// expect is a field of an expected sample with values of some types.
func expect(name string, kinds ...kind) slot[expected, any] {
	what, types := describe(kinds)
	return expectation(name, valueType[any]{
		about: about{what: what, schema: object{{"type", types}}},
		read: func(r *reader, n *node, at dotted, _ *fields) any {
			if slices.Contains(kinds, floatKind) || slices.Contains(kinds, intKind) && !slices.Contains(kinds, textKind) {
				n = n.number()
			}
			if !slices.Contains(kinds, n.kind) {
				return r.noSuchSample(n, at, what)
			}
			return r.value(n, at)
		},
	})
}

// ofStage is one that only samples of stages have.
func ofStage(name string, kinds ...kind) slot[expected, any] {
	field := expect(name, kinds...)
	return field.readBy(func(r *reader, n *node, at dotted, f *fields, _ *expected) any {
		v := field.of.read(r, n, at, f)
		if !r.isSet("stages") && r.ok(at) {
			r.add(r.noStages(n, at))
		}
		return v
	})
}

// describe names types of values in words and in JSON Schema.
func describe(kinds []kind) (what string, types any) {
	inSchema := map[kind]string{textKind: "string", intKind: "integer", floatKind: "number", boolKind: "boolean"}
	inWords := map[kind]string{textKind: "text", intKind: "a whole number", floatKind: "a number", boolKind: "true or false"}
	if slices.Contains(kinds, floatKind) { // which whole ones are, too
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return k == intKind })
	}
	var all []string
	for i, k := range kinds {
		all = append(all, inSchema[k])
		if i > 0 {
			what += " or "
		}
		what += inWords[k]
	}
	if len(all) == 1 {
		return what, all[0]
	}
	return what, all
}

// expectByKind is a mapping of kinds of engagement to values.
func expectByKind(name string, types ...string) slot[expected, any] {
	return expectation(name, valueType[any]{about: about{
		what:   "a mapping of kinds to values",
		schema: object{{"type", "object"}, {"additionalProperties", object{{"type", types}}}},
	}})
}
