package avro

import (
	"encoding/json"
	"strconv"
	"strings"
)

// TypeTexts writes types of schemas as JSON, to be put into one other schema: a named type is defined where it is first
// written, by its full name, and only named after that. The zero value is ready.
type TypeTexts struct{ written map[*Type]bool }

// Types are the types of the fields that c takes, and tells of each whether null is the first that it may be: such a field
// can have the default null.
func (w *TypeTexts) Types(c *Cut) (texts []json.RawMessage, nullFirst []bool) {
	for _, col := range c.columns {
		var b strings.Builder
		switch col.form {
		case cutNullable:
			b.WriteString(`["null",`)
			w.write(&b, col.typ, "")
			b.WriteByte(']')
		case cutShifted:
			b.WriteString(`["null"`)
			for _, branch := range col.typ.Branches {
				b.WriteByte(',')
				w.write(&b, branch, "")
			}
			b.WriteByte(']')
		default:
			w.write(&b, col.typ, "")
		}
		texts = append(texts, json.RawMessage(b.String()))
		nullFirst = append(nullFirst, strings.HasPrefix(b.String(), `["null"`))
	}
	return texts, nullFirst
}

// Type is the type of records of s.
func (w *TypeTexts) Type(s *Schema) json.RawMessage {
	var b strings.Builder
	w.write(&b, s.root, "")
	return json.RawMessage(b.String())
}

// Defined tells whether any named type was written.
func (w *TypeTexts) Defined() bool { return len(w.written) > 0 }

// write writes a type; around is the namespace that names without one would get.
func (w *TypeTexts) write(b *strings.Builder, t *Type, around string) {
	if t.Kind.named() {
		if w.written[t] {
			b.WriteString(quoted(t.Name))
			return
		}
		if w.written == nil {
			w.written = map[*Type]bool{}
		}
		w.written[t] = true
	}
	switch t.Kind {
	case KindRecord:
		w.define(b, t, around)
		b.WriteString(`,"fields":[`)
		for i, f := range t.Fields {
			comma(b, i)
			b.WriteString(`{"name":` + quoted(f.Name))
			writeNames(b, "aliases", f.Aliases)
			b.WriteString(`,"type":`)
			w.write(b, f.Type, namespaceOf(t.Name))
			if f.HasDefault {
				text, err := json.Marshal(f.Default)
				if err == nil { // it was read as JSON
					b.WriteString(`,"default":` + string(text))
				}
			}
			b.WriteByte('}')
		}
		b.WriteString(`]}`)
	case KindEnum:
		w.define(b, t, around)
		writeNames(b, "symbols", t.Symbols)
		if t.Default != "" {
			b.WriteString(`,"default":` + quoted(t.Default))
		}
		b.WriteByte('}')
	case KindFixed:
		w.define(b, t, around)
		b.WriteString(`,"size":` + strconv.Itoa(t.Size))
		t.writeLogical(b)
		b.WriteByte('}')
	case KindArray, KindMap:
		key := map[Kind]string{KindArray: "items", KindMap: "values"}[t.Kind]
		b.WriteString(`{"type":"` + t.Kind.String() + `","` + key + `":`)
		w.write(b, t.Items, around)
		b.WriteByte('}')
	case KindUnion:
		b.WriteByte('[')
		for i, branch := range t.Branches {
			comma(b, i)
			w.write(b, branch, around)
		}
		b.WriteByte(']')
	default:
		if t.Logical == "" {
			b.WriteString(quoted(t.Kind.String()))
			return
		}
		b.WriteString(`{"type":` + quoted(t.Kind.String()))
		t.writeLogical(b)
		b.WriteByte('}')
	}
}

// define begins the definition of a named type.
func (w *TypeTexts) define(b *strings.Builder, t *Type, around string) {
	b.WriteString(`{"type":` + quoted(t.Kind.String()) + `,"name":` + quoted(t.Name))
	if around != "" && namespaceOf(t.Name) == "" {
		b.WriteString(`,"namespace":""`)
	}
	writeNames(b, "aliases", t.Aliases)
}

func (t *Type) writeLogical(b *strings.Builder) {
	if t.Logical == "" {
		return
	}
	b.WriteString(`,"logicalType":` + quoted(t.Logical))
	if t.Logical == "decimal" {
		b.WriteString(`,"precision":` + strconv.Itoa(t.Precision) + `,"scale":` + strconv.Itoa(t.Scale))
	}
}

func writeNames(b *strings.Builder, key string, names []string) {
	if len(names) == 0 {
		return
	}
	b.WriteString(`,` + quoted(key) + `:[`)
	for i, name := range names {
		comma(b, i)
		b.WriteString(quoted(name))
	}
	b.WriteByte(']')
}
