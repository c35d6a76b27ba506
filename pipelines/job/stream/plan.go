// Package stream joins topics: it turns a spec and what its topics hold into a pipeline that
// writes labelled samples, each exactly once, for as long as the topics go on.
//
//	spec -> plan: schemas, readings, writings -> one pipeline, on any runner
//
// The pipeline is graph.Graph with
//
//	sources:  kafkaio.Read, and files (package batch)
//	samples:  a folder, and a topic: a transaction for each shard
//	rejected: topics of late records, dead letters, orphans
//	accounts: counters, a topic, books, and how far the job has come
//
// Files beside topics have an end: they are listed and scanned when the run is planned, as package batch does for a join of
// files, and hold the watermark only until they are read. The commit log keeps which they are, so that a run that goes on
// reads the same.
//
// The samples are those that a join of files would give for the same records in the same
// order: both hand the same batches to the same join.
//
//	plan.go        what is read and written, resolved before the job starts
//	graph.go       what the pipeline is made of; sinks.go: where samples go
//	early.go       the stages before the last
//	end.go         a run that ends, and what it decides; resume.go: a run that goes on
//	account.go     accounts of pieces of the work; accounts.go: those of a topic, put together; idle.go: what was read after idleness; sheet.go, count.go
//	book.go        what no longer changes, added up; bookkeep.go: when that is, and how it is written
//	report.go      what became of every event; readto.go: how far partitions are read
package stream

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/kafkaio/timeindex"
	"tributary/pipelines/job"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
)

// Options are the choices of one run of a spec. The zero value reads from where the spec
// says and goes on for ever.
type Options struct {
	// Run tells this run from others of the same job, for clients that are kept between
	// bundles; the time of the start if it is empty.
	Run string
	// Start overrides where the spec says that reading starts.
	Start *source.Start
	Stop  source.Stop
	// Drain says that the log is finished where Stop ends it: buckets are joined that more of it could
	// still change, and their samples say how much of their windows was seen (maturity). Without,
	// they are left to the run that goes on.
	Drain bool
	// Resume says what the run begins from; one from the log begins there instead of at Start.
	Resume Resume
	// NewCommitLog accepts samples that an empty commit log knows nothing of.
	NewCommitLog bool
	// Readers overrides the spec's, 0 for those: a runner may know of a most.
	Readers int
	// Rest is the pause of a reader between two polls; 0 for what Flink needs.
	Rest time.Duration
	// BooksEvery is how often accounts are put together; 0 for DefaultBooksEvery.
	BooksEvery time.Duration
	// PollBudget is how long a reader reads at most before it pauses; 0 for 2 s.
	PollBudget time.Duration

	// feed is how files are read.
	feed batch.FeedConfig
}

// Plan is a join of topics, worked out before it runs.
type Plan struct {
	spec    *spec.Spec
	params  rules.Params
	roles   []string
	reading source.Config
	// samples, and with other topics what else is written to the same cluster.
	samples      sink.Config
	sampleSchema string
	views        *job.ViewSchemas
	// files are those that are read beside the topics, nil if there are none.
	files *batch.Files
	feed  batch.FeedConfig
	// topic and folder are the places that samples go to, nil where there is none.
	topic  *job.SampleTopic
	folder *job.SampleFolder
	// commits say how far the job has come.
	commits commits
	// early are the stages but the last, which is the job's.
	early   []*earlyStage
	resumed *Resumed
	// booksEvery is that of Options.
	booksEvery time.Duration
	end        *End
	// changed is what of the meaning is not as it was, keptSchema that views keep their schema.
	changed    []string
	keptSchema bool
}

// New plans the join of a spec that reads topics. It reads schema files and asks the
// registry, if there is one, for the schemas of views and, with samples that name theirs,
// registers it. With delivery exactly once it also asks the cluster how far the job has come, and
// makes this run the one that writes: a fresh one of a job that has not written yet, or one that
// goes on from the log. A run that ends reads how far the log has come where it does.
// The error says what of the spec does not serve, or why the job cannot go on from there.
func New(ctx context.Context, s *spec.Spec, opt Options) (*Plan, error) {
	if err := checkSpec(s); err != nil {
		return nil, err
	}
	p := &Plan{spec: s, booksEvery: opt.BooksEvery, feed: opt.feed}
	p.planSamples(opt)
	p.planSinks()
	progress, err := p.progress(ctx, opt.Resume)
	if err != nil {
		return nil, err
	}
	if err := p.planReading(ctx, progress, opt); err != nil {
		return nil, err
	}
	if err := p.planState(); err != nil {
		return nil, err
	}
	if err := p.fits(progress, opt.Resume); err != nil {
		return nil, err
	}
	if err := p.planSchema(ctx); err != nil {
		return nil, err
	}
	if p.reading, err = p.reading.Resolve(ctx); err != nil {
		return nil, err
	}
	if err := p.claim(ctx, opt.Resume, progress); err != nil {
		return nil, err
	}
	if err := p.claimFolder(ctx, p.folder, p.samples, p.params.Since, opt.Resume); err != nil {
		return nil, err
	}
	for _, e := range p.early {
		if err := p.claimFolder(ctx, e.folder, e.samples, p.params.Stages[e.stage].Since, opt.Resume); err != nil {
			return nil, err
		}
	}
	return p, p.planEnd(ctx, opt)
}

