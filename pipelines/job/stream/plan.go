// Package stream joins topics: it turns a spec and what its topics hold into a pipeline that
// writes labelled samples, each exactly once, for as long as the topics go on.
//
//	spec -> plan: schemas, readings, writings -> one pipeline, on any runner
//
//	kafkaio.Read -> attribution.Join -> samples  -> kafkaio.Write, a transaction for each shard
//	                                 -> rejected -> late, dead letters, orphans
//	                                 -> ledgers  -> counters, accounts
//
// The samples are those that a join of files would give for the same records in the same
// order: both hand the same batches to the same join.
package stream

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/kafkaio"
	"tributary/pipelines/job"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution"
	"tributary/transforms/sample"
)

// Options are the choices of one run of a spec. The zero value reads from where the spec
// says and goes on for ever.
type Options struct {
	// Run tells this run from others of the same job, for clients that are kept between
	// bundles; the time of the start if it is empty.
	Run string
	// Start overrides where the spec says that reading starts.
	Start *kafkaio.Start
	Stop  kafkaio.Stop
	// Drain says that the log is finished where Stop ends it: buckets are joined that more of it could
	// still change, and their samples say how much of their windows was seen (maturity). Without,
	// they are left to the run that goes on.
	Drain bool
	// Resume says what the run begins from; one from the log begins there instead of at Start.
	Resume Resume
	// NewLedger accepts samples that an empty ledger knows nothing of.
	NewLedger bool
	// Readers overrides the spec's, 0 for those: a runner may know of a most.
	Readers int
	// Rest is the pause of a reader between two slices; 0 for what Flink needs.
	Rest time.Duration
	// BooksEvery is how often accounts are put together; 0 for DefaultBooksEvery.
	BooksEvery time.Duration
	// SliceTime is how long a reader reads at most before it pauses; 0 for 2 s.
	SliceTime time.Duration
}

