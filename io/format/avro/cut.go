package avro

import (
	"encoding/binary"
	"fmt"
)

// Cut takes chosen fields out of encoded records as they are encoded there, of whatever type: nothing is decoded. It never
// allocates but for dst, and is safe for concurrent use.
type Cut struct {
	root    *cutNode
	columns []cutColumn
}

// cutColumn is how a field is written.
type cutColumn struct {
	typ *Type
	// mayMiss: the path leads through something that may be null.
	mayMiss bool
	form    cutForm
	// null is the branch that stands for a field that is missing.
	null int64
}

// cutForm is what stands before the bytes of a field.
type cutForm uint8

const (
	cutPlain    cutForm = iota // nothing
	cutNullable                // the second branch of a union with null
	cutShifted                 // the branch of its own union, which gets null before the others
)

// cutNode is a place in a record that a path leads to or through.
type cutNode struct {
	name   string
	slots  []int // paths that end here
	below  []*cutNode
	union  bool  // the record is a branch of a union with null
	null   int64 // the branch that is null
	fields []cutField
	// whole steps over the value, where nothing below it is wanted.
	whole *program
}

// cutField is a field of a record with a path to it: before steps over the fields between it and the one before it.
type cutField struct {
	before *program
	node   *cutNode // nil for the last, which is the record's end
}

// AmbiguousFieldError says that a path leads through a union of which not only one branch is a record.
type AmbiguousFieldError struct{ Path, At string }

// Error names the place.
func (e *AmbiguousFieldError) Error() string {
	return fmt.Sprintf("field %q: %s is a union of more than null and one record", e.Path, e.At)
}

// NewCut makes the Cut that takes the fields at paths out of records of schema s, whatever their types. The error is an
// *UnknownFieldError or an *AmbiguousFieldError.
func NewCut(s *Schema, paths []string) (*Cut, error) {
	c := &Cut{root: &cutNode{}}
	for slot, path := range paths {
		way, t, err := wayTo(s, path)
		if err != nil {
			return nil, err
		}
		n, mayMiss := c.root, false
		for _, f := range way {
			mayMiss = mayMiss || f.null >= 0
			n = n.child(f.record.Fields[f.field].Name)
		}
		n.slots = append(n.slots, slot)
		c.columns = append(c.columns, columnOf(t, mayMiss))
	}
	c.root.compile(s.root)
	return c, nil
}

func columnOf(t *Type, mayMiss bool) cutColumn {
	c := cutColumn{typ: t, mayMiss: mayMiss}
	if !mayMiss || t.Kind == KindNull {
		return c
	}
	c.form = cutNullable
	if t.Kind == KindUnion {
		c.form = cutShifted
		for i, b := range t.Branches {
			if b.Kind == KindNull {
				c.form, c.null = cutPlain, int64(i)
			}
		}
	}
	return c
}

func (n *cutNode) child(name string) *cutNode {
	for _, have := range n.below {
		if have.name == name {
			return have
		}
	}
	next := &cutNode{name: name}
	n.below = append(n.below, next)
	return next
}

// compile makes what goes through a value of type t.
func (n *cutNode) compile(t *Type) {
	if len(n.below) == 0 {
		n.whole = compileFields([]RecordField{{Name: n.name, Type: t}})
		return
	}
	r, null := through(t, KindRecord)
	n.union, n.null = t.Kind == KindUnion, null
	from := 0
	for i, f := range r.Fields {
		for _, next := range n.below {
			if next.name == f.Name {
				next.compile(f.Type)
				n.fields = append(n.fields, cutField{compileFields(r.Fields[from:i]), next})
				from = i + 1
			}
		}
	}
	n.fields = append(n.fields, cutField{compileFields(r.Fields[from:]), nil})
}

// span is where a field is; none of it for one that is missing.
type cutSpan struct {
	from, to int
	found    bool
}

// Append appends the chosen fields of the record at the start of datum, one after the other in the order of the paths, each
// of the type that AppendTypes names. The error is a *DecodeError.
func (c *Cut) Append(dst, datum []byte) ([]byte, error) {
	var room [32]cutSpan
	spans := room[:]
	if len(c.columns) > len(room) {
		spans = make([]cutSpan, len(c.columns))
	}
	if _, failed := c.root.walk(datum, 0, spans); failed != nil {
		return dst, failed
	}
	for i := range c.columns {
		dst = c.columns[i].append(dst, datum, spans[i])
	}
	return dst, nil
}

func (c *cutColumn) append(dst, datum []byte, s cutSpan) []byte {
	switch {
	case !s.found && c.typ.Kind == KindNull:
		return dst
	case !s.found:
		return binary.AppendVarint(dst, c.null)
	case c.form == cutNullable:
		dst = binary.AppendVarint(dst, 1)
	case c.form == cutShifted:
		branch, next := uvarint(datum, s.from)
		dst = binary.AppendVarint(dst, zigzag(branch)+1)
		s.from = next
	}
	return append(dst, datum[s.from:s.to]...)
}

// walk notes where the wanted fields of the value at pos are, and returns where it ends.
func (n *cutNode) walk(buf []byte, pos int, spans []cutSpan) (end int, failed *DecodeError) {
	from := pos
	if n.whole != nil {
		if pos, failed = n.whole.run(0, buf, pos, nil, 0, nil); failed != nil {
			return 0, failed
		}
	} else if pos, failed = n.record(buf, pos, spans); failed != nil {
		return 0, failed
	}
	for _, slot := range n.slots {
		spans[slot] = cutSpan{from, pos, true}
	}
	return pos, nil
}

// record goes through a record, or null in its place.
func (n *cutNode) record(buf []byte, pos int, spans []cutSpan) (end int, failed *DecodeError) {
	if n.union {
		branch, next := uvarint(buf, pos)
		if next < 0 {
			return 0, &DecodeError{Path: n.name, Offset: pos, Reason: failure(next).String()}
		}
		if pos = next; zigzag(branch) == n.null {
			return pos, nil
		}
	}
	for _, f := range n.fields {
		if pos, failed = f.before.run(0, buf, pos, nil, 0, nil); failed != nil {
			return 0, failed.below(n.name)
		}
		if f.node == nil {
			break
		}
		if pos, failed = f.node.walk(buf, pos, spans); failed != nil {
			return 0, failed.below(n.name)
		}
	}
	return pos, nil
}
