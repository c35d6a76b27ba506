package avro

import (
	"fmt"

	"tributary/io/record"
)

// List finds the elements of an array in encoded records. What stands before the array, an element and what stands behind it are together
// a record of another schema, that of Schema: nothing is decoded. It is safe for concurrent use.
type List struct {
	path    string
	schema  *Schema
	whole   *Projection
	records []listRecord
	array   listUnion
	item    *program
}

// listRecord is a record on the way to an array: before and after step over its other fields.
type listRecord struct {
	listUnion
	before, after *program
	name          string // of the field that leads on
}

// listUnion is a place that may be a union with null: of so many branches, 0 if it is none, and which of them is null.
type listUnion struct{ branches, null int64 }

// NotListError says that a path leads to something that is no array, or one whose items hold nothing.
type NotListError struct {
	Path string
	// Type is what is found there.
	Type string
}

// Error says what the path leads to.
func (e *NotListError) Error() string {
	return fmt.Sprintf("field %q is of type %s, not a list", e.Path, e.Type)
}

// NewList makes the List of the array at path, which may be null, as may records on the way. The error is an *UnknownFieldError, an
// *AmbiguousFieldError or a *NotListError.
func NewList(s *Schema, path string) (*List, error) {
	way, t, err := wayTo(s, path)
	if err != nil {
		return nil, err
	}
	l := &List{path: path}
	for _, f := range way {
		fields := f.record.Fields
		l.records = append(l.records, listRecord{
			listUnion{f.branches, f.null}, compileFields(fields[:f.field]), compileFields(fields[f.field+1:]), fields[f.field].Name,
		})
	}
	array, null := through(t, KindArray)
	if array == nil || array.Items.minSize == 0 {
		// Any number of items that hold nothing would take a few bytes.
		return nil, &NotListError{Path: path, Type: typeName(t)}
	}
	l.array, l.item = listUnion{int64(len(t.Branches)), null}, compileFields([]RecordField{{Type: array.Items}})
	if l.schema, err = elementSchema(s, way); err != nil {
		return nil, err
	}
	l.whole, err = Project(s, nil)
	return l, err
}

// Schema is that of a record with an element in place of the array.
func (l *List) Schema() *Schema { return l.schema }

// Find finds the elements of the array of the record at the start of buf, checks the record as Extract does, and returns its length.
// Where the array, or a record on the way to it, is null there are none. The error is a *DecodeError.
func (l *List) Find(buf []byte, found *record.Elements) (n int, err error) {
	found.Span, found.Items = record.Span{}, found.Items[:0]
	n, failed := l.walk(0, buf, 0, found)
	if failed != nil {
		found.Items = found.Items[:0]
		return 0, failed
	}
	return n, nil
}

// Skip is that of a Projection, of a record that Find refuses.
func (l *List) Skip(buf []byte) (n int, err error) { return l.whole.Skip(buf) }

// walk goes through the value at pos that the first records of the way, so many as level says, lead to.
func (l *List) walk(level int, buf []byte, pos int, found *record.Elements) (end int, failed *DecodeError) {
	if level == len(l.records) {
		return l.items(buf, pos, found)
	}
	r := &l.records[level]
	at := ""
	if level > 0 {
		at = l.records[level-1].name
	}
	null, pos, failed := r.isNull(buf, pos)
	if null || failed != nil {
		return pos, failed.in(at)
	}
	if pos, failed = r.before.run(0, buf, pos, nil, 0, nil); failed != nil {
		return 0, failed.in(at)
	}
	if pos, failed = l.walk(level+1, buf, pos, found); failed != nil {
		return 0, failed.in(at)
	}
	pos, failed = r.after.run(0, buf, pos, nil, 0, nil)
	return pos, failed.in(at)
}

// in is below for what may be no error.
func (e *DecodeError) in(path string) *DecodeError {
	if e == nil {
		return nil
	}
	return e.below(path)
}

// isNull reads which branch of a union a value is of; next is where the value is.
func (u listUnion) isNull(buf []byte, pos int) (null bool, next int, failed *DecodeError) {
	if u.branches == 0 {
		return false, pos, nil
	}
	branch, next := index(buf, pos, u.branches, failUnion)
	if next < 0 {
		return false, 0, &DecodeError{Offset: pos, Reason: failure(next).String()}
	}
	return int64(branch) == u.null, next, nil
}

// items notes where the array at pos is, and its items.
func (l *List) items(buf []byte, pos int, found *record.Elements) (end int, failed *DecodeError) {
	name := l.records[len(l.records)-1].name
	from := pos
	null, pos, failed := l.array.isNull(buf, pos)
	if null || failed != nil {
		return pos, failed.in(name)
	}
	for {
		count, size, next := blockHeader(buf, pos)
		switch {
		case next < 0:
			return 0, &DecodeError{Path: name, Offset: pos, Reason: failure(next).String()}
		case count == 0:
			found.Span = record.Span{From: from, To: next}
			return next, nil
		case count > int64(len(buf)-next): // each takes a byte at least
			return 0, &DecodeError{Path: name, Offset: pos, Reason: failCount.String()}
		}
		pos = next
		for range count {
			item := record.Span{From: pos}
			if pos, failed = l.item.run(0, buf, pos, nil, 0, nil); failed != nil {
				return 0, failed.below(name + "[]")
			}
			item.To = pos
			found.Items = append(found.Items, item)
		}
		if size >= 0 && pos != next+size {
			return 0, &DecodeError{Path: name, Offset: next, Reason: failBlock.String()}
		}
	}
}
