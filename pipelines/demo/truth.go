package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tributary/io/avroio"
	"tributary/io/fileio"
	"tributary/pipelines/generate"
)

// truth is what must come out.
type truth struct {
	counts generate.Truth
	// samples by view id.
	samples map[string]expected
}

// expected is what a sample must hold.
type expected struct {
	ViewID   string `json:"view_id"`
	ViewTime int64  `json:"view_time"`
	Positive bool   `json:"positive"`
	// Pos tells a view from a duplicate with another payload.
	Pos    int64                 `json:"pos"`
	Labels map[string]trueLabels `json:"labels"`
}

// trueLabels is what any label of one kind can be.
type trueLabels struct {
	Count   int64   `json:"count"`
	Sum     float64 `json:"sum_amount"`
	DelayMs *int64  `json:"delay_ms"`
}

// readTruth reads the files that generate writes about samples.
func readTruth(ctx context.Context, dir string, counts generate.Truth) (*truth, error) {
	t := &truth{counts: counts, samples: make(map[string]expected, counts.Views.Samples)}
	files, err := fileio.List(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	for _, f := range files {
		if err := t.read(ctx, f.Path); err != nil {
			return nil, fmt.Errorf("truth: %s: %w", f.Path, err)
		}
	}
	if n := int64(len(t.samples)); n != counts.Views.Samples {
		return nil, fmt.Errorf("truth: %d views are to become samples, and %d are told of", counts.Views.Samples, n)
	}
	return t, nil
}

func (t *truth) read(ctx context.Context, path string) error {
	in, err := fileio.Open(ctx, path)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	reader, err := avroio.NewReader(in)
	if err != nil {
		return err
	}
	text, err := avroio.NewJSON(reader.Header().Schema)
	if err != nil {
		return err
	}
	var records, row []byte
	for {
		block, err := reader.Next()
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
			var n int
			if row, n, err = text.Append(row[:0], rest); err != nil {
				return err
			}
			rest = rest[n:]
			var e expected
			if err := json.Unmarshal(row, &e); err != nil {
				return err
			}
			t.samples[e.ViewID] = e
		}
	}
}
