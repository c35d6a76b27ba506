package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tributary/io/format/avro"
)

// eachRecord calls visit for every record of an Avro file, encoded, valid for the call, and decoded,
// and returns the file's schema.
func eachRecord[T any](path string, visit func(record []byte, row T) error) (*avro.Schema, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	schema, err := avro.EachRow(f, visit)
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
		if _, err := eachRecord(path, visit); err != nil {
			return err
		}
	}
	return nil
}
