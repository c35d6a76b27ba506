package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"tributary/io/format"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// Inspection is a look at the files of a spec by one who joins nothing: a join would read
// them so.
type Inspection struct {
	// Params are those of the join, with the schemas of the files.
	Params rules.Params
	// Sources are the inputs in each of their roles; they have the places of Params.Inputs.
	Sources []job.Source

	plan  *plan
	pipes *pipes
}

// Inspect lists the files of a spec and reads what they begin with; stdin, if the spec reads it, to its end. What is wrong with them
// is in problems, all of it; the files that are sound can be read all the same. The error is
// that of a world that does not answer. Who has an Inspection closes it.
func Inspect(ctx context.Context, s *spec.Spec, stdin io.Reader) (i *Inspection, problems problem.List, err error) {
	var pipes *pipes
	defer func() {
		if err != nil {
			err = errors.Join(err, pipes.remove())
		}
	}()
	if s.ReadsStdin() && stdin != nil {
		if pipes, err = newPipes(); err != nil {
			return nil, nil, err
		}
		if err := pipes.readStdin(ctx, s, stdin, func(Progress) {}); err != nil {
			return nil, nil, err
		}
	}
	p := &plan{spec: s, minutes: map[int64]int64{}, last: record.NoTime}
	p.params, p.sources = job.Of(s)
	if err := p.params.Validate(); err != nil {
		return nil, nil, err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return p.list(ctx, planOptions{pipes: pipes}) },
		func(ctx context.Context) error { _, _, err := p.readSchemas(ctx, ""); return err },
	} {
		var found problem.List
		if err := step(ctx); errors.As(err, &found) {
			problems = append(problems, found...)
		} else if err != nil {
			return nil, nil, err
		}
	}
	problems.Sort()
	return &Inspection{Params: p.params, Sources: p.sources, plan: p, pipes: pipes}, problems, nil
}

// Close removes what was kept of stdin.
func (i *Inspection) Close() error { return i.pipes.remove() }

// SampleSchema is the Avro schema of the samples of a spec, of files or of topics: it reads what its inputs begin with, and the
// registry if there is one. The error is a problem.List if the inputs do not fit the spec.
func SampleSchema(ctx context.Context, s *spec.Spec, stdin io.Reader) (_ string, err error) {
	i, problems, err := Inspect(ctx, s, stdin)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	if err := asError(problems); err != nil {
		return "", err
	}
	return job.SampleSchema(s, &i.Params)
}

// InspectedFile is one file of a source.
type InspectedFile struct {
	Path string
	Size int64
	// Schema is the ID of its records' schema; 0 for text.
	Schema uint64

	file *scannedFile
}

// Files are those that a source reads, in the order of their paths.
func (i *Inspection) Files(source int) []InspectedFile {
	var out []InspectedFile
	for _, f := range i.plan.files {
		if slices.ContainsFunc(f.roles, func(r role) bool { return r.source == source }) {
			out = append(out, InspectedFile{f.Path, f.Size, f.Schema, f})
		}
	}
	return out
}

// Damage is Count records that cannot be read, of which the file's Index-th from 0 is the
// first. AtLeast says that there may be more.
type Damage struct {
	Index, Count int64
	AtLeast      bool
	Err          error
}

// Read reads a file up to so many records, good or bad; 0 stands for all. It gives them to
// visit in batches of the source, numbered from 0, each with the damage in its midst. It
// returns whether that was the whole file.
func (i *Inspection) Read(ctx context.Context, f InspectedFile, source int, limit int64, visit func(record.Batch, []Damage) error) (whole bool, err error) {
	if !f.file.reads().Text() && f.Schema == 0 {
		return false, fmt.Errorf("%s cannot be read", f.Path) // a problem says why
	}
	reader, err := openChunks(ctx, &f.file.file, format.Place{}, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = reader.Close() }() // only read
	placed, err := i.newPlaced(f, source)
	if err != nil {
		return false, err
	}
	for read := int64(0); ; {
		c, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if limit > 0 && read >= limit {
			return false, ctx.Err()
		}
		b, err := batchOf(&c, &f.file.file, nil)
		if err != nil {
			c.Bad = append(c.Bad, lostOf(&c, err))
			b.Count = 0
		}
		var damages []Damage
		for _, bad := range c.Bad {
			damages = append(damages, Damage{bad.Index, bad.Count, bad.AtLeast, bad.Err})
			read += bad.Count
		}
		cut := limit > 0 && int64(b.Count) > limit-read
		if cut {
			b.Count = int32(max(limit-read, 0))
		}
		read += int64(b.Count)
		b.Input, b.File = int32(source), i.Params.Inputs[source].FileOf(f.Path)
		if placed != nil {
			b, damages = placed.sift(b, damages)
		}
		if err := visit(b, damages); err != nil || cut {
			return false, err
		}
	}
}

// placed finds records that do not say where in a log they are, though the spec says that
// they do.
type placed struct{ scanner *decode.Scanner }

// newPlaced returns nil where records need not say it.
func (i *Inspection) newPlaced(f InspectedFile, source int) (*placed, error) {
	src := &i.Sources[source]
	if src.Order != spec.OrderField {
		return nil, nil //nolint:nilnil // no record is to be sifted
	}
	scanner, err := decode.NewScanner(&i.Params, source, f.Schema, src.PartitionField, src.OffsetField)
	return &placed{scanner}, err
}

// sift moves such records from the batch to the damages.
func (p *placed) sift(b record.Batch, damages []Damage) (record.Batch, []Damage) {
	out := b
	out.Framed, out.Count, out.Records = true, 0, nil
	told := int32(0)
	p.scanner.Scan(b, func(r decode.Scanned) {
		told++
		if _, _, err := logPosition(r.Extra); err != nil {
			damages = append(damages, Damage{r.Offset, 1, false, fmt.Errorf("its place in the log: %w", err)})
			return
		}
		out.Count++
		out.Records = record.AppendFramed(out.Records, r.Offset-b.Offset, r.Record)
	})
	if lost := b.Count - told; lost > 0 {
		damages = append(damages, Damage{b.Offset + int64(told), int64(lost), false, errors.New("a record before these cannot be decoded, nor where they begin")})
	}
	return out, damages
}