// Plan is a join of topics, worked out before it runs.
type Plan struct {
	spec    *spec.Spec
	params  attribution.Params
	roles   []string
	reading kafkaio.Reading
	// samples, and with other topics what else is written to the same cluster.
	samples      kafkaio.Writing
	sampleSchema string
	// written and given are the schemas of views, of their topics and of the spec.
	written []job.Written
	given   []*avro.Schema
	// frame precedes the value of every sample: its schema's id in the registry.
	frame   []byte
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
	if !s.Streams() {
		return nil, fmt.Errorf("%s reads files: join it with `tributary join`", s.File)
	}
	p := &Plan{spec: s, booksEvery: opt.BooksEvery}
	var sources []job.Source
	p.params, sources = job.Of(s)
	// Partitions of topics have an order, whatever the default is for files.
	for i := range p.params.Inputs {
		p.params.Inputs[i].Ordered = true
		p.roles = append(p.roles, sources[i].Role)
	}
	p.params.Orphans = s.Outputs.Topics.Orphans != ""
	p.params.Compress = true
	if err := p.params.Validate(); err != nil {
		return nil, err
	}
	if err := p.planReading(ctx, sources, opt); err != nil {
		return nil, err
	}
	p.planSamples(opt)
	progress, err := p.progress(ctx, opt)
	if err != nil {
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
	return p, p.planEnd(ctx, opt)
}

// planReading groups inputs by topic, and finds the schemas of views.
func (p *Plan) planReading(ctx context.Context, sources []job.Source, opt Options) error {
	s := p.spec
	r := kafkaio.Reading{
		Job: s.Stream.Name + "-" + cmp.Or(opt.Run, time.Now().UTC().Format("20060102T150405.000Z")), Readers: cmp.Or(opt.Readers, s.Stream.SourceParallelism), OutOfOrderness: s.OutOfOrderness, IdleAfter: s.Stream.IdleTimeout, MaxAhead: s.Stream.MaxFutureSkew,
		Start: startOf(s.Stream.Start), Stop: opt.Stop, Group: s.Stream.Group, Rest: opt.Rest, SliceTime: opt.SliceTime,
	}
	if opt.Start != nil {
		r.Start = *opt.Start
	}
	if s.Stream.OnOffsetOutOfRange == spec.OutOfRangeSkips {
		r.OnTruncation = kafkaio.SkipTruncated
	}
	if marks := s.Outputs.Topics.TimeIndex; marks != "" {
		r.Marks = &kafkaio.MarksTopic{Cluster: s.Outputs.Samples.Cluster, Topic: marks}
	}
	used := map[string]bool{s.Outputs.Samples.Cluster: true}
	text := ""
	fields := job.NewFieldCheck(s, &p.params, sources)
	found := make([]kafkaio.Topic, len(sources))
	schemas := make([]*avro.Schema, len(sources))
	for i, src := range sources {
		used[src.Cluster] = true
		var err error
		if found[i], schemas[i], err = p.topicOf(ctx, &r, i, src); err != nil {
			return fmt.Errorf("topic %s: %w", src.Topic, err)
		}
		if schemas[i] == nil {
			fields.AddText(i)
		} else {
			fields.Add(i, "topic "+src.Topic, schemas[i])
		}
	}
	if problems := fields.Problems(); len(problems) > 0 {
		problems.Sort()
		return problems
	}
	for i, src := range sources {
		t, schema := found[i], schemas[i]
		t.Time.Others = p.params.Inputs[i].Others[t.Time.Path]
		if same := slices.IndexFunc(r.Topics, func(o kafkaio.Topic) bool { return o.Cluster == t.Cluster && o.Name == t.Name }); same >= 0 {
			r.Topics[same].Inputs = append(r.Topics[same].Inputs, int32(i))
		} else {
			r.Topics = append(r.Topics, t)
		}
		switch {
		case p.params.Inputs[i].Kind != attribution.Views:
		case schema == nil:
			text = src.Topic
		default:
			p.written = append(p.written, job.Written{Schema: schema, Source: src.Topic})
			if src.Schema != "" {
				p.given = append(p.given, schema)
			}
		}
	}
	for i := range s.Clusters {
		if used[s.Clusters[i].Name] {
			r.Clusters = append(r.Clusters, topics.Kafka(&s.Clusters[i]))
		}
	}
	p.reading = r
	return p.chooseViewSchema(text)
}

// topicOf describes the topic of an input, and returns the schema that its records are
// known to have; nil for JSON.
func (p *Plan) topicOf(ctx context.Context, r *kafkaio.Reading, input int, src job.Source) (kafkaio.Topic, *avro.Schema, error) {
	in := p.params.Inputs[input]
	t := kafkaio.Topic{
		Cluster: src.Cluster, Name: src.Topic, Inputs: []int32{int32(input)}, Format: kafkaio.JSON,
		Time: kafkaio.Field{Path: in.Time.Path, Unit: in.Time.Unit},
	}
	if src.Format == spec.JSON {
		if src.Schema != "" {
			return t, nil, fmt.Errorf("values in JSON are taken as they are: leave out the schema %s", src.Schema)
		}
		return t, nil, nil
	}
	var text string
	if src.Schema != "" {
		content, err := fileio.ReadFile(ctx, src.Schema)
		if err != nil {
			return t, nil, err
		}
		text = string(content)
	}
	t.Format = kafkaio.Avro
	if src.Registry {
		t.Format = kafkaio.RegistryAvro
		if err := p.useRegistry(r, src.Cluster); err != nil {
			return t, nil, err
		}
		if text == "" {
			var err error
			if text, err = r.Registry.Latest(ctx, src.Topic+"-value"); err != nil {
				return t, nil, err
			}
		}
	}
	schema, err := avro.ParseSchema(text)
	if err != nil {
		return t, nil, err
	}
	if t.Format == kafkaio.Avro {
		t.Schema = schema.String()
		p.params.Schemas[schema.ID()] = t.Schema
	}
	return t, schema, nil
}

// useRegistry makes the cluster's registry the one that schemas are read from.
func (p *Plan) useRegistry(r *kafkaio.Reading, cluster string) error {
	registry := topics.Registry(p.spec.Cluster(cluster))
	if r.Registry != nil && !slices.Equal(r.Registry.URLs, registry.URLs) {
		return fmt.Errorf("its schemas are in the registry %v, those of other topics in %v: a job can use one", registry.URLs, r.Registry.URLs)
	}
	r.Registry = registry
	return nil
}

// chooseViewSchema decides which schema views have in samples: one that the spec gives, or
// else one of the registry.
func (p *Plan) chooseViewSchema(text string) error {
	if len(p.written) == 0 {
		return nil // JSON text, as it is
	}
	if text != "" {
		return fmt.Errorf("views of %s are JSON, those of %s Avro: the views in samples need one schema", text, p.written[0].Source)
	}
	candidates := p.given
	if len(candidates) == 0 {
		for _, w := range p.written {
			candidates = append(candidates, w.Schema)
		}
	}
	chosen, err := job.ViewSchema(candidates, p.written)
	if err != nil {
		return fmt.Errorf("no schema of the views can read all the others: %w", err)
	}
	p.params.ViewSchema = chosen.String()
	return nil
}

func startOf(s spec.Start) kafkaio.Start {
	switch s.From {
	case spec.StartLatest:
		return kafkaio.Start{At: kafkaio.AtLatest}
	case spec.StartCommitted:
		return kafkaio.Start{At: kafkaio.AtCommitted}
	case spec.StartAtTime:
		return kafkaio.Start{At: kafkaio.AtTime, Time: s.Time}
	default:
		return kafkaio.Start{At: kafkaio.AtEarliest}
	}
}

// planSamples says how samples are written.
func (p *Plan) planSamples(opt Options) {
	s := p.spec
	p.samples = kafkaio.Writing{
		Cluster: topics.Kafka(s.Cluster(s.Outputs.Samples.Cluster)), Topic: s.Outputs.Samples.Topic, LedgerTopic: s.Outputs.Topics.CommitLog, Job: s.Stream.Name, Shards: int32(s.Shards), Step: s.Bucket.Milliseconds(),
		TransactionTimeout: s.Stream.TransactionTimeout, Compression: string(s.Outputs.Samples.Codec), NewLedger: opt.NewLedger,
		Meaning: p.meaning(), State: map[string]string{"shards": strconv.Itoa(s.Shards), "readers": strconv.Itoa(p.reading.Readers)},
	}
}

// meaning is all that what a run leaves behind is to be understood by.
func (p *Plan) meaning() attribution.Meaning {
	m := p.params.Meaning()
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
	return m
}

// planSchema decides the schema of samples, and registers it if they name it.
func (p *Plan) planSchema(ctx context.Context) (err error) {
	s := p.spec
	if p.sampleSchema, err = sample.Schema(job.Columns(&p.params), p.params.ViewSchema); err != nil {
		return err
	}
	if s.Outputs.Samples.Registry {
		p.frame, err = topics.Registry(s.Cluster(s.Outputs.Samples.Cluster)).Register(ctx, s.Outputs.Samples.Topic+"-value", p.sampleSchema)
	}
	return err
}

// SampleSchema is the Avro schema of the samples.
func (p *Plan) SampleSchema() string { return p.sampleSchema }
