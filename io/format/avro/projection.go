package avro

import (
	"errors"
	"fmt"

	"tributary/io/record"
)

// Projection reads chosen fields of encoded records. It is an record.Extractor, never
// allocates, and is safe for concurrent use.
type Projection struct {
	program *program
	// repeats are the paths that were asked for before: values[to] = values[from].
	repeats []repeat
	// absent are the slots of paths that are empty.
	absent []int
	slots  int
	fields []Field
}

type repeat struct{ from, to int }

// Project makes the Projection that reads the fields at paths of records of schema s. An
// empty path reads nothing: its value is null.
// The error joins an *UnknownFieldError or *NotScalarError for each path that does not
// lead to a single value.
func Project(s *Schema, paths []string) (*Projection, error) { return project(s, paths, false) }

// ProjectChecked is Project for records that are passed on as they are: Extract also checks
// that all text in them is UTF-8, read or not, keys of maps too. Readers refuse a whole file
// for one string that is not.
func ProjectChecked(s *Schema, paths []string) (*Projection, error) { return project(s, paths, true) }

func project(s *Schema, paths []string, checked bool) (*Projection, error) {
	p := &Projection{slots: len(paths)}
	root := &want{slot: -1, fields: map[string]*want{}}
	var problems []error
	for slot, path := range paths {
		if path == "" {
			p.fields = append(p.fields, Field{Nullable: true})
			p.absent = append(p.absent, slot)
			continue
		}
		field, err := s.Lookup(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		p.fields = append(p.fields, field)
		names, err := record.ParsePath(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		at := root
		for i, name := range names {
			next := at.fields[name]
			switch {
			case next == nil:
				next = &want{slot: -1, fields: map[string]*want{}}
				at.fields[name] = next
				if i == len(names)-1 {
					next.slot = slot
				}
			case i == len(names)-1:
				p.repeats = append(p.repeats, repeat{from: next.slot, to: slot})
			}
			at = next
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("project: %w", errors.Join(problems...))
	}
	if len(root.fields) == 0 {
		root = nil
	}
	p.program = compile(s.root, root, checked)
	return p, nil
}

// Skip returns how many bytes the record at the start of buf takes, if the schema still tells
// where it ends: one that Extract refuses for a value that is out of range, or for a block's
// length that is not that of its items, does not hide the records behind it.
func (p *Projection) Skip(buf []byte) (n int, err error) {
	lenient := *p.program
	lenient.lenient = true
	bad := false // text may be
	n, failed := lenient.run(0, buf, 0, make([]record.Value, p.slots), 0, &bad)
	if failed != nil {
		return 0, failed
	}
	return n, nil
}

// Fields describes the fields that are read, in the order of the values.
func (p *Projection) Fields() []Field { return p.fields }

// TextError says that a record has text that is not UTF-8.
type TextError struct {
	// Path of the first field with such text.
	Path string
	// Offset of the text from the record's first byte.
	Offset int
}

// Error names the field.
func (e *TextError) Error() string {
	return fmt.Sprintf("field %s: its text is not UTF-8, at byte %d of the record", e.Path, e.Offset)
}

// Extract reads the record at the start of buf; see record.Extractor. The error is a
// *DecodeError. What it does not read it steps over, and checks all the same: lengths,
// counts, booleans, the ranges of ints, enums and unions.
//
// A Projection of ProjectChecked also gives a *TextError, and with it the values and n,
// the length of the record: what follows can be read.
func (p *Projection) Extract(buf []byte, values []record.Value) (n int, err error) {
	if len(values) < p.slots {
		return 0, fmt.Errorf("extract %d fields into %d values", p.slots, len(values))
	}
	bad := false
	n, failed := p.program.run(0, buf, 0, values, 0, &bad)
	if failed != nil {
		return 0, failed
	}
	for _, slot := range p.absent {
		values[slot] = record.Value{}
	}
	for _, r := range p.repeats {
		values[r.to] = values[r.from]
	}
	if bad {
		// Once more, to the end of the first such text: its place was not kept.
		if _, failed = p.program.run(0, buf, 0, values, 0, nil); failed != nil {
			return n, &TextError{Path: failed.Path, Offset: failed.Offset}
		}
	}
	return n, nil
}
