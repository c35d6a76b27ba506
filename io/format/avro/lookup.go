package avro

import (
	"fmt"
	"slices"
	"strings"

	"tributary/io/record"
)

// Field is a scalar field of a schema's record, found by its path.
type Field struct {
	// Path names the field from the root (see record.ParsePath), through records and unions
	// that hold records.
	Path string
	// Type is the Avro type without null: "string", "long", ...; "union" if values
	// may be of several types.
	Type string
	// Logical is the logical type, or empty.
	Logical string
	// Nullable says that the field may be null, or absent because a record on the
	// way to it is.
	Nullable bool
	// Kind of the values that a Projection gives; record.Null if they vary.
	Kind record.Kind
	// Unit of the field as an event time: known for the logical timestamp types;
	// record.UnitRFC3339 for text, record.UnitAuto (not known) for all else.
	Unit record.Unit
}

// UnknownFieldError says that a path leads to no field.
type UnknownFieldError struct {
	Path string
	// At is the part of Path that was found, empty if the first name is unknown.
	At string
	// Fields are the names there are at that place; none if it is not a record.
	Fields []string
	// Flat says that there are no records in the record, so that dots are part of names.
	Flat bool
}

// Paths are the paths of Fields, as they must be written.
func (e *UnknownFieldError) Paths() []string {
	paths := make([]string, len(e.Fields))
	at, err := record.ParsePath(e.At)
	if err != nil {
		at = nil // it is empty
	}
	for i, name := range e.Fields {
		if e.Flat {
			paths[i] = record.FlatPath(name)
		} else {
			paths[i] = record.JoinPath(append(slices.Clone(at), name)...)
		}
	}
	return paths
}

// Error says what is there instead.
func (e *UnknownFieldError) Error() string {
	place := "the record"
	if e.At != "" {
		place = e.At
	}
	if len(e.Fields) == 0 {
		return fmt.Sprintf("no field %q: %s has no fields", e.Path, place)
	}
	return fmt.Sprintf("no field %q: %s has %s", e.Path, place, strings.Join(e.Fields, ", "))
}

// NotScalarError says that a path leads to something that is not one value.
type NotScalarError struct {
	Path string
	// Type is the Avro type found: array, map, record or a union with one of them.
	Type string
}

// Error says what the path leads to.
func (e *NotScalarError) Error() string {
	return fmt.Sprintf("field %q is of type %s, which is not a single value", e.Path, e.Type)
}

// Lookup finds the field at path, by names or, where a record has none of a name, by its own
// aliases. The error is an *UnknownFieldError or a *NotScalarError.
func (s *Schema) Lookup(path string) (Field, error) {
	at := []*Type{s.root}
	nullable := false
	names, err := record.ParsePath(path)
	if err != nil {
		records, _ := recordsOf(at)
		return Field{}, &UnknownFieldError{Path: path, Fields: namesIn(records)}
	}
	for i, name := range names {
		records, others := recordsOf(at)
		var next []*Type
		for _, r := range records {
			if at := r.field(name); at >= 0 {
				next = append(next, r.Fields[at].Type)
			}
		}
		if len(next) == 0 {
			return Field{}, &UnknownFieldError{Path: path, At: record.JoinPath(names[:i]...), Fields: namesIn(records)}
		}
		nullable = nullable || others || len(next) < len(records)
		at = next
	}
	return describeField(path, at, nullable)
}

// namesIn lists the names of fields that records have.
func namesIn(records []*Type) (names []string) {
	for _, r := range records {
		for _, f := range r.Fields {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// recordsOf flattens unions and returns the records among types; others says that
// there is something besides.
func recordsOf(types []*Type) (records []*Type, others bool) {
	for _, t := range types {
		switch t.Kind {
		case KindRecord:
			if !slices.Contains(records, t) {
				records = append(records, t)
			}
		case KindUnion:
			below, more := recordsOf(t.Branches)
			others = others || more
			for _, r := range below {
				if !slices.Contains(records, r) {
					records = append(records, r)
				}
			}
		default:
			others = true
		}
	}
	return records, others
}

func describeField(path string, types []*Type, nullable bool) (Field, error) {
	f := Field{Path: path, Nullable: nullable}
	var flat []*Type
	for _, t := range types {
		if t.Kind == KindUnion {
			flat = append(flat, t.Branches...)
		} else {
			flat = append(flat, t)
		}
	}
	var of *Type
	for _, t := range flat {
		kind, scalar := t.event()
		switch {
		case !scalar:
			return Field{}, &NotScalarError{Path: path, Type: t.Kind.String()}
		case t.Kind == KindNull:
			f.Nullable = true
		case of == nil:
			of, f.Type, f.Kind, f.Logical, f.Unit = t, t.Kind.String(), kind, t.Logical, t.unit()
		case of.Kind != t.Kind || of.Logical != t.Logical:
			f.Type = "union"
			if f.Kind != kind {
				f.Kind = record.Null
			}
			f.Logical, f.Unit = "", record.UnitAuto
		}
	}
	if of == nil {
		f.Type = KindNull.String()
	}
	return f, nil
}

// maxScale bounds the scale of decimals that are read as numbers.
const maxScale = 1000

// event returns the kind of value that the type is read as; not ok for those that
// are more than one value.
func (t *Type) event() (kind record.Kind, ok bool) {
	switch t.Logical {
	case "uuid":
		return record.UUID, true
	case "decimal":
		if t.Scale <= maxScale {
			return record.Decimal, true
		}
	}
	switch t.Kind {
	case KindNull:
		return record.Null, true
	case KindBoolean:
		return record.Bool, true
	case KindInt, KindLong:
		return record.Int, true
	case KindFloat, KindDouble:
		return record.Float, true
	case KindString, KindEnum:
		return record.String, true
	case KindBytes, KindFixed:
		return record.Bytes, true
	default:
		return record.Null, false
	}
}

func (t *Type) unit() record.Unit {
	if t.Kind == KindString {
		return record.UnitRFC3339
	}
	switch strings.TrimPrefix(t.Logical, "local-") {
	case "timestamp-millis":
		return record.UnitMillis
	case "timestamp-micros":
		return record.UnitMicros
	case "timestamp-nanos":
		return record.UnitNanos
	default:
		return record.UnitAuto
	}
}

// maxPaths bounds Paths: a small schema that uses a type twice at each of many levels
// has more paths than memory holds.
const maxPaths = 10_000

// Paths lists the paths of all scalar fields in the order of the schema. A type inside
// itself is listed once, not for ever.
func (s *Schema) Paths() []string {
	l := pathLister{schema: s, seen: map[string]bool{}}
	l.list(s.root, nil, nil)
	return l.paths
}

type pathLister struct {
	schema *Schema
	seen   map[string]bool
	paths  []string
	steps  int
}

func (l *pathLister) list(t *Type, names []string, around []*Type) {
	// Steps count too: levels of records without scalars multiply as well.
	if l.steps++; l.steps > 4*maxPaths || len(l.paths) >= maxPaths {
		return
	}
	switch t.Kind {
	case KindRecord:
		if slices.Contains(around, t) {
			return
		}
		around = append(around, t)
		for _, f := range t.Fields {
			l.list(f.Type, append(slices.Clone(names), f.Name), around)
		}
	case KindUnion:
		for _, b := range t.Branches {
			l.list(b, names, around)
		}
	default:
		path := record.JoinPath(names...)
		if path == "" || l.seen[path] {
			return
		}
		if _, err := l.schema.Lookup(path); err == nil {
			l.seen[path] = true
			l.paths = append(l.paths, path)
		}
	}
}
