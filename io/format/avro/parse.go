package avro

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxNesting bounds how deep types may stand inside each other in a schema's text,
// against input made to exhaust the stack.
const maxNesting = 256

var primitives = map[string]Kind{
	"null": KindNull, "boolean": KindBoolean, "int": KindInt, "long": KindLong,
	"float": KindFloat, "double": KindDouble, "bytes": KindBytes, "string": KindString,
}

// parser turns decoded JSON into types. It goes on after a problem to find them all.
type parser struct {
	named    map[string]*Type
	problems []error
}

func (p *parser) problem(path, format string, args ...any) *Type {
	if path == "" {
		path = "the schema"
	}
	p.problems = append(p.problems, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
	return &Type{Kind: KindNull} // stands in, never used
}

// parse reads one type. ns is the namespace around it, path where it stands.
func (p *parser) parse(v any, ns, path string, depth int) *Type {
	if depth > maxNesting {
		return p.problem(path, "types are nested over %d deep", maxNesting)
	}
	switch v := v.(type) {
	case string:
		return p.reference(v, ns, path)
	case []any:
		return p.union(v, ns, path, depth)
	case map[string]any:
		return p.object(v, ns, path, depth)
	default:
		return p.problem(path, "a type is a name, an object or a list, not %s", describe(v))
	}
}

func (p *parser) reference(name, ns, path string) *Type {
	if kind, ok := primitives[name]; ok {
		return &Type{Kind: kind}
	}
	// A name without a namespace belongs to the one around it; that it may also mean
	// a type without any namespace is what other implementations allow.
	if t, ok := p.named[qualify(name, ns)]; ok {
		return t
	}
	if t, ok := p.named[name]; ok {
		return t
	}
	return p.problem(path, "unknown type %q", name)
}

func (p *parser) union(branches []any, ns, path string, depth int) *Type {
	if len(branches) == 0 {
		return p.problem(path, "a union needs at least one type")
	}
	t := &Type{Kind: KindUnion}
	seen := map[string]bool{}
	for _, b := range branches {
		branch := p.parse(b, ns, path, depth+1)
		if branch.Kind == KindUnion {
			p.problem(path, "a union directly inside a union")
			continue
		}
		if name := branchName(branch); seen[name] {
			if len(p.problems) == 0 { // else it may be a stand-in
				p.problem(path, "the union has %s twice", name)
			}
		} else {
			seen[name] = true
		}
		t.Branches = append(t.Branches, branch)
	}
	return t
}

// branchName is what tells the types of a union apart.
func branchName(t *Type) string {
	if t.Kind.named() {
		return t.Name
	}
	return t.Kind.String()
}

func (p *parser) object(o map[string]any, ns, path string, depth int) *Type {
	var t *Type
	switch kind := o["type"].(type) {
	case nil:
		return p.problem(path, "a type without \"type\"")
	case string:
		switch kind {
		case "record", "error":
			return p.record(o, ns, path, depth)
		case "enum":
			return p.enum(o, ns, path)
		case "fixed":
			t = p.fixedType(o, ns, path)
		case "array":
			t = &Type{Kind: KindArray, Items: p.items(o, "items", ns, path, depth)}
		case "map":
			t = &Type{Kind: KindMap, Items: p.items(o, "values", ns, path, depth)}
		default:
			t = p.reference(kind, ns, path)
			if t.Kind.named() {
				return t // attributes beside a reference mean nothing
			}
		}
	default:
		return p.parse(kind, ns, path, depth+1)
	}
	t.annotate(o)
	return t
}

func (p *parser) items(o map[string]any, key, ns, path string, depth int) *Type {
	v, ok := o[key]
	if !ok {
		return p.problem(path, "%s without %q", o["type"], key)
	}
	return p.parse(v, ns, path+"[]", depth+1)
}

// name reads the name of a named type, registers it and returns its namespace.
func (p *parser) name(t *Type, o map[string]any, ns, path string) string {
	name, _ := o["name"].(string)
	if own, ok := o["namespace"].(string); ok {
		ns = own
	}
	t.Name = qualify(name, ns)
	// Names of other letters are taken: files have them (com.foo.Outer$), and bytes do not
	// depend on names. See Strict for what is written.
	if shortName(t.Name) == "" {
		p.problem(path, "%s has the name %q; it needs one", t.Kind, t.Name)
		return ns
	}
	if _, ok := primitives[t.Name]; ok || p.named[t.Name] != nil {
		p.problem(path, "the name %q is taken", t.Name)
		return ns
	}
	p.named[t.Name] = t
	if i := strings.LastIndexByte(t.Name, '.'); i >= 0 {
		ns = t.Name[:i]
	} else {
		ns = ""
	}
	for _, alias := range p.strings(o, "aliases", path) {
		t.Aliases = append(t.Aliases, qualify(alias, ns))
	}
	if original, ok := o[originalName].(string); ok {
		t.Aliases = append(t.Aliases, original)
	}
	return ns
}

func (p *parser) record(o map[string]any, ns, path string, depth int) *Type {
	t := &Type{Kind: KindRecord}
	ns = p.name(t, o, ns, path)
	fields, ok := o["fields"].([]any)
	if !ok {
		return p.problem(path, "record %s without a list of fields", t.Name)
	}
	seen := map[string]bool{}
	for i, f := range fields {
		field, ok := f.(map[string]any)
		name, named := field["name"].(string)
		switch {
		case !ok:
			p.problem(path, "field %d of %s is %s, not an object", i+1, t.Name, describe(f))
			continue
		case !named || name == "":
			p.problem(path, "field %d of %s has no name", i+1, t.Name)
			continue
		case seen[name]:
			p.problem(path, "record %s has the field %q twice", t.Name, name)
			continue
		}
		seen[name] = true
		rf := RecordField{Name: name, Aliases: p.strings(field, "aliases", join(path, name))}
		if rf.Original, ok = field[originalName].(string); ok {
			rf.Aliases = append(rf.Aliases, rf.Original)
		}
		rf.Default, rf.HasDefault = field["default"]
		if ft, ok := field["type"]; ok {
			rf.Type = p.parse(ft, ns, join(path, name), depth+1)
			// Some tools write the logical type beside the field's type instead of in it.
			if rf.Type.Logical == "" && rf.Type.Kind < KindRecord {
				rf.Type.annotate(field)
			}
		} else {
			rf.Type = p.problem(join(path, name), "the field has no type")
		}
		t.Fields = append(t.Fields, rf)
	}
	return t
}

func (p *parser) enum(o map[string]any, ns, path string) *Type {
	t := &Type{Kind: KindEnum}
	p.name(t, o, ns, path)
	t.Symbols = p.strings(o, "symbols", path)
	if len(t.Symbols) == 0 {
		return p.problem(path, "enum %s without symbols", t.Name)
	}
	for i, s := range t.Symbols {
		if slices.Contains(t.Symbols[:i], s) {
			p.problem(path, "enum %s has the symbol %q twice", t.Name, s)
		}
	}
	if d, ok := o["default"].(string); ok {
		t.Default = d
		if !slices.Contains(t.Symbols, d) {
			p.problem(path, "the default %q of enum %s is not among its symbols", d, t.Name)
		}
	}
	return t
}

func (p *parser) fixedType(o map[string]any, ns, path string) *Type {
	t := &Type{Kind: KindFixed}
	p.name(t, o, ns, path)
	size, ok := integer(o["size"])
	if !ok || size < 0 || size > math.MaxInt32 {
		return p.problem(path, "fixed %s has the size %v; it must be a number of bytes", t.Name, o["size"])
	}
	t.Size = size
	return t
}

func (p *parser) strings(o map[string]any, key, path string) []string {
	v, ok := o[key]
	if !ok || v == nil {
		return nil
	}
	list, ok := v.([]any)
	out := make([]string, 0, len(list))
	for _, e := range list {
		s, isString := e.(string)
		ok = ok && isString
		out = append(out, s)
	}
	if !ok {
		p.problem(path, "%q must be a list of names", key)
	}
	return out
}

// annotate takes the logical type from o if it fits t.
func (t *Type) annotate(o map[string]any) {
	name, _ := o["logicalType"].(string)
	fits := false
	switch name {
	case "timestamp-millis", "timestamp-micros", "timestamp-nanos",
		"local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos", "time-micros":
		fits = t.Kind == KindLong
	case "date", "time-millis":
		fits = t.Kind == KindInt
	case "uuid":
		fits = t.Kind == KindString || t.Kind == KindFixed && t.Size == 16
	case "duration":
		fits = t.Kind == KindFixed && t.Size == 12
	case "decimal":
		if t.Kind != KindBytes && t.Kind != KindFixed {
			return
		}
		precision, ok := integer(o["precision"])
		scale, scaled := integer(o["scale"]) // 0 when absent
		fits = ok && precision > 0 && scale >= 0 && scale <= precision && (scaled || o["scale"] == nil)
		if t.BadDecimal = !fits; fits {
			t.Precision, t.Scale = precision, scale
		}
	}
	if fits {
		t.Logical = name
	}
}

func integer(v any) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return int(i), err == nil
}

func qualify(name, ns string) string {
	if ns == "" || strings.Contains(name, ".") {
		return name
	}
	return ns + "." + name
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// describe names a JSON value for messages.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", v)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprint(v)
	}
}
