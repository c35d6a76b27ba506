package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tributary/io/format/avro"
)

// eachRecord calls visit for every record of an Avro file, encoded and as JSON, both valid
// for the call, and returns the file's schema.
func eachRecord(path string, visit func(record, text []byte) error) (*avro.Schema, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	schema, err := avro.EachRecord(f, visit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return schema, nil
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
