package avro

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Schema is a parsed Avro schema. It is immutable and safe for concurrent use.
type Schema struct {
	text string
	root *Type
	id   uint64
}

// Kind is the type of an Avro value.
type Kind uint8

// The types of Avro.
const (
	KindNull Kind = iota
	KindBoolean
	KindInt
	KindLong
	KindFloat
	KindDouble
	KindBytes
	KindString
	KindRecord
	KindEnum
	KindArray
	KindMap
	KindUnion
	KindFixed
)

var kindNames = [...]string{
	"null", "boolean", "int", "long", "float", "double", "bytes", "string",
	"record", "enum", "array", "map", "union", "fixed",
}

// String returns the type's name as schemas write it.
func (k Kind) String() string { return kindNames[k] }

// named reports whether types of this kind have a name of their own.
func (k Kind) named() bool { return k == KindRecord || k == KindEnum || k == KindFixed }

// Type is a node of a schema. Named types that are referred to again are the same
// node, so a recursive schema is a graph with cycles. It must not be changed.
type Type struct {
	Kind Kind
	// Name and Aliases of a record, enum or fixed, with their namespaces.
	Name    string
	Aliases []string
	// Logical is the logical type; empty if there is none, or one that does not fit
	// the type, which Avro says to ignore.
	Logical          string
	Precision, Scale int // of a decimal
	// BadDecimal says that a bytes or fixed is said to be a decimal, of a precision and a scale that
	// do not go together, which Avro says to ignore too.
	BadDecimal bool
	// Fields of a record, in the order of their encoding.
	Fields []RecordField
	// Items is the type of an array's items or of a map's values.
	Items *Type
	// Branches of a union.
	Branches []*Type
	// Symbols of an enum; Default is the one that stands for unknown ones, or empty.
	Symbols []string
	Default string
	// Size of a fixed in bytes.
	Size int

	sized     bool  // the three below are set
	minSize   int64 // no encoding takes fewer bytes
	fixed     int64 // what every encoding takes, -1 if that varies
	bools     bool  // of one size, with a boolean in it: not all bytes are an encoding
	measuring bool  // guards recursion while sizes are worked out
}

// RecordField is a field of a record.
type RecordField struct {
	Name    string
	Aliases []string
	// Original is the name that Strict replaced, which is an alias too; empty if it did not.
	Original string
	Type     *Type
	// HasDefault says that there is a Default: the decoded JSON (numbers as
	// json.Number). It is checked against the type only when a Resolve needs it,
	// since files with defaults that do not fit are common and can be read all the same.
	HasDefault bool
	Default    any
}

// ParseSchema parses and checks an Avro schema written as JSON. The error tells all
// problems found, each with the path of the field it is in.
//
// The checks are those of the Avro specification: references, duplicates, unions, sizes.
// Names may be of any letters, as many readers take them. Logical types that are unknown
// or do not fit are ignored, as the specification wants; defaults are checked by Resolve.
func ParseSchema(text string) (*Schema, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("parse Avro schema: more after the schema, at byte %d", dec.InputOffset())
	}
	p := parser{named: map[string]*Type{}}
	root := p.parse(tree, "", "", 0)
	if len(p.problems) > 0 {
		return nil, fmt.Errorf("parse Avro schema: %w", errors.Join(p.problems...))
	}
	measure(root)
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	s := &Schema{text: compact.String(), root: root}
	var all strings.Builder
	writeCanonical(&all, root, map[*Type]bool{}, true)
	s.id = fingerprint(all.String())
	return s, nil
}

// String returns the schema's JSON as it was given, without insignificant space.
func (s *Schema) String() string { return s.text }

// Type returns the schema's root.
func (s *Schema) Type() *Type { return s.root }

// Names lists the full names of the types that have one, in the order of the text.
func (s *Schema) Names() []string {
	var names []string
	for _, t := range s.namedTypes() {
		names = append(names, t.Name)
	}
	return names
}

func (s *Schema) namedTypes() []*Type {
	var types []*Type
	s.eachUse(func(t *Type, again bool) {
		if !again && t.Kind.named() {
			types = append(types, t)
		}
	})
	return types
}

// eachUse visits each place in the schema that has a type, in the order of the text; again says that the type was in one before, and its parts
// are not visited once more.
func (s *Schema) eachUse(visit func(t *Type, again bool)) {
	seen := map[*Type]bool{}
	var walk func(t *Type)
	walk = func(t *Type) {
		again := seen[t]
		visit(t, again)
		if again {
			return
		}
		seen[t] = true
		for _, f := range t.Fields {
			walk(f.Type)
		}
		for _, b := range t.Branches {
			walk(b)
		}
		if t.Items != nil {
			walk(t.Items)
		}
	}
	walk(s.root)
}

// sizeCap is where sizes stop growing: far over any input, far under overflow.
const sizeCap = int64(1) << 48

// measure works out sizes for t and all below it.
func measure(t *Type) {
	if t.sized || t.measuring {
		return
	}
	t.measuring = true
	t.minSize, t.fixed = 1, -1
	switch t.Kind {
	case KindNull:
		t.minSize, t.fixed = 0, 0
	case KindBoolean:
		t.fixed, t.bools = 1, true
	case KindFloat:
		t.minSize, t.fixed = 4, 4
	case KindDouble:
		t.minSize, t.fixed = 8, 8
	case KindFixed:
		t.minSize, t.fixed = int64(t.Size), int64(t.Size)
	case KindArray, KindMap:
		measure(t.Items)
	case KindUnion:
		for _, b := range t.Branches {
			measure(b)
		}
	case KindRecord:
		t.measureFields()
	default: // int, long, bytes, string, enum: a varint at least
	}
	t.sized = true
}

func (t *Type) measureFields() {
	least, fixed := int64(0), int64(0)
	for _, f := range t.Fields {
		measure(f.Type)
		// A record that holds itself outright has no finite encoding. While it is
		// being measured it counts as one byte of varying size, which sends
		// decoders down to their limit of depth and to a clear error.
		low, size := int64(1), int64(-1)
		t.bools = t.bools || f.Type.bools
		if f.Type.sized {
			low, size = f.Type.minSize, f.Type.fixed
		}
		least = min(least+low, sizeCap)
		if size < 0 || fixed < 0 {
			fixed = -1
		} else {
			fixed = min(fixed+size, sizeCap)
		}
	}
	t.minSize, t.fixed = least, fixed
}
