package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"tributary/io/avroio"
)

// eachRecord calls visit for every record of an Avro file, encoded and as JSON, both valid
// for the call, and returns the file's schema.
func eachRecord(path string, visit func(record, text []byte) error) (*avroio.Schema, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	reader, err := avroio.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	schema := reader.Header().Schema
	asJSON, err := avroio.NewJSON(schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var text, records []byte
	for {
		block, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return schema, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if records, err = block.Records(records[:0]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for rest := records; len(rest) > 0; {
			var n int
			if text, n, err = asJSON.Append(text[:0], rest); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if err := visit(rest[:n], text); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			rest = rest[n:]
		}
	}
}

// eachRow decodes every record of the Avro files that match, in the order of their names.
func eachRow[T any](pattern string, visit func(record []byte, row T) error) error {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	slices.Sort(paths)
	for _, path := range paths {
		_, err := eachRecord(path, func(record, text []byte) error {
			var row T
			if err := json.Unmarshal(text, &row); err != nil {
				return fmt.Errorf("record %s: %w", text, err)
			}
			return visit(record, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
