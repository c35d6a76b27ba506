package avro

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"tributary/io/record"
)

// Columns takes encoded records apart into the cells of a table. A record inside of a record is taken
// apart too, and its fields are columns named by their path (record.JoinPath), with the names that they
// had before Strict; whatever else holds several values is one column, and so is a record that holds
// itself, and one that stands in a union beside other types than null. Not for concurrent use.
type Columns struct {
	root    *columnNode
	columns []Column
	text    []byte // JSON of cells
}

// Column is one of a table.
type Column struct {
	Name string
	// Types are those that values may have, without null; one but for unions.
	Types []*Type
	// Nullable says that a cell may be null.
	Nullable bool
}

// Cell is the value of a column in one record.
type Cell struct {
	// Type is nil for null; of a union it is that of the value.
	Type *Type
	// Int is that of an int and a long, and 0 or 1 for a boolean; Float that of a float and a double.
	Int   int64
	Float float64
	// Text is that of a string, the symbol of an enum, the content of bytes and of a fixed, and JSON for
	// what holds several values, but for arrays of scalars, which are JSON only in AppendText. It is valid as long as
	// the record is, until the next one.
	Text []byte
	// Encoded are the bytes of the value in the record.
	Encoded []byte

	list *JSONWriter // of an array of scalars
}

// columnNode is a type on the way to columns.
type columnNode struct {
	column   int // -1 for a record that is taken apart, whose columns are those in [from, to)
	from, to int
	branches []*Type // of a union
	t        *Type   // what stands here, or the branch that is no null
	fields   []*columnNode
	json     map[*Type]*JSONWriter // of types that are a column and hold several values
}

// NewColumns prepares to take records of schema s apart. The error is that it is not of a record.
func NewColumns(s *Schema) (*Columns, error) {
	if s.root.Kind != KindRecord {
		return nil, errors.New("a table wants records, not " + s.root.Kind.String())
	}
	c := &Columns{}
	c.root = c.node(s.root, nil, nil, false)
	return c, nil
}

// All are the columns, in the order of the fields.
func (c *Columns) All() []Column { return c.columns }

// node lays out the columns of a type at a path. above are the records around it.
func (c *Columns) node(t *Type, path []string, above []*Type, nullable bool) *columnNode {
	n := &columnNode{column: -1, from: len(c.columns), t: t}
	types := []*Type{t}
	if t.Kind == KindUnion {
		n.branches = t.Branches
		types = slices.DeleteFunc(slices.Clone(t.Branches), func(b *Type) bool { return b.Kind == KindNull })
		nullable = nullable || len(types) < len(t.Branches)
		n.t = nil
		if len(types) == 1 {
			n.t = types[0]
		}
	}
	if n.t != nil && n.t.Kind == KindRecord && len(n.t.Fields) > 0 && !slices.Contains(above, n.t) && !holds(n.t, n.t) {
		for _, f := range n.t.Fields {
			n.fields = append(n.fields, c.node(f.Type, append(slices.Clone(path), cmp.Or(f.Original, f.Name)), append(slices.Clone(above), n.t), nullable))
		}
		n.to = len(c.columns)
		return n
	}
	n.column, n.to = len(c.columns), len(c.columns)+1
	n.json = map[*Type]*JSONWriter{}
	for _, t := range types {
		switch {
		case t.ScalarItems():
			n.json[t] = &JSONWriter{root: jsonNodes(t, map[*Type]*jsonNode{})} // nothing is deep in it
		case t.nested():
			n.json[t] = &JSONWriter{root: jsonNodes(t, map[*Type]*jsonNode{}), depth: len(path)}
		}
	}
	nullable = nullable || t.Kind == KindNull
	types = slices.DeleteFunc(slices.Clone(types), func(b *Type) bool { return b.Kind == KindNull })
	c.columns = append(c.columns, Column{Name: record.JoinPath(path...), Types: types, Nullable: nullable})
	return n
}

// nested tells whether values of the type hold others.
func (t *Type) nested() bool { return t.Kind == KindRecord || t.Kind == KindArray || t.Kind == KindMap }

