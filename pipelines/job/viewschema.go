package job

import (
	"fmt"
	"slices"
	"strconv"

	"tributary/io/format/avro"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/rules"
)

// codeIncompatible is of schemas of views that do not go together.
const codeIncompatible = "T2005"

// ViewSchemas are the schemas that the views of all inputs have, as far as that is known before any is read.
type ViewSchemas struct {
	// Written are those that records have, each once, Given those that the spec names.
	Written []Written
	Given   []*avro.Schema
	// text and encoded are sources of views without a schema, which are JSON, and with one; nil if there are none.
	text, encoded *Source
}

// Add says that views of a source have a schema, nil for JSON text; place is where such records are.
func (v *ViewSchemas) Add(src *Source, schema *avro.Schema, place string) {
	switch {
	case src.Role != "views":
	case schema == nil:
		v.text = src
	default:
		v.encoded = src
		if !slices.ContainsFunc(v.Written, func(w Written) bool { return w.Schema.ID() == schema.ID() }) {
			v.Written = append(v.Written, Written{schema, place})
		}
	}
}

// Give says that the spec names a schema for views of a source.
func (v *ViewSchemas) Give(src *Source, schema *avro.Schema) {
	if src.Role == "views" && schema != nil {
		v.Given = append(v.Given, schema)
	}
}

// SetElements makes the schemas those of the events of views, where records hold several: they must have the list, or it has been reported. A
// schema that the spec gives without it is one of events.
func (v *ViewSchemas) SetElements(p *rules.Params) {
	i := slices.IndexFunc(p.Inputs, func(in rules.Input) bool { return in.Kind == rules.Views })
	if i < 0 || p.Inputs[i].Each == "" {
		return
	}
	for at := range v.Written {
		v.Written[at].Schema = eventsOf(&p.Inputs[i], v.Written[at].Schema)
	}
	for at := range v.Given {
		v.Given[at] = eventsOf(&p.Inputs[i], v.Given[at])
	}
}

// Choose decides which schema views have in samples, and tells the join: one that the spec gives, or else one that they
// have. JSON text stays as it is. What keeps it from being decided is a problem of an input of the spec.
func (v *ViewSchemas) Choose(s *spec.Spec, p *rules.Params) problem.List {
	switch {
	case v.text != nil && v.encoded != nil:
		return problem.List{v.text.Problem(s, codeIncompatible, "some views are plain JSON text, others Avro: give the text inputs a schema")}
	case v.encoded == nil:
		return nil
	}
	candidates := v.Given
	if len(candidates) == 0 {
		for _, w := range v.Written {
			candidates = append(candidates, w.Schema)
		}
	}
	chosen, err := ViewSchema(candidates, v.Written)
	if err == nil {
		p.ViewSchema = chosen.String()
		return setComputed(s, p, chosen)
	}
	found := v.encoded.Problem(s, codeIncompatible, fmt.Sprintf("no schema of the views can read all the others: %v", err))
	found.Hint = "give the inputs a schema that can read them all (schema: FILE.avsc), by Avro's rules of resolution"
	return problem.List{found}
}

// Problem is a problem with an input of a spec.
func (src *Source) Problem(s *spec.Spec, code, message string) problem.Problem {
	return s.Problem(code, message, append(slices.Clone(src.At), "inputs", strconv.Itoa(src.Number))...)
}
