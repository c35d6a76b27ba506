package avro

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// originalName is the property under which Strict keeps a name that it replaced.
const originalName = "tributary.name"

// Strict returns the schema as readers take it that hold to the letter of Avro's rules,
// which ParseSchema does not; s itself if nothing is to be changed.
//
//   - A name with other characters than letters, digits and _ gets _ for each of them:
//     com.foo.Outer$.V becomes com.foo.Outer_.V, user-agent user_agent. The property
//     tributary.name of the type or field keeps the first one, which is an alias too.
//     Records keep their bytes.
//   - An enum with such a symbol becomes a string, so that its values stay what they are.
//     Resolve turns the symbols into their text.
//   - Aliases that are no names, and defaults and decimals that do not fit, are left out.
func (s *Schema) Strict() (*Schema, error) {
	dec := json.NewDecoder(strings.NewReader(s.text))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	st := &stricter{types: s.namedTypes(), named: map[string]*Type{}, names: map[*Type]string{}}
	st.rename()
	strict := st.walk(tree, "", "")
	if reflect.DeepEqual(strict, tree) {
		return s.checkedStrict()
	}
	text, err := json.Marshal(strict)
	if err != nil {
		return nil, fmt.Errorf("strict Avro schema: %w", err)
	}
	out, err := ParseSchema(string(text))
	if err != nil {
		return nil, err
	}
	return out.checkedStrict()
}

// checkedStrict has goavro look at what was made strict: it holds to the letter of Avro's rules, but
// for a fixed of no bytes, which they allow and it does not.
func (s *Schema) checkedStrict() (*Schema, error) {
	if slices.ContainsFunc(s.namedTypes(), func(t *Type) bool { return t.Kind == KindFixed && t.Size == 0 }) {
		return s, nil
	}
	if _, err := s.Codec(); err != nil {
		return nil, fmt.Errorf("strict Avro schema: %w", err)
	}
	return s, nil
}

// stricter rewrites the JSON of a schema.
type stricter struct {
	types []*Type          // those with names, in the order of their definitions
	named map[string]*Type // by the name they have
	names map[*Type]string // that they get
}

// rename gives each type a name of its own.
func (st *stricter) rename() {
	taken := map[string]bool{}
	for _, t := range st.types {
		st.named[t.Name] = t
		taken[t.Name] = true
	}
	for _, t := range st.types {
		name := t.Name
		if !validName(name) {
			parts := strings.Split(name, ".")
			for i, part := range parts {
				parts[i] = spelled(part)
			}
			for name = strings.Join(parts, "."); taken[name]; {
				name += "_"
			}
			taken[name] = true
		}
		st.names[t] = name
	}
}

// asText tells whether a type is an enum that strict readers refuse for its symbols.
func (t *Type) asText() bool {
	return t.Kind == KindEnum && slices.ContainsFunc(t.Symbols, func(s string) bool { return !validPart(s) })
}

// walk rewrites one type. ns is the namespace around it, strictNS what has become of that.
func (st *stricter) walk(v any, ns, strictNS string) any {
	switch v := v.(type) {
	case string:
		return st.reference(v, ns, strictNS)
	case []any:
		return st.union(v, ns, strictNS)
	case map[string]any:
		return st.object(v, ns, strictNS)
	default: // ParseSchema has refused it
		return v
	}
}

func (st *stricter) reference(name, ns, strictNS string) any {
	if _, ok := primitives[name]; ok {
		return name
	}
	t, ok := st.named[qualify(name, ns)]
	if !ok {
		t = st.named[name]
	}
	strict := st.names[t]
	switch {
	case t.asText():
		return KindString.String()
	case strict == t.Name && ns == strictNS:
		return name
	case namespaceOf(strict) == strictNS:
		return shortName(strict)
	default:
		return strict
	}
}

// union rewrites a union, in which there may be one string only.
func (st *stricter) union(branches []any, ns, strictNS string) any {
	out := make([]any, 0, len(branches))
	text := false
	for _, b := range branches {
		b = st.walk(b, ns, strictNS)
		o, _ := b.(map[string]any)
		if b == any(KindString.String()) || o["type"] == any(KindString.String()) {
			if text {
				continue
			}
			text = true
		}
		out = append(out, b)
	}
	return out
}

