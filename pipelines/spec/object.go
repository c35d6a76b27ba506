package spec

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// mostColumns is how long a line of the schema gets before a value is broken over several.
const mostColumns = 110

// jsonText writes a value of JSON, broken over lines where it is long.
func jsonText(v any, indent string) string {
	line := compact(v)
	if len(indent)+len(line) <= mostColumns {
		return line
	}
	var parts []string
	ends := "[]"
	switch v := v.(type) {
	case object:
		ends = "{}"
		for _, m := range v {
			parts = append(parts, compact(m.name)+": "+jsonText(m.value, indent+"  "))
		}
	case []any:
		if len(v) > 0 && !isObject(v[0]) {
			return line // a list of words reads better in one
		}
		for _, item := range v {
			parts = append(parts, jsonText(item, indent+"  "))
		}
	default:
		return line
	}
	return ends[:1] + "\n" + indent + "  " + strings.Join(parts, ",\n"+indent+"  ") + "\n" + indent + ends[1:]
}

// compact writes a value of JSON in one line.
func compact(v any) string {
	var parts []string
	switch v := v.(type) {
	case object:
		for _, m := range v {
			parts = append(parts, compact(m.name)+": "+compact(m.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		for _, item := range v {
			parts = append(parts, compact(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case []string:
		for _, item := range v {
			parts = append(parts, compact(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("spec: write the JSON Schema: " + err.Error()) // only what is declared gets here
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// with returns the object with more members at its end.
func (o object) with(more ...member) object { return append(slices.Clone(o), more...) }

func isObject(v any) bool {
	_, ok := v.(object)
	return ok
}
