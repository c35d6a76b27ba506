package demo

import (
	"context"
	"fmt"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/pipelines/sim/generate"
)

// truth is what must come out.
type truth struct {
	counts generate.Truth
	// samples by view id.
	samples map[string]generate.TrueSample
}

// readTruth reads the files that generate writes about samples.
func readTruth(ctx context.Context, dir string, counts generate.Truth) (*truth, error) {
	t := &truth{counts: counts, samples: make(map[string]generate.TrueSample, counts.Views.Samples)}
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
	_, err = avro.EachRow(in, func(_ []byte, want generate.TrueSample) error {
		t.samples[want.ViewID] = want
		return nil
	})
	return err
}
