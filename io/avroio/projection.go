package avroio

import (
	"errors"
	"fmt"

	"tributary/io/event"
)

// Projection reads chosen fields of encoded records. It is an event.Extractor, never
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
func Project(s *Schema, paths []string) (*Projection, error) {
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
		names, err := event.ParsePath(path)
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
	p.program = compile(s.root, root)
	return p, nil
}

// Fields describes the fields that are read, in the order of the values.
func (p *Projection) Fields() []Field { return p.fields }

// Extract reads the record at the start of buf; see event.Extractor. The error is a
// *DecodeError. What it does not read it steps over without checking more than it
// must to find the end: lengths, counts, the ranges of ints, enums and unions.
func (p *Projection) Extract(buf []byte, values []event.Value) (n int, err error) {
	if len(values) < p.slots {
		return 0, fmt.Errorf("extract %d fields into %d values", p.slots, len(values))
	}
	n, failed := p.program.run(0, buf, 0, values, 0)
	if failed != nil {
		return 0, failed
	}
	for _, slot := range p.absent {
		values[slot] = event.Value{}
	}
	for _, r := range p.repeats {
		values[r.to] = values[r.from]
	}
	return n, nil
}
