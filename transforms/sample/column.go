package sample

import (
	"encoding/json"

	"tributary/io/record"
	"tributary/transforms/label"
)

// Column is one label of a kind of engagement in a sample. Those of a kind follow one another.
type Column struct {
	Kind string
	Func label.Func
	// Name is that of the label; empty for the kind's.
	Name string
	// Type is that of a value that is carried from an engagement; empty for whatever it is.
	Type Cast
}

// Label is the label's name: the kind's where it has no other.
func (c *Column) Label() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Kind
}

// definition is that of the function, for a column with a type; nil for a function that is not known.
func (c *Column) definition() *label.Definition {
	d := c.Func.Definition()
	if d == nil || c.Type == "" || d.Carried == nil {
		return d
	}
	typed := *d
	typed.Type = []string{"null", string(c.Type)}
	typed.Append = func(dst []byte, t *label.Totals) []byte {
		dst, err := c.Type.append(dst, d.Carried(t))
		if err != nil { // nothing but what the type holds comes here, see Cast.Value
			return append(dst, 0)
		}
		return dst
	}
	return &typed
}

// field is the column in the schema. One that has a name of its own and may be null can come to a schema that is there.
func (c *Column) field(d *label.Definition) field {
	f := field{Name: c.Label(), Type: d.Type}
	if types, union := d.Type.([]string); union && types[0] == "null" && c.Name != "" {
		f.Default = json.RawMessage("null")
	}
	return f
}

// firstColumns are the columns that are the first of their kind: a kind has one delay.
func firstColumns(columns []Column) (first []int) {
	for i := range columns {
		if i == 0 || columns[i].Kind != columns[i-1].Kind {
			first = append(first, i)
		}
	}
	return first
}

// Value is v as a column of the type holds it, where v is not null; not ok if it cannot without loss. Text is appended to room.
func (c Cast) Value(v record.Value, room []byte) (out record.Value, ok bool) {
	switch c {
	case CastBoolean:
		var b bool
		if b, ok = v.Boolean(); b {
			out.Int = 1
		}
		out.Kind = record.Bool
	case CastLong:
		out.Kind = record.Int
		out.Int, ok = v.Long()
	case CastDouble:
		out.Kind = record.Float
		out.Float, ok = v.Double()
	case CastString:
		out.Kind = record.String
		out.Text, ok = v.AppendText(room)
	}
	return out, ok
}
