package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// Inline returns the JSON of a schema in which the types that it names of other schemas are written out where they are
// named first, so that it stands alone. Others are the JSON of those, each of which may name types of the others. The schema
// is returned as it is if there are none. What none of them defines is left as it is: ParseSchema says so.
func Inline(text string, others ...string) (string, error) {
	if len(others) == 0 {
		return text, nil
	}
	in := inliner{of: map[string]definition{}, defined: map[string]bool{}}
	for _, other := range others {
		tree, err := decodeTree(other)
		if err != nil {
			return "", err
		}
		if err := in.collect(tree, "", 0); err != nil {
			return "", err
		}
	}
	tree, err := decodeTree(text)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in.write(tree, "", false)); err != nil {
		return "", fmt.Errorf("parse Avro schema: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func decodeTree(text string) (tree any, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	return tree, nil
}

// inliner writes types out.
type inliner struct {
	// of are the named types of the other schemas by their full names; defined are those that are written.
	of      map[string]definition
	defined map[string]bool
}

// definition is a named type, and the namespace around it.
type definition struct {
	object map[string]any
	ns     string
}

// defines tells whether an object defines a named type: its full name, and the namespace of what is in it.
func defines(o map[string]any, ns string) (name, inside string, ok bool) {
	switch o["type"] {
	case "record", "error", "enum", "fixed":
	default:
		return "", "", false
	}
	name, _ = o["name"].(string)
	if own, ok := o["namespace"].(string); ok {
		ns = own
	}
	name = qualify(name, ns)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		inside = name[:i]
	}
	return name, inside, true
}

// collect notes the named types in v, at any depth.
func (in *inliner) collect(v any, ns string, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("types are nested over %d deep", maxNesting)
	}
	switch v := v.(type) {
	case []any:
		for _, branch := range v {
			if err := in.collect(branch, ns, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		if name, inside, ok := defines(v, ns); ok {
			if have, taken := in.of[name]; taken && !reflect.DeepEqual(have.object, v) {
				return fmt.Errorf("two schemas that are referred to define %s, and not alike", name)
			}
			in.of[name] = definition{v, ns}
			ns = inside
		}
		for _, key := range []string{"items", "values", "type"} {
			if err := in.collect(v[key], ns, depth+1); err != nil {
				return err
			}
		}
		fields, _ := v["fields"].([]any)
		for _, f := range fields {
			if f, ok := f.(map[string]any); ok {
				if err := in.collect(f["type"], ns, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// write returns v with the types written out; foreign says that it is of another schema.
func (in *inliner) write(v any, ns string, foreign bool) any {
	switch v := v.(type) {
	case string:
		return in.name(v, ns)
	case []any:
		out := make([]any, len(v))
		for i, branch := range v {
			out[i] = in.write(branch, ns, foreign)
		}
		return out
	case map[string]any:
		return in.object(v, ns, foreign)
	}
	return v
}

// name writes out a type where it is named first; it is sought as a parser does.
func (in *inliner) name(name, ns string) any {
	if _, primitive := primitives[name]; primitive {
		return name
	}
	for _, full := range []string{qualify(name, ns), name} {
		if in.defined[full] {
			return name
		}
		if d, ok := in.of[full]; ok {
			return in.object(d.object, d.ns, true)
		}
	}
	return name
}

func (in *inliner) object(o map[string]any, ns string, foreign bool) any {
	out := maps.Clone(o)
	name, inside, named := defines(o, ns)
	if named {
		if foreign {
			if in.defined[name] {
				return name
			}
			// It may stand in another namespace now.
			out["namespace"] = inside
		}
		in.defined[name] = true
		ns = inside
		if fields, ok := o["fields"].([]any); ok {
			written := make([]any, len(fields))
			for i, f := range fields {
				written[i] = f
				if f, ok := f.(map[string]any); ok {
					f = maps.Clone(f)
					f["type"] = in.write(f["type"], ns, foreign)
					written[i] = f
				}
			}
			out["fields"] = written
		}
		return out
	}
	switch kind := o["type"].(type) {
	case string:
		for _, key := range []string{"items", "values"} {
			if v, ok := o[key]; ok {
				out[key] = in.write(v, ns, foreign)
			}
		}
		if kind == "array" || kind == "map" {
			return out
		}
		if other, ok := in.name(kind, ns).(map[string]any); ok {
			return other // attributes beside a reference mean nothing
		}
	default:
		out["type"] = in.write(kind, ns, foreign)
	}
	return out
}
