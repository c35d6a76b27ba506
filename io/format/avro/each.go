package avro

import (
	"errors"
	"io"
)

// EachRecord calls visit for every record of an Avro file, encoded and as JSON, both valid
// for the call, and returns the file's schema. It ends with the first error.
func EachRecord(file io.Reader, visit func(record, text []byte) error) (*Schema, error) {
	reader, err := NewReader(file)
	if err != nil {
		return nil, err
	}
	schema := reader.Header().Schema
	asJSON, err := NewJSON(schema)
	if err != nil {
		return nil, err
	}
	var text, records []byte
	for {
		block, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return schema, nil
		}
		if err != nil {
			return nil, err
		}
		if records, err = block.Records(records[:0]); err != nil {
			return nil, err
		}
		for rest := records; len(rest) > 0; {
			var n int
			if text, n, err = asJSON.Append(text[:0], rest); err != nil {
				return nil, err
			}
			if err := visit(rest[:n], text); err != nil {
				return nil, err
			}
			rest = rest[n:]
		}
	}
}