func (st *stricter) object(o map[string]any, ns, strictNS string) any {
	out := maps.Clone(o)
	kind, named := o["type"].(string)
	switch {
	case !named:
		out["type"] = st.walk(o["type"], ns, strictNS)
	case kind == "record", kind == "error", kind == "enum", kind == "fixed":
		return st.define(o, out, ns, strictNS)
	case kind == "array":
		out["items"] = st.walk(o["items"], ns, strictNS)
	case kind == "map":
		out["values"] = st.walk(o["values"], ns, strictNS)
	default:
		out["type"] = st.reference(kind, ns, strictNS)
	}
	if primitive, ok := primitives[kind]; ok {
		dropDecimal(out, &Type{Kind: primitive})
	}
	return out
}

// define rewrites the definition of a type with a name.
func (st *stricter) define(o, out map[string]any, ns, strictNS string) any {
	name, _ := o["name"].(string)
	around := ns
	if own, ok := o["namespace"].(string); ok {
		ns = own
	}
	t := st.named[qualify(name, ns)]
	if t.asText() {
		return KindString.String()
	}
	strict := st.names[t]
	if strict != t.Name || around != strictNS {
		out["name"] = shortName(strict)
		delete(out, "namespace")
		if space := namespaceOf(strict); space != strictNS {
			out["namespace"] = space
		}
	}
	if strict != t.Name {
		out[originalName] = t.Name
	}
	keepNames(out)
	if t.Kind == KindFixed {
		dropDecimal(out, &Type{Kind: KindFixed, Size: t.Size})
	}
	if t.Kind == KindRecord {
		list, _ := o["fields"].([]any)
		out["fields"] = st.fields(t, list, namespaceOf(t.Name), namespaceOf(strict))
	}
	return out
}

func (st *stricter) fields(t *Type, list []any, ns, strictNS string) []any {
	taken := map[string]bool{}
	for _, f := range t.Fields {
		taken[f.Name] = true
	}
	out := make([]any, len(list))
	for i, f := range t.Fields {
		o, _ := list[i].(map[string]any)
		field := maps.Clone(o)
		if !validPart(f.Name) {
			name := spelled(f.Name)
			for taken[name] {
				name += "_"
			}
			taken[name] = true
			field["name"], field[originalName] = name, f.Name
		}
		keepNames(field)
		if f.HasDefault {
			if _, err := appendDefault(nil, f.Type, f.Default, 0); err != nil {
				delete(field, "default")
			}
		}
		field["type"] = st.walk(o["type"], ns, strictNS)
		out[i] = field
	}
	return out
}

// keepNames leaves out the aliases that are no names.
func keepNames(o map[string]any) {
	list, ok := o["aliases"].([]any)
	if !ok {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(list), func(alias any) bool {
		name, _ := alias.(string)
		return !validName(name)
	})
	if o["aliases"] = kept; len(kept) == 0 && len(list) > 0 {
		delete(o, "aliases")
	}
}

// dropDecimal leaves out that o, of type t, is a decimal if it cannot be one: which Avro
// says to ignore, and some readers do not.
func dropDecimal(o map[string]any, t *Type) {
	if t.annotate(o); o["logicalType"] == any("decimal") && t.Logical == "" {
		delete(o, "logicalType")
	}
}

// validName tells whether a name is one by Avro's rules, with a namespace or without.
func validName(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !validPart(part) {
			return false
		}
	}
	return true
}

func validPart(part string) bool { return part != "" && part == spelled(part) }

// spelled writes a name, or one part of it, with the characters that Avro allows.
func spelled(part string) string {
	part = strings.Map(func(c rune) rune {
		if c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return '_'
	}, part)
	if part == "" || part[0] >= '0' && part[0] <= '9' {
		part = "_" + part
	}
	return part
}

func namespaceOf(name string) string { return name[:max(strings.LastIndexByte(name, '.'), 0)] }
