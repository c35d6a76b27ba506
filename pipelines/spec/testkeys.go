package spec

import "strconv"

// testInSpec is a test, and the spec it is part of: its records are read by that.
type testInSpec struct {
	Test
	spec *Spec
}

// testsType is a list of tests.
var testsType = valueType[[]Test]{
	about: about{
		what: "a list of tests", inner: []*section{testSection},
		schema: object{{"type", "array"}, {"items", testSection.schema()}},
	},
	absent: func(all []Test) bool { return len(all) == 0 },
	block: func(w *writer, indent int, name string, all []Test) {
		w.line(indent, name, "")
		for _, t := range all {
			w.item(indent+2, func(indent int) { testSection.write(w, indent, &testInSpec{Test: t}) })
		}
	},
	text: func(all []Test) string { return strconv.Itoa(len(all)) },
}

var testSection = &section{
	name: "a test",
	keys: []key{
		{
			name: "name", example: "a like inside the window", required: true,
			doc:   "What the test shows.",
			value: at(textType, func(t *testInSpec) *string { return &t.Name }),
		},
		{
			name: "views", example: "[{view_id: v1, ts: 2026-01-01T10:00:00Z}]", required: true,
			doc: "The views. Those that do not meet the where of views are left out, as in a join.",
			value: at(recordsType(ref("records").with(member{"minItems", 1})), func(t *testInSpec) *[]map[string]any { return &t.Views }).
				readBy(func(r *reader, n *node, at dotted, _ *fields, t *testInSpec) []map[string]any {
					return r.testViews(n, at, t.spec)
				}),
		},
		{
			name: "engagements", example: "{like: [{view_id: v1, ts: 2026-01-01T10:05:00Z}]}",
			doc: "The engagements, by kind. Those that do not meet the where of their kind are left out, as in a join.",
			value: at(recordsByKind, func(t *testInSpec) *map[string][]map[string]any { return &t.Engagements }).
				readBy(func(r *reader, n *node, at dotted, f *fields, t *testInSpec) map[string][]map[string]any {
					return r.testEngagements(n, at, f, t.spec)
				}),
		},
		{
			name: "samples", example: "[{view_id: v1}]", required: true,
			doc: "The samples that must come out, all of them. Only the fields named here are compared.",
			value: at(samplesOfTest, func(t *testInSpec) *[]map[string]any { return &t.Samples }).
				readBy(func(r *reader, n *node, at dotted, f *fields, t *testInSpec) []map[string]any {
					return r.testSamples(&t.Test, n, at, f, t.spec)
				}),
		},
	},
}

// samplesOfTest is the samples that a test must give.
var samplesOfTest = func() valueType[[]map[string]any] {
	f := recordsType(object{{"type", "array"}, {"items", sampleSection.schema()}})
	f.inner = []*section{sampleSection}
	return f
}()

// recordsType is a list of records.
func recordsType(schema object) valueType[[]map[string]any] {
	return valueType[[]map[string]any]{
		about: about{what: "a list of records", schema: schema},
		block: (*writer).records,
	}
}

// recordsByKind is a list of records for each kind of engagement.
var recordsByKind = valueType[map[string][]map[string]any]{
	about:  about{what: "a mapping of kinds to lists of records", schema: object{{"type", "object"}, {"additionalProperties", ref("records")}}},
	absent: func(all map[string][]map[string]any) bool { return all == nil },
	block:  (*writer).recordsByKind,
}
