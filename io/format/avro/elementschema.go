package avro

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// elementSchema is the schema of records that have an element in place of the array that way leads to. Nothing else of it changes but that
// records on the way which are used elsewhere too have another name, and that defaults of what holds the array go.
func elementSchema(s *Schema, way []wayField) (*Schema, error) {
	tree, err := decodeTree(s.text)
	if err != nil {
		return nil, err
	}
	w := &elementWriter{inliner: inliner{of: map[string]definition{}, defined: map[string]bool{}}, names: s.Names(), again: usedAgain(s, way)}
	if err := w.collect(tree, "", 0); err != nil {
		return nil, err
	}
	tree = w.through(tree, "", way)
	if w.renamed {
		// The types that it names are defined where they are named first, which is another place now.
		tree = w.write(tree, "", true)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("schema of elements: %w", err)
	}
	out, err := ParseSchema(string(text))
	if err != nil {
		return nil, fmt.Errorf("schema of elements: %w", err)
	}
	return out, nil
}

// usedAgain are the records on the way that are used in another place, too, and those that are so inside of them.
func usedAgain(s *Schema, way []wayField) map[*Type]bool {
	uses := map[*Type]int{}
	s.eachUse(func(t *Type, _ bool) { uses[t]++ })
	again, inside := map[*Type]bool{}, false
	for _, f := range way {
		inside = inside || uses[f.record] > 1
		again[f.record] = inside
	}
	return again
}

// elementWriter rewrites the JSON of a schema along a way.
type elementWriter struct {
	inliner
	names   []string // that are taken
	again   map[*Type]bool
	renamed bool
}

// through rewrites the type of a record on the way, which may be in a union or named.
func (w *elementWriter) through(v any, ns string, way []wayField) any {
	switch v := v.(type) {
	case string:
		for _, full := range []string{qualify(v, ns), v} {
			if d, ok := w.of[full]; ok {
				return w.record(d.object, d.ns, way)
			}
		}
	case []any:
		out := slices.Clone(v)
		for i, b := range v {
			if b != any("null") && !isNullType(b) {
				out[i] = w.through(b, ns, way)
			}
		}
		return out
	case map[string]any:
		if _, _, ok := defines(v, ns); ok {
			return w.record(v, ns, way)
		}
		return w.through(v["type"], ns, way)
	}
	return v
}

// isNullType tells whether a type is null, written as an object.
func isNullType(v any) bool {
	o, ok := v.(map[string]any)
	return ok && (o["type"] == any("null") || isNullType(o["type"]))
}

// record rewrites a record's definition.
func (w *elementWriter) record(o map[string]any, ns string, way []wayField) any {
	name, inside, _ := defines(o, ns)
	out := maps.Clone(o)
	if w.again[way[0].record] {
		w.renamed = true
		for name += "_element"; slices.Contains(w.names, name); {
			name += "_"
		}
		w.names = append(w.names, name)
		out["name"], out["namespace"] = shortName(name), inside
		delete(out, "aliases")
	}
	list, _ := o["fields"].([]any)
	list = slices.Clone(list)
	if at := way[0].field; at < len(list) {
		field, _ := list[at].(map[string]any)
		field = maps.Clone(field)
		if field["default"] != nil || len(way) == 1 {
			delete(field, "default")
		}
		if len(way) == 1 {
			field["type"] = itemsOf(field["type"])
		} else {
			field["type"] = w.through(field["type"], inside, way[1:])
		}
		list[at] = field
	}
	out["fields"] = list
	return out
}

// itemsOf is the type of the items of an array, which may be in a union with null.
func itemsOf(v any) any {
	switch v := v.(type) {
	case []any:
		for _, b := range v {
			if b != any("null") && !isNullType(b) {
				return itemsOf(b)
			}
		}
	case map[string]any:
		if v["type"] == any("array") {
			return v["items"]
		}
		return itemsOf(v["type"])
	}
	return v
}
