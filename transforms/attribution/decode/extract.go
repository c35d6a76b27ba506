package decode

import (
	"errors"

	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// unitOf is a time field with the unit it has by the spec; the schema may know better.
type unitOf struct {
	path string
	unit *record.Unit
}

// projector is avro.Project or avro.ProjectChecked.
type projector func(s *avro.Schema, paths []string) (*avro.Projection, error)

// extractor compiles the extraction of paths from the input's records with that schema
// (none for JSON), returns it with room for the values, and settles the units of time fields.
// Records of the schema must have the fields of the first paths, so many as required says; of
// the others those that they do not have are null, as they are in JSON.
func (known schemas) extractor(in *rules.Input, schema string, project projector, paths []string, required int, times ...unitOf) (record.Extractor, []record.Value, error) {
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
			if t.path == path && *t.unit == record.UnitAuto {
				*t.unit = field.Unit
			}
		}
	}
	projection, err := project(writer, written)
	return projection, values, err
}

// skip returns the length of a record that e refuses, or -1 if it cannot be told.
func skip(e record.Extractor, record []byte) int {
	if s, ok := e.(interface {
		Skip(buf []byte) (n int, err error)
	}); ok {
		if n, err := s.Skip(record); err == nil {
			return n
		}
	}
	return -1
}
