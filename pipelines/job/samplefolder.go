package job

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/kafkaio"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/spec"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(
		dofn.Method1x0((*folderFn).StartBundle), dofn.Method4x1((*folderFn).ProcessElement), dofn.Method1x1((*folderFn).FinishBundle), dofn.Method0x0((*folderFn).Teardown),
	)
	dofn.Register(dofn.Method0x0((*folderProgressFn).Setup), dofn.Method2x0((*folderProgressFn).ProcessElement), dofn.Method1x1((*folderProgressFn).FinishBundle))
	register.Emitter2[beam.EventTime, commitlog.Committed]()
	beam.RegisterType(reflect.TypeFor[commitlog.Committed]())
}

// SampleFolder is a folder that takes the samples of a stream: a file for each shard's share of a bucket,
// named by both, in a folder of the day.
//
// A file appears whole or not at all, and holds the same bytes whenever it is written: what a restart
// writes again takes the place of itself. So samples are there exactly once without transactions.
type SampleFolder struct {
	Path   string
	Format SampleFormat
	// Step is the length of a bucket in ms.
	Step int64
}

// NewSampleFolder returns the folder of an output of a spec.
func NewSampleFolder(s *spec.Spec, o *spec.Output, schema string, jsonViews bool) SampleFolder {
	return SampleFolder{Path: o.Path, Format: NewSampleFormat(o, schema, jsonViews), Step: s.Bucket.Milliseconds()}
}

// Write writes samples.
//
// Input: blocks, a PCollection<sample.Block>, the parts of a shard's
// share of a bucket in order in one bundle.
// Output: written, a PCollection<commitlog.Committed> with the event time of a share's last part, once its
// file is there. A share without samples has no file.
//
// Memory: one block of an open file. Failure: an error fails the bundle; trying it again is safe.
func (f *SampleFolder) Write(s beam.Scope, blocks beam.PCollection) (written beam.PCollection) {
	return beam.ParDo(s, &folderFn{Folder: *f}, blocks)
}

// NoteProgress notes in the folder up to which bucket all is written, as kafkaio.NoteProgress does in a
// commit log.
func (f *SampleFolder) NoteProgress(s beam.Scope, w sink.Config, written beam.PCollection, sent ...beam.PCollection) {
	s = s.Scope("Progress")
	beam.ParDo0(s, &folderProgressFn{Folder: f.Path, Job: w.Job, FencingEpoch: w.FencingEpoch, Step: w.Step, ProvisionalFrom: w.ProvisionalFrom},
		kafkaio.ByWindow(s, w.Step, written, sent...))
}

// folderFn writes the files of a bundle.
type folderFn struct {
	Folder SampleFolder

	open map[share]*openShare
}

// share is a shard's share of a bucket.
type share struct{ shard, start int64 }

// openShare is a file whose last part has not come; there is none before the first sample.
type openShare struct {
	parts   int64
	records int64
	file    *fileio.Writer
	writer  format.Records
}

func (f *folderFn) StartBundle(func(beam.EventTime, commitlog.Committed)) {
	f.open = map[share]*openShare{}
}

func (f *folderFn) ProcessElement(ctx context.Context, at beam.EventTime, block sample.Block, emit func(beam.EventTime, commitlog.Committed)) error {
	header, samples, err := block.Open()
	if err != nil {
		return err
	}
	key := share{header.Shard, header.Start}
	o := f.open[key]
	if o == nil {
		o = &openShare{}
		f.open[key] = o
	}
	path := f.Folder.file(key)
	if err := f.add(ctx, o, path, int64(header.Part), samples); err != nil {
		return fmt.Errorf("samples of shard %d, bucket at %d: %w", header.Shard, header.Start, err)
	}
	if !header.Last {
		return nil
	}
	delete(f.open, key)
	if err := o.close(ctx, path); err != nil {
		return fmt.Errorf("samples of shard %d, bucket at %d: %w", header.Shard, header.Start, err)
	}
	emit(at, commitlog.Committed{Shard: int32(header.Shard), ID: header.Start, Version: 1, Records: o.records})
	return nil
}

// add appends the samples of the next part.
func (f *folderFn) add(ctx context.Context, o *openShare, path string, part int64, samples []byte) error {
	if part != o.parts {
		return fmt.Errorf("part %d comes where part %d was due", part, o.parts)
	}
	o.parts++
	for len(samples) > 0 {
		encoded, rest, err := sample.Next(samples)
		if err != nil {
			return err
		}
		if o.file == nil {
			if err := f.begin(ctx, o, path); err != nil {
				return err
			}
		}
		if err := o.writer.Append(encoded); err != nil {
			o.file.Abort()
			return err
		}
		o.records++
		samples = rest
	}
	return nil
}

func (f *folderFn) begin(ctx context.Context, o *openShare, path string) (err error) {
	if o.file, err = fileio.Create(ctx, path); err != nil {
		return err
	}
	if o.writer, err = f.Folder.Format.Begin(o.file); err != nil {
		o.file.Abort()
	}
	return err
}

// close makes the file visible. Where there is none to be, one that is there goes: it was written while
// records meant something else.
func (o *openShare) close(ctx context.Context, path string) error {
	if o.file == nil {
		return fileio.Remove(ctx, path)
	}
	if err := o.writer.Close(); err != nil {
		o.file.Abort()
		return err
	}
	return o.file.Commit()
}

func (f *folderFn) FinishBundle(func(beam.EventTime, commitlog.Committed)) error {
	defer f.Teardown()
	for key, o := range f.open {
		return fmt.Errorf("bucket at %d of shard %d has no last part in its bundle, %d parts came", key.start, key.shard, o.parts)
	}
	return nil
}

// Teardown gives up the files that a bundle has left open.
func (f *folderFn) Teardown() {
	for _, o := range f.open {
		if o.file != nil {
			o.file.Abort()
		}
	}
}

// file names the file of a share.
func (f *SampleFolder) file(of share) string {
	return IntervalFile(f.Path, "part", of.start, of.start+f.Step, fmt.Sprintf("-s%04d%s", of.shard, f.Format.Ending()))
}
