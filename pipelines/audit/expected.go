package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"strings"
	"time"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/pipelines/job"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// expected are the samples as they must be: Avro files, in a folder for each stage.
type expected struct {
	folder string
	// spec is that of the join.
	spec   *spec.Spec
	events int64
	// timeline is that of its accounts.
	timeline map[int64]*account.Interval
	// immature are its samples whose windows are cut where the inputs end, inputsFrom is where those begin.
	immature   int64
	inputsFrom time.Time
	// schema is that of its samples, which files of none do not say.
	schema string
}

// join joins the range of the sinks in batch; countLate has late engagements count.
func join(ctx context.Context, s *spec.Spec, sinks []*sink, as asWritten, dir string, opt Options, countLate bool) (*expected, error) {
	again := *s
	again.Outputs = spec.Outputs{
		Samples: spec.Output{Path: dir + "/samples", Format: spec.Avro, Codec: spec.Snappy, Folders: spec.FolderOfDay, Stages: spec.AllStages},
		Late:    dir + "/late", DeadLetters: dir + "/dead", Accounts: dir + "/accounts",
	}
	if len(s.Stages) == 0 {
		again.Outputs.Samples.Stages = ""
	}
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	for _, k := range sinks {
		for _, one := range k.stages {
			if one.from < one.to {
				from, to = min(from, one.from), max(to, one.to)
			}
		}
	}
	how := batch.Options{To: time.UnixMilli(to).UTC(), Progress: opt.Progress, Scratch: dir, ViewSchema: as.viewSchema, Kept: as.kept, CountLate: countLate}
	if from != math.MinInt64 {
		how.From = time.UnixMilli(from).UTC()
	}
	r, err := batch.Run(ctx, &again, how)
	if err != nil {
		return nil, fmt.Errorf("the join in batch: %w", err)
	}
	return &expected{
		folder: again.Outputs.Samples.Path, spec: &again, events: r.Events, timeline: r.Accounts.Timeline,
		immature: r.Accounts.Views.N[account.Immature], inputsFrom: r.InputsFrom, schema: r.SampleSchema,
	}, nil
}

// put gives the samples that a sink must have to the parts, as the sink has them.
func (e *expected) put(ctx context.Context, k *sink, to *parts, c *comparison) error {
	return e.each(ctx, k, c.schemas, func(of *stage, one *entry) error {
		switch {
		case one.time >= of.from && one.time < of.due:
			of.missed++
			return nil
		case one.time < of.from || one.time >= of.to || !of.within(one.time):
			return nil
		}
		c.stage(of.name).Expected++
		of.want(one.time)
		return to.put(one)
	})
}

// each calls take with the samples of a sink's stages, as the sink has them; valid for the call.
func (e *expected) each(ctx context.Context, k *sink, schemas *schemas, take func(*stage, *entry) error) error {
	for i := range k.stages {
		of := &k.stages[i]
		folder, _ := job.StagePath(e.spec, &e.spec.Outputs.Samples, of.number)
		files, err := fileio.List(ctx, fileio.Escape(folder)+"/")
		if none := (*fileio.NoMatchError)(nil); errors.As(err, &none) {
			continue
		}
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := e.eachOf(ctx, k, of, file.Path, schemas, take); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachOf does so for a file.
func (e *expected) eachOf(ctx context.Context, k *sink, of *stage, file string, schemas *schemas, give func(*stage, *entry) error) error {
	take := func(source *samples, raw []byte) error {
		one := entry{side: sideWant, producer: noProducer, schema: source.schema, raw: raw}
		if err := source.keys(raw, &one); err != nil {
			return err
		}
		if k.final() && one.weight == 0 {
			return nil // it takes back what such an output does not have
		}
		return give(of, &one)
	}
	damaged := func(err error) error { return fmt.Errorf("%s: %w", file, err) }
	if k.topic() && k.output.Format != spec.JSON || !k.topic() && k.output.Format == spec.Avro {
		return schemas.each(ctx, file, take, damaged)
	}
	// As a file of the sink's format, which is read as those of the sink.
	format := job.SampleFormat{Format: string(k.output.Format), Codec: string(k.output.Codec), JSONViews: k.wholeViews}
	if k.topic() {
		format.Codec = string(spec.NoCodec)
	}
	transcoded, err := transcode(ctx, file, format)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(transcoded) }() // with the folder, at the latest
	return schemas.each(ctx, transcoded, take, damaged)
}

// transcode writes the samples of an Avro file in another format, beside it.
func transcode(ctx context.Context, file string, to job.SampleFormat) (transcoded string, err error) {
	in, err := fileio.Open(ctx, file)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }() // only read
	reader, err := avro.NewReader(in)
	if err != nil {
		return "", err
	}
	schema := reader.Header().Schema
	to.Schema = schema.String()
	if _, err := schema.Lookup("view"); err != nil {
		to.JSONViews = false // it is a record: views have a schema
	}
	transcoded = path.Dir(file) + "/_" + strings.TrimSuffix(path.Base(file), ".avro") + to.Ending()
	out, err := fileio.Create(ctx, transcoded)
	if err != nil {
		return "", err
	}
	defer out.Abort()
	records, err := to.Begin(out)
	if err != nil {
		return "", err
	}
	all, err := avro.Project(schema, nil)
	if err != nil {
		return "", err
	}
	err = reader.Each(func(rest []byte) (int, error) {
		n, err := all.Skip(rest)
		if err != nil {
			return 0, err
		}
		return n, records.Append(rest[:n])
	})
	if err == nil {
		err = records.Close()
	}
	if err == nil {
		err = out.Commit()
	}
	return transcoded, err
}
