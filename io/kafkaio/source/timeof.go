package source

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/record"
)

// timeOf reads the event time of a topic's records that were written with one schema.
// Not for concurrent use.
type timeOf struct {
	// extractor reads the fields that are in the record's value into found; nil if there are none.
	extractor record.Extractor
	found     []record.Value
	parts     []timePart
	program   *expression.Program // nil for a time that is its one part
	values    []record.Value      // of the parts, for the program
	at        *record.TimeReader
	// fingerprint and text are the schema's ID and text; 0 and empty for JSON.
	fingerprint uint64
	text        string
	// name is what the schema calls the records (record.OwnType); empty where it does not say.
	name string
	// never says that no record has a time: the schema has none that is to be read, as that of records that belong to no input.
	never bool
	// branches are what reads records of a schema that is a union, whose own fields are not set; see union.go.
	branches *unionOf
}

// timePart is a field that the time is, or is computed of.
type timePart struct {
	own   ownField
	found int // its place in found; -1 if it is own, or records of the schema have no such field
}

// newTimeOf compiles the extraction of the time field from records with that schema.
func newTimeOf(schema *avro.Schema, time Field) (*timeOf, error) {
	t, paths, err := newTimeOfText(time)
	if err != nil {
		return nil, err
	}
	t.fingerprint, t.text = schema.ID(), schema.String()
	if t.extractor == nil {
		return t, nil
	}
	var written []string
	for i := range t.parts {
		part := &t.parts[i]
		if part.found < 0 {
			continue
		}
		others := time.Others
		if t.program != nil {
			others = time.OthersOf[paths[part.found]]
		}
		path, field, err := schema.Find(paths[part.found], others...)
		var unknown *avro.UnknownFieldError
		switch {
		case t.program != nil && errors.As(err, &unknown):
			part.found = -1 // null
			continue
		case err != nil:
			return nil, fmt.Errorf("event time: %w", err)
		case t.program == nil:
			t.at.Settle(field.Unit, field.Logical)
		}
		part.found, written = len(written), append(written, path)
	}
	if t.extractor, err = avro.Project(schema, written); err != nil {
		return nil, fmt.Errorf("event time: %w", err)
	}
	return t, nil
}

// newTimeOfText compiles the extraction of the time field from JSON. paths are those of the fields that are in the record's value.
func newTimeOfText(time Field) (t *timeOf, paths []string, err error) {
	t = &timeOf{}
	if t.at, err = time.reader(); err != nil {
		return nil, nil, err
	}
	of := []string{time.Path}
	if time.Expression != "" {
		asks, err := expression.ParseValue(time.Expression)
		if err == nil {
			t.program, err = asks.Program()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("event time: field %s: %w", time.Path, err)
		}
		of = nil
		for _, f := range asks.Fields {
			of = append(of, f.Path)
		}
	}
	for _, path := range of {
		if !record.IsOwn(path) {
			t.parts, paths = append(t.parts, timePart{found: len(paths)}), append(paths, path)
			continue
		}
		header, err := record.OwnHeader(path)
		if err != nil {
			return nil, nil, err
		}
		t.parts = append(t.parts, timePart{ownField{path, header}, -1})
	}
	if time.Path == record.OwnTimestamp {
		t.at.Settle(record.UnitMillis, "")
	}
	if len(paths) > 0 {
		t.extractor = jsontext.NewExtractor(paths)
	}
	t.found, t.values = make([]record.Value, len(paths)), make([]record.Value, len(t.parts))
	return t, paths, nil
}

// reader compiles how the times are written.
func (f Field) reader() (*record.TimeReader, error) {
	at, err := record.NewTimeReader(record.TimeForm{Unit: f.Unit, Pattern: f.Pattern, Zone: f.Zone})
	if err != nil {
		return nil, fmt.Errorf("event time: field %s: %w", f.Path, err)
	}
	return at, nil
}

// of returns the event time of a record in ms, record.NoTime if it has none. value is what topic.open made of r.
func (t *timeOf) of(value []byte, r *kgo.Record) int64 {
	if t.never {
		return record.NoTime
	}
	if t.extractor != nil {
		if _, err := t.extractor.Extract(value, t.found); err != nil {
			return record.NoTime
		}
	}
	v, err := t.value(r)
	if err != nil {
		return record.NoTime
	}
	ms, err := t.at.Millis(v)
	if err != nil {
		return record.NoTime
	}
	return ms
}

// value is the time's as it is written, once the fields of the record's value are in found.
func (t *timeOf) value(r *kgo.Record) (record.Value, error) {
	if t.program == nil {
		return t.parts[0].value(t.found, r), nil
	}
	for i := range t.parts {
		t.values[i] = t.parts[i].value(t.found, r)
	}
	return t.program.Value(t.values)
}

func (p *timePart) value(found []record.Value, r *kgo.Record) record.Value {
	switch {
	case p.found >= 0:
		return found[p.found]
	case p.own.path != "":
		return p.own.of(r)
	}
	return record.Value{}
}