// holds tells whether a value of type t may hold one of the record r.
func holds(t, r *Type) bool {
	seen := map[*Type]bool{}
	var below func(t *Type) bool
	below = func(t *Type) bool {
		if seen[t] {
			return false
		}
		seen[t] = true
		parts := t.Branches
		if t.Items != nil {
			parts = append(slices.Clone(parts), t.Items)
		}
		for _, f := range t.Fields {
			parts = append(parts, f.Type)
		}
		return slices.ContainsFunc(parts, func(p *Type) bool { return p == r || below(p) })
	}
	return below(t)
}

// Split returns the cells of the record at the start of datum, in the room of cells, and how many bytes
// it takes. The error is a *DecodeError.
func (c *Columns) Split(cells []Cell, datum []byte) ([]Cell, int, error) {
	cells = slices.Grow(cells[:0], len(c.columns))[:len(c.columns)]
	clear(cells)
	c.text = c.text[:0]
	pos, err := c.split(c.root, cells, datum, 0)
	if err != nil {
		return nil, 0, err
	}
	return cells, pos, nil
}

func (c *Columns) split(n *columnNode, cells []Cell, buf []byte, pos int) (int, *DecodeError) {
	t := n.t
	if n.branches != nil {
		i, next := index(buf, pos, int64(len(n.branches)), failUnion)
		if next < 0 {
			return 0, &DecodeError{Path: c.pathOf(n), Offset: pos, Reason: failure(next).String()}
		}
		t, pos = n.branches[i], next
	}
	if t.Kind == KindNull {
		return pos, nil
	}
	if n.column < 0 {
		for _, f := range n.fields {
			var err *DecodeError
			if pos, err = c.split(f, cells, buf, pos); err != nil {
				return 0, err
			}
		}
		return pos, nil
	}
	cell := &cells[n.column]
	if t.ScalarItems() {
		next := t.eachItem(buf, pos, func(Cell) {})
		if next < 0 {
			return 0, (&DecodeError{Offset: pos, Reason: failure(next).String()}).below("[]").below(c.pathOf(n))
		}
		*cell = Cell{Type: t, Encoded: buf[pos:next], list: n.json[t]}
		return next, nil
	}
	if w := n.json[t]; w != nil {
		start := len(c.text)
		text, size, err := w.Append(c.text, buf[pos:])
		if err != nil {
			failed := &DecodeError{Offset: pos, Reason: err.Error()}
			if inner := (*DecodeError)(nil); errors.As(err, &inner) {
				failed = &DecodeError{Path: inner.Path, Offset: pos + inner.Offset, Reason: inner.Reason}
			}
			return 0, failed.below(c.pathOf(n))
		}
		c.text = text
		*cell = Cell{Type: t, Text: text[start:], Encoded: buf[pos : pos+size]}
		return pos + size, nil
	}
	next := cell.scalar(t, buf, pos)
	if next < 0 {
		return 0, &DecodeError{Path: c.pathOf(n), Offset: pos, Reason: failure(next).String()}
	}
	return next, nil
}

// pathOf names a column, or a record by the first of its columns.
func (c *Columns) pathOf(n *columnNode) string { return c.columns[n.from].Name }

// scalar reads a value that is one; next is negative (a failure) if there is none.
func (c *Cell) scalar(t *Type, buf []byte, pos int) (next int) {
	c.Type = t
	switch t.Kind {
	case KindInt, KindLong:
		var v uint64
		if v, next = uvarint(buf, pos); next >= 0 && t.Kind == KindInt && v > math.MaxUint32 {
			return int(failInt)
		}
		c.Int = zigzag(v)
	case KindEnum:
		var i int
		if i, next = index(buf, pos, int64(len(t.Symbols)), failEnum); next >= 0 {
			c.Text = []byte(t.Symbols[i])
		}
	case KindString, KindBytes:
		var n int
		if n, next = length(buf, pos); next >= 0 {
			c.Text = buf[next : next+n]
			next += n
		}
	default:
		next = pos + int(t.minSize)
		if int64(len(buf)-pos) < t.minSize {
			return int(failShort)
		}
		raw := buf[pos:next]
		switch t.Kind {
		case KindBoolean:
			if raw[0] > 1 {
				return int(failBool)
			}
			c.Int = int64(raw[0])
		case KindFloat:
			c.Float = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		case KindDouble:
			c.Float = math.Float64frombits(binary.LittleEndian.Uint64(raw))
		default:
			c.Text = raw
		}
	}
	if next >= 0 {
		c.Encoded = buf[pos:next]
	}
	return next
}

