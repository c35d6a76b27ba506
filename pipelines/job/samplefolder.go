package job

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/folderio"
	"tributary/io/format"
	"tributary/io/kafkaio"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/job/graph"
	"tributary/pipelines/spec"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method0x1((*folderGroupFn).Setup), dofn.Method2x1((*folderGroupFn).ProcessElement))
	register.Emitter1[folderio.Group]()
	register.Function2x0(committed)
	register.Emitter1[commitlog.Committed]()
}

// SampleFolder is a folder that takes the samples of a stream: a file for each shard's share of a bucket, or of
// longer intervals, in folders of days or hours. See folderio.Write.
type SampleFolder struct {
	Config folderio.Config
	// final: there are none for earlier stages.
	final  bool
	format SampleFormat
}

// NewSampleFolder returns the folder of a stage of an output of a spec, nil if it takes none of that stage.
func NewSampleFolder(s *spec.Spec, o *spec.Output, stage int) *SampleFolder {
	path, ok := StagePath(s, o, stage)
	if !ok {
		return nil
	}
	f := &SampleFolder{final: o.Stages == spec.FinalStage, Config: folderio.Config{
		Path: path, Job: s.Stream.Name, Format: string(o.Format), Codec: string(o.Codec), Step: s.Bucket.Milliseconds(), Shards: int32(s.Shards),
		Compact: o.Compact.Milliseconds(), Hourly: o.Folders == spec.FolderOfHour,
	}}
	if stage < len(s.Stages)-1 {
		f.Config.Step, f.Config.Shards = s.Stages[stage].Bucket.Milliseconds(), int32(StageShards(s, stage))
	}
	return f
}

// StagePath is where in the folder of an output the samples of a stage are; false if it takes none of that stage. With stages
// it takes all of, each has a folder of its own.
func StagePath(s *spec.Spec, o *spec.Output, stage int) (path string, ok bool) {
	switch {
	case len(s.Stages) == 0:
		return o.Path, true
	case o.Stages == spec.FinalStage:
		return o.Path, stage == len(s.Stages)-1
	default:
		return strings.TrimSuffix(o.Path, "/") + "/" + spec.StageFolder + s.Stages[stage].Name(), true
	}
}

// SampleFolders are the folders of an output by stage, nil where it takes none.
type SampleFolders []*SampleFolder

// NeedsEnd implements graph.Place.
func (f SampleFolders) NeedsEnd() bool { return false }

// WriteSamples implements graph.SampleSink.
func (f SampleFolders) WriteSamples(s beam.Scope, stage int, samples beam.PCollection) graph.Written {
	if f[stage] == nil {
		return graph.Written{}
	}
	return f[stage].write(s, samples)
}

// SetSchema says what the schema of the samples is; jsonViews, that the view in them is JSON text.
func (f *SampleFolder) SetSchema(schema string, jsonViews bool) {
	f.Config.Schema = schema
	f.format = SampleFormat{Format: f.Config.Format, Codec: f.Config.Codec, Schema: schema, JSONViews: jsonViews}
}

// write writes files when their buckets have closed. The parts of a shard's share of a bucket are in order in one bundle; what acknowledges
// them is a PCollection<commitlog.Committed>, as folderio.Write has it.
func (f *SampleFolder) write(s beam.Scope, samples beam.PCollection) graph.Written {
	s = s.Scope("Folder")
	return graph.Written{Acknowledged: beam.ParDo(s, committed, folderio.Write(s, f.Config, beam.ParDo(s, &folderGroupFn{Final: f.final, Format: f.format}, samples)))}
}

// NoteProgress notes in the folder up to which bucket all is written, as kafkaio.NoteProgress does in a
// commit log.
func (f *SampleFolder) NoteProgress(s beam.Scope, written beam.PCollection, sent ...beam.PCollection) {
	s = s.Scope("Progress")
	folderio.NoteProgress(s, f.Config, kafkaio.ByWindow(s, f.Config.Step, written, sent...))
}

// ReadProgress returns the progress that the last run began with, as commitlog.ReadProgress does.
func (f *SampleFolder) ReadProgress(ctx context.Context, _ sink.Config) (commitlog.Progress, error) {
	return progressOf(folderio.ReadProgress(ctx, f.Config))
}

// NotBegun is sink.ErrBegun for a job that has begun, and changes nothing.
func (f *SampleFolder) NotBegun(ctx context.Context, _ sink.Config) error {
	p, err := folderio.ReadProgress(ctx, f.Config)
	if err == nil && p.FencingEpoch > 0 {
		err = fmt.Errorf("%w: the folder of samples %s says so", sink.ErrBegun, f.Config.Path)
	}
	return err
}

