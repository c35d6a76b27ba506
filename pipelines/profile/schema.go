package profile

import (
	"slices"
	"strings"

	"tributary/io/avroio"
	"tributary/io/event"
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
func OfSchema(s *avroio.Schema) []Typed {
	l := typedLister{}
	l.list(s.Type(), nil, nil)
	return l.fields
}

type typedLister struct{ fields []Typed }

func (l *typedLister) list(t *avroio.Type, names []string, around []*avroio.Type) {
	if t.Kind != avroio.KindRecord || slices.Contains(around, t) || len(around) == maxDepth {
		return
	}
	around = append(around[:len(around):len(around)], t)
	for _, f := range t.Fields {
		if len(l.fields) == maxFields {
			return
		}
		at := append(names[:len(names):len(names)], f.Name)
		branches := []*avroio.Type{f.Type}
		if f.Type.Kind == avroio.KindUnion {
			branches = f.Type.Branches
		}
		typed := Typed{Path: event.JoinPath(at...), Scalar: true}
		var types []string
		null := false
		for _, b := range branches {
			switch b.Kind {
			case avroio.KindNull:
				null = true
				continue
			case avroio.KindRecord:
				l.list(b, at, around)
				continue
			case avroio.KindArray, avroio.KindMap, avroio.KindUnion:
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

func typeText(t *avroio.Type) string {
	text := t.Kind.String()
	switch {
	case t.Kind == avroio.KindArray || t.Kind == avroio.KindMap:
		return text + " of " + typeText(t.Items)
	case t.Logical != "":
		return text + " (" + t.Logical + ")"
	}
	return text
}