// ScalarItems tells whether t is an array of scalars, none of which is null or takes no bytes.
func (t *Type) ScalarItems() bool {
	return t.Kind == KindArray && t.Items.Kind != KindUnion && t.Items.Kind != KindNull && !t.Items.nested() && t.Items.minSize > 0
}

// Items returns the items of an array of scalars (ScalarItems), in the room of dst; false for other values.
func (c *Cell) Items(dst []Cell) (items []Cell, ok bool) {
	if c.list == nil {
		return nil, false
	}
	dst = dst[:0]
	c.Type.eachItem(c.Encoded, 0, func(item Cell) { dst = append(dst, item) }) // it is sound: Split has read it
	return dst, true
}

// eachItem reads an array of scalars; next is negative (a failure) if there is none.
func (t *Type) eachItem(buf []byte, pos int, take func(Cell)) (next int) {
	for {
		count, size, start := blockHeader(buf, pos)
		switch {
		case start < 0:
			return start
		case count > int64(len(buf)-start)/t.Items.minSize:
			return int(failCount)
		case count == 0:
			return start
		}
		pos = start
		for range count {
			var item Cell
			if pos = item.scalar(t.Items, buf, pos); pos < 0 {
				return pos
			}
			take(item)
		}
		if size >= 0 && pos != start+size {
			return int(failBlock)
		}
	}
}

// longestDecimal is how many bytes of a decimal are written in decimal: more is hostile, and slow.
const longestDecimal = 1 << 10

// Decimal tells whether the value is a decimal, of no more than 1 KiB.
func (c *Cell) Decimal() bool {
	return c.Type != nil && c.Type.Logical == "decimal" && (c.Type.Kind == KindBytes || c.Type.Kind == KindFixed) && len(c.Text) <= longestDecimal
}

// AppendText appends the value as text: numbers as JSON has them, but NaN, Infinity and -Infinity;
// booleans as true and false; decimals (Decimal) with their point; a uuid with its dashes; bytes and fixed in base64
// (standard, padded); text, symbols and JSON as they are; nothing for null.
func (c *Cell) AppendText(dst []byte) []byte {
	if c.Type == nil {
		return dst
	}
	if c.list != nil {
		dst, _, _ = c.list.Append(dst, c.Encoded) // it is sound: Split has read it
		return dst
	}
	switch c.Type.Kind {
	case KindBoolean:
		return strconv.AppendBool(dst, c.Int == 1)
	case KindInt, KindLong:
		return strconv.AppendInt(dst, c.Int, 10)
	case KindFloat, KindDouble:
		switch {
		case math.IsInf(c.Float, 1):
			return append(dst, "Infinity"...)
		case math.IsInf(c.Float, -1):
			return append(dst, "-Infinity"...)
		case math.IsNaN(c.Float):
			return append(dst, "NaN"...)
		case c.Type.Kind == KindFloat:
			return appendFloat(dst, c.Float, 32)
		}
		return appendFloat(dst, c.Float, 64)
	case KindBytes, KindFixed:
		switch {
		case c.Decimal():
			return appendDecimal(dst, c.Unscaled(), c.Type.Scale)
		case c.Type.Logical == "uuid" && len(c.Text) == 16:
			if text, err := (record.Value{Kind: record.UUID, Text: c.Text}).AppendID(dst); err == nil {
				return text
			}
		}
		quoted := appendBase64(nil, c.Text)
		return append(dst, quoted[1:len(quoted)-1]...)
	default:
		return append(dst, c.Text...)
	}
}

// Unscaled is that of a decimal.
func (c *Cell) Unscaled() *big.Int {
	v := record.Value{Kind: record.Decimal, Int: int64(c.Type.Scale), Text: c.Text}
	return v.Unscaled()
}

func appendDecimal(dst []byte, unscaled *big.Int, scale int) []byte {
	text := unscaled.String()
	if scale == 0 {
		return append(dst, text...)
	}
	if scale > longestDecimal {
		return strconv.AppendInt(append(append(dst, text...), 'e'), -int64(scale), 10)
	}
	if text[0] == '-' {
		dst, text = append(dst, '-'), text[1:]
	}
	if len(text) <= scale {
		text = strings.Repeat("0", scale-len(text)+1) + text
	}
	return append(append(append(dst, text[:len(text)-scale]...), '.'), text[len(text)-scale:]...)
}
