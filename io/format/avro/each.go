package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// EachRecord calls visit for every record of an Avro file, encoded and as a JSONWriter writes it,
// both valid for the call. It ends with the first error, and returns the file's schema even so, if that
// could be read.
func EachRecord(file io.Reader, visit func(record, text []byte) error) (*Schema, error) {
	reader, err := NewReader(file)
	if err != nil {
		return nil, err
	}
	schema := reader.Header().Schema
	asJSON, err := NewJSON(schema)
	if err != nil {
		return schema, err
	}
	var text []byte
	return schema, reader.Each(func(rest []byte) (n int, err error) {
		if text, n, err = asJSON.Append(text[:0], rest); err != nil {
			return 0, err
		}
		return n, visit(rest[:n], text)
	})
}

// EachRow calls visit for every record of an Avro file, encoded, valid for the call, and as a T that
// encoding/json has read of its JSON, whose unions are their values alone. It returns as EachRecord does.
//
// goavro decodes the records, so that who holds the join to the truth does not read both with the
// join's own decoder. Bytes are text of their code points. A record costs four times what a JSONWriter
// takes, and json.Unmarshal.
func EachRow[T any](file io.Reader, visit func(record []byte, row T) error) (*Schema, error) {
	reader, err := NewReader(file)
	if err != nil {
		return nil, err
	}
	schema := reader.Header().Schema
	codec, err := schema.Codec()
	if err != nil {
		return schema, err
	}
	var text []byte
	return schema, reader.Each(func(rest []byte) (n int, err error) {
		value, behind, err := codec.NativeFromBinary(rest)
		if err != nil {
			return 0, err
		}
		if text, err = codec.TextualFromNative(text[:0], value); err != nil {
			return 0, err
		}
		var row T
		if err := json.Unmarshal(text, &row); err != nil {
			return 0, fmt.Errorf("record %s: %w", text, err)
		}
		n = len(rest) - len(behind)
		return n, visit(rest[:n], row)
	})
}

// Each calls visit with the records of each block, again and again with what is left behind the n
// bytes of the first.
func (r *Reader) Each(visit func(rest []byte) (n int, err error)) error {
	var records []byte
	for {
		block, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if records, err = block.Records(records[:0]); err != nil {
			return err
		}
		for rest := records; len(rest) > 0; {
			n, err := visit(rest)
			if err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
}
