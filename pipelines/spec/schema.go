package spec

import (
	_ "embed"
	"slices"
)

// schema is made of the declarations by `go test ./pipelines/spec -update`.
//
//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of specs, for editors. What it
// rejects, Parse rejects; rules between values are Parse's alone.
func Schema() []byte { return slices.Clone(schema) }

// schemaText writes the JSON Schema of specs with this outermost mapping.
func schemaText(root *section) string {
	out := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "tributary spec"},
		{"description", root.doc},
	}
	return jsonText(append(append(out, root.schema()...), member{"$defs", definitions}), "") + "\n"
}

// ref is a schema that stands among the definitions.
func ref(def string) object { return object{{"$ref", "#/$defs/" + def}} }

// schema is that of a mapping.
func (s *section) schema() object {
	properties := object{}
	rules := slices.Clone(s.rules)
	for _, k := range s.keys {
		properties = append(properties, member{k.name, k.schema()})
	}
	for _, k := range s.keys {
		if k.was == "" {
			continue
		}
		old := k.value.about().schema
		if at := slices.IndexFunc(properties, func(m member) bool { return m.name == k.was }); at >= 0 {
			earlier := properties[at].value.(object)
			properties[at].value = object{{"anyOf", []any{earlier, old}}, {"deprecated", true}}
		} else {
			properties = append(properties, member{k.was, old.with(member{"deprecated", true})})
		}
		both := object{{"required", []string{k.name, k.was}}}
		if k.wasType != "" {
			both = both.with(member{"properties", object{{k.was, object{{"type", k.wasType}}}}})
		}
		rules = append(rules, object{{"not", both}})
	}
	out := object{{"type", "object"}, {"additionalProperties", false}}
	if required := s.required(); len(required) > 0 {
		out = append(out, member{"required", required})
	}
	out = append(out, member{"properties", properties})
	if len(rules) > 0 {
		out = append(out, member{"allOf", rules})
	}
	return out
}

// schema is that of a key's value, with what the key means.
func (k key) schema() object {
	doc := k.doc
	constant, words := k.value.standard()
	if constant == nil && words != "" {
		doc += " Default: " + words + "."
	}
	out := object{{"description", doc}}
	out = append(out, k.value.about().schema...)
	if constant != nil {
		out = append(out, member{"default", constant})
	}
	return out
}
