package draft

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/format/csv"
	"tributary/io/format/jsonl"
	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/pipelines/spec"
)

// formatOf tells the format of a file by its ending, or else by its content. told says that
// the ending told it.
func formatOf(ctx context.Context, file string) (format spec.Format, told bool, err error) {
	switch path.Ext(strings.TrimSuffix(file, ".gz")) {
	case ".avro":
		return spec.Avro, !strings.HasSuffix(file, ".gz"), nil
	case ".json", ".jsonl", ".ndjson":
		return spec.JSON, true, nil
	case ".csv":
		return spec.CSV, true, nil
	}
	r, err := fileio.Open(ctx, file)
	if err != nil {
		return "", false, err
	}
	defer func() { _ = r.Close() }() // only read
	start, err := bufio.NewReader(fileio.Decompress(file, r)).Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("%s: %w", file, err)
	}
	switch {
	case string(start) == "Obj\x01":
		return spec.Avro, false, nil
	case bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")):
		return spec.JSON, false, nil
	}
	return "", false, fmt.Errorf("%s: neither its ending nor its content is that of Avro, JSON lines or CSV, which are read", file)
}

// eachRecord visits the first records of a file as JSON, until visit returns errEnough, and
// returns the schema of an Avro file. Bad records are passed over; without a good one the error
// tells what is wrong.
func eachRecord(ctx context.Context, file string, format spec.Format, limit int, visit func(text []byte) error) (*avro.Schema, error) {
	r, err := fileio.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read
	seen := 0
	counted := func(text []byte) error {
		if seen++; seen > limit {
			return errEnough
		}
		return visit(text)
	}
	var schema *avro.Schema
	if format == spec.Avro {
		schema, err = avro.EachRecord(r, func(_, text []byte) error { return counted(text) })
	} else {
		err = eachText(fileio.Decompress(file, r), format, counted)
	}
	if err != nil && !errors.Is(err, errEnough) && (seen == 0 || ctx.Err() != nil) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return schema, nil
}

func eachText(r io.Reader, format spec.Format, visit func(text []byte) error) error {
	reader := jsonl.NewReader(r, jsontext.Options{})
	if format == spec.CSV {
		reader = csv.NewReader(r, jsontext.Options{}, nil).Reader
	}
	var bad error
	for some := false; ; {
		b, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF) && some:
			return nil
		case errors.Is(err, io.EOF):
			return bad
		case err != nil:
			return err
		}
		if len(b.Bad) > 0 && bad == nil {
			bad = fmt.Errorf("line %d: %w", b.Bad[0].Line, b.Bad[0].Err)
		}
		for rest := b.Records; len(rest) > 0; {
			var text []byte
			if _, text, rest, err = record.NextFramed(rest); err != nil {
				return err
			}
			some = true
			if err := visit(text); err != nil {
				return err
			}
		}
	}
}