// Begin makes this run the one that writes, as sink.Begin does: a job that has begun is sink.ErrBegun.
func (f *SampleFolder) Begin(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	f.Config.Meaning, f.Config.State = w.Meaning, w.State
	p, err := folderio.Begin(ctx, f.Config)
	if errors.Is(err, folderio.ErrBegun) {
		err = fmt.Errorf("%w: %w", sink.ErrBegun, err)
	}
	f.Config.FencingEpoch = p.FencingEpoch
	return progressOf(p, err)
}

// Recover makes this run the one that writes, as sink.Recover does.
func (f *SampleFolder) Recover(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	return f.RecoverBeside(ctx, w, folderio.NoID)
}

// RecoverBeside is Recover where a topic's commit log says which buckets are complete, as far as the folder's does not.
func (f *SampleFolder) RecoverBeside(ctx context.Context, w sink.Config, completeBefore int64) (commitlog.Progress, error) {
	f.Config.Meaning, f.Config.State = w.Meaning, w.State
	p, err := folderio.Recover(ctx, f.Config, completeBefore)
	f.Config.FencingEpoch = p.FencingEpoch
	return progressOf(p, err)
}

// TakeUp goes on with the state of the run before, and refuses one that does not bring what is missing in the folder.
func (f *SampleFolder) TakeUp(ctx context.Context) error {
	p, err := folderio.ReadProgress(ctx, f.Config)
	switch {
	case err != nil:
		return err
	case p.FencingEpoch == 0:
		return fmt.Errorf("no run has written samples to %s: use --resume log", f.Config.Path)
	case p.RewrittenBefore != 0:
		return fmt.Errorf("a run that went on from the log has removed samples in %s that it was to write again, and has not come to: use --resume log", f.Config.Path)
	}
	f.Config.FencingEpoch = p.FencingEpoch
	return nil
}

// ClosedBy returns the start of the first bucket whose file is not closed where those from until on are left to a later
// run: what is put together in one file is not decided in part.
func (f *SampleFolder) ClosedBy(until int64) int64 {
	if c := f.Config.Compact; c > 0 && until > 0 {
		until -= until % c
	}
	if until == 0 { // which would be all
		return -1
	}
	return until
}

// MarkProvisional says in the folder that a run that goes on may write buckets from one on with other content.
func (f *SampleFolder) MarkProvisional(ctx context.Context, from int64) error {
	f.Config.ProvisionalFrom = from
	return folderio.MarkProvisional(ctx, f.Config)
}

func progressOf(p folderio.Progress, err error) (commitlog.Progress, error) {
	return commitlog.Progress{CommittedBefore: p.Since, FencingEpoch: p.FencingEpoch, Meaning: p.Meaning, State: p.State}, err
}

func committed(w folderio.Written, emit func(commitlog.Committed)) {
	emit(commitlog.Committed{Shard: w.Shard, ID: w.ID, Version: 1, Records: w.Records})
}

// folderGroupFn turns a block of samples into a part of a group of records.
type folderGroupFn struct {
	// Final leaves out what takes back samples of earlier stages.
	Final  bool
	Format SampleFormat

	json *sample.JSON
	text []byte
}

func (f *folderGroupFn) Setup() (err error) {
	// Files of JSON are written from it, all others from what is encoded.
	if _, missing := format.Get[format.JSONWriter](f.Format.Format); missing == nil {
		f.json, err = f.Format.JSON()
	}
	return err
}

func (f *folderGroupFn) ProcessElement(block sample.Block, emit func(folderio.Group)) error {
	header, samples, err := block.Open()
	if err != nil {
		return err
	}
	if header.Unchanged || f.Final && header.Withdrawn {
		samples = nil // a file is replaced whole, by what the stage gives
	}
	g := folderio.Group{Shard: int32(header.Shard), ID: header.Start, Part: int32(header.Part), Last: header.Last, Records: samples}
	if f.json != nil {
		if g.Records, err = f.asJSON(samples); err != nil {
			return fmt.Errorf("samples of shard %d, bucket at %d: %w", header.Shard, header.Start, err)
		}
	}
	emit(g)
	return nil
}

func (f *folderGroupFn) asJSON(samples []byte) (records []byte, err error) {
	for len(samples) > 0 {
		var encoded []byte
		if encoded, samples, err = sample.Next(samples); err != nil {
			return nil, err
		}
		if f.text, err = f.json.Append(f.text[:0], encoded); err != nil {
			return nil, err
		}
		records = folderio.AppendRecord(records, f.text)
	}
	return records, nil
}
