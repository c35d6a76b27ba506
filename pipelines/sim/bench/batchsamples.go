package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tributary/io/format/avro"
	"tributary/io/record"
)

// readSamples reads all Avro files of samples of ours below a folder.
func readSamples(dir string) (got answer, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".avro" {
			return err
		}
		if err := got.readFile(path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return got, err
}

func (a *answer) readFile(path string) error {
	file, err := os.Open(path) //nolint:gosec // of the folder that was written
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	reader, err := avro.NewReader(bufio.NewReader(file))
	if err != nil {
		return err
	}
	projection, err := avro.Project(reader.Header().Schema, []string{"positive", "delay_ms.like"})
	if err != nil {
		return err
	}
	values := make([]record.Value, 2)
	return reader.Each(func(rest []byte) (int, error) {
		n, err := projection.Extract(rest, values)
		if err == nil {
			a.Samples++
			a.Positives += values[0].Int
			a.DelayMs += values[1].Int
		}
		return n, err
	})
}