// planReading says how topics and files are read, and finds the schemas of views. A run that goes on reads the files that the
// job began with.
func (p *Plan) planReading(ctx context.Context, progress commitlog.Progress, opt Options) error {
	s := p.spec
	kept, err := batch.ParseKept(progress.State[stateFiles])
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	inputs, err := batch.StreamInputs(ctx, s, kept)
	if err != nil {
		return err
	}
	p.params, p.views, p.files = inputs.Params, inputs.Views, inputs.Files
	p.params.Orphans = s.Outputs.Topics.Orphans != ""
	p.params.Compress = true
	p.params.Marked = len(p.params.Stages) > 0 && s.Outputs.SamplesTopic() != nil && !p.atLeastOnce()
	for _, src := range inputs.Sources {
		p.roles = append(p.roles, src.Role)
	}
	r := inputs.Topics.Reading(s.OutputCluster())
	r.Job = s.Stream.Name + "-" + cmp.Or(opt.Run, time.Now().UTC().Format("20060102T150405.000Z"))
	r.Readers, r.Stop, r.Rest, r.PollBudget = cmp.Or(opt.Readers, s.Stream.SourceParallelism), opt.Stop, opt.Rest, opt.PollBudget
	if opt.Start != nil {
		r.Start = *opt.Start
	}
	if marks := s.Outputs.Topics.TimeIndex; marks != "" {
		r.TimeIndex = &timeindex.Topic{Cluster: s.OutputCluster(), Topic: marks}
	}
	if p.files != nil {
		r.RanksAfter = 1
	}
	p.reading = r
	return p.params.Validate()
}

// planSamples says where samples are written.
func (p *Plan) planSamples(opt Options) {
	p.samples = job.SampleConfig(p.spec)
	p.samples.NewCommitLog = opt.NewCommitLog
}

// stateFiles names, in the state of a job, the files that it reads.
const stateFiles = "files"

// planState says what a run that goes on has to know of this one.
func (p *Plan) planState() error {
	p.samples.Meaning = p.meaning()
	p.samples.State = map[string]string{"shards": strconv.Itoa(p.spec.Shards), "readers": strconv.Itoa(p.reading.Readers), "reading": p.howRead()}
	if c := p.compact(); c > 0 {
		p.samples.State["compact"] = spec.FormatDuration(c)
	}
	p.planEarly()
	if p.files == nil {
		return nil
	}
	text, err := p.files.Kept.Text()
	if err != nil {
		return err
	}
	if len(text) > mostKept {
		return fmt.Errorf("the inputs are %d files, and to say which they are takes %d bytes: a commit log holds %d; name fewer, larger ones", p.files.Count(), len(text), mostKept)
	}
	p.samples.State[stateFiles] = text
	return nil
}

// howRead tells apart what readers keep in a savepoint, see kafkaio.Read. Releases that say nothing of it kept something else.
func (p *Plan) howRead() string {
	if p.reading.Stop.At != source.StopNever {
		return "up to an end"
	}
	return "by timers"
}

// mostKept leaves room for the rest of a record, of which topics take 1 MiB by default.
const mostKept = 768 << 10

// partitions name those of all inputs.
func (p *Plan) partitions() job.Partitions {
	topics := p.reading.Ranked()
	if p.files == nil {
		return job.Partitions{Topics: topics}
	}
	return p.files.Partitions(topics)
}

// meaning is all that what a run leaves behind is to be understood by.
func (p *Plan) meaning() rules.Meaning { return p.meaningOf(p.params.Stage) }

// meaningOf is that of a stage.
func (p *Plan) meaningOf(stage int) rules.Meaning {
	of := p.params.OfStage(stage)
	m := of.Meaning()
	names := []string{}
	for _, t := range p.reading.Ranked() {
		names = append(names, t.Cluster+"/"+t.Topic)
	}
	m["topics"] = strings.Join(names, ", ")
	for _, t := range p.reading.Topics {
		if t.Schema != "" {
			m["schema of topic "+t.Name] = t.Schema
		}
	}
	if p.files != nil {
		for name, kept := range p.files.Kept {
			m["files of "+name] = kept.Pattern
		}
	}
	return m
}

// planSchema decides the schema of samples, and registers it if they name it.
func (p *Plan) planSchema(ctx context.Context) (err error) {
	if p.sampleSchema, err = job.SampleSchema(p.spec, &p.params); err != nil {
		return err
	}
	jsonViews := p.params.TextViews()
	if p.folder != nil {
		p.folder.SetSchema(p.sampleSchema, jsonViews)
	}
	for _, e := range p.early {
		if e.folder != nil {
			e.folder.SetSchema(p.sampleSchema, jsonViews)
		}
	}
	if p.spec.Outputs.SamplesTopic() == nil {
		return nil
	}
	topic, err := job.NewSampleTopic(ctx, p.spec, p.sampleSchema, jsonViews)
	p.topic = &topic
	return err
}

// SampleSchema is the Avro schema of the samples.
func (p *Plan) SampleSchema() string { return p.sampleSchema }
