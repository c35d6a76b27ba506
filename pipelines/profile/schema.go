package profile

import (
	"slices"
	"strings"

	"tributary/io/format/avro"
	"tributary/io/record"
)

// Typed is a field as an Avro schema has it.
type Typed struct {
	Path string
	// Type is the Avro type with its logical type, like `long (timestamp-millis) or null`.
	Type string
	// Logical is the logical type alone; empty for none, and where several types are possible.
	Logical string
	// Scalar says that a spec may name the field.
	Scalar bool
}

// OfSchema lists the fields of a schema in its order, those inside records by their paths.
func OfSchema(s *avro.Schema) []Typed {
	l := typedLister{}
	l.list(s.Type(), nil, nil)
	return l.fields
}

type typedLister struct{ fields []Typed }

func (l *typedLister) list(t *avro.Type, names []string, around []*avro.Type) {
	if t.Kind != avro.KindRecord || slices.Contains(around, t) || len(around) == maxDepth {
		return
	}
	around = append(around[:len(around):len(around)], t)
	for _, f := range t.Fields {
		if len(l.fields) == maxFields {
			return
		}
		at := append(names[:len(names):len(names)], f.Name)
		branches := []*avro.Type{f.Type}
		if f.Type.Kind == avro.KindUnion {
			branches = f.Type.Branches
		}
		typed := Typed{Path: record.JoinPath(at...), Scalar: true}
		var types []string
		null := false
		for _, b := range branches {
			switch b.Kind {
			case avro.KindNull:
				null = true
				continue
			case avro.KindRecord:
				l.list(b, at, around)
				continue
			case avro.KindArray, avro.KindMap, avro.KindUnion:
				typed.Scalar = false
			default: // one value
			}
			types = append(types, typeText(b))
			typed.Logical = b.Logical
		}
		if len(types) == 0 && (!null || len(branches) != 1) {
			continue // a record, whose fields are listed
		}
		if len(types) > 1 {
			typed.Logical = ""
		}
		if null {
			types = append(types, "null")
		}
		typed.Type = strings.Join(types, " or ")
		l.fields = append(l.fields, typed)
	}
}

func typeText(t *avro.Type) string {
	text := t.Kind.String()
	switch {
	case t.Kind == avro.KindArray || t.Kind == avro.KindMap:
		return text + " of " + typeText(t.Items)
	case t.Logical != "":
		return text + " (" + t.Logical + ")"
	}
	return text
}
