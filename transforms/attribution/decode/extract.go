package decode

import (
	"errors"
	"slices"

	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// timeOf is a time field with how it is read by the spec; the schema may know better.
type timeOf struct {
	path string
	by   *record.TimeReader
}

// projector is avro.Project or avro.ProjectChecked.
type projector func(s *avro.Schema, paths []string) (*avro.Projection, error)

// extractor compiles the extraction of paths from the input's records with that schema
// (none for JSON), returns it with room for the values, and settles the units of time fields.
// Records of the schema must have the fields of the first paths, so many as required says; of
// the others those that they do not have are null, as they are in JSON. Those from operands on are what computed fields are computed of.
func (known schemas) extractor(in *rules.Input, schema string, project projector, paths []string, operands, required int, times ...timeOf) (record.Extractor, []record.Value, error) {
	slots, rest := apart(in, paths, operands)
	if len(rest) == len(paths) {
		return known.extractorOfValue(in, schema, project, paths, required, times...)
	}
	for _, t := range times {
		if t.path == record.OwnTimestamp {
			t.by.Settle(record.UnitMillis, "")
		}
	}
	times = slices.DeleteFunc(times, func(t timeOf) bool { return in.ComputedField(t.path) != nil })
	inner, found, err := known.extractorOfValue(in, schema, project, rest, needed(in, paths, required), times...)
	return &sparse{inner, slots, found}, make([]record.Value, len(paths)), err
}

// extractorOfValue is extractor for paths that all are of a record's value.
func (known schemas) extractorOfValue(in *rules.Input, schema string, project projector, paths []string, required int, times ...timeOf) (record.Extractor, []record.Value, error) {
	values := make([]record.Value, len(paths))
	if schema == "" {
		return jsontext.NewExtractor(paths), values, nil
	}
	writer, err := known.parse(schema)
	if err != nil {
		return nil, nil, err
	}
	written := make([]string, len(paths))
	for i, path := range paths {
		if in.Each != "" && path == rules.Index {
			continue
		}
		found, field, err := writer.Find(path, in.Others[path]...)
		var unknown *avro.UnknownFieldError
		switch {
		case i >= required && errors.As(err, &unknown):
			continue
		case err != nil:
			return nil, nil, err
		}
		written[i] = found
		for _, t := range times {
			if t.path == path {
				t.by.Settle(field.Unit, field.Logical)
			}
		}
	}
	projection, err := project(writer, written)
	return projection, values, err
}

// skip returns the length of a record that e refuses, or -1 if it cannot be told.
func skip(e record.Extractor, record []byte) int {
	if s, ok := e.(skipper); ok {
		return skipBy(s, record)
	}
	return -1
}

// skipper knows where a record that cannot be read ends.
type skipper interface {
	Skip(buf []byte) (n int, err error)
}

func skipBy(s skipper, record []byte) int {
	if n, err := s.Skip(record); err == nil {
		return n
	}
	return -1
}
