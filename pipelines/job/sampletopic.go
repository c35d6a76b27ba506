package job

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/kafkaio"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/job/graph"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method0x1((*groupFn).Setup), dofn.Method2x1((*groupFn).ProcessElement))
	dofn.Register(dofn.Method0x1((*messageFn).Setup), dofn.Method2x1((*messageFn).ProcessElement))
	register.Emitter1[sink.Group]()
	register.Emitter1[sink.Message]()
	register.Function2x0(corrected)
	register.Emitter1[sample.Correction]()
}

// SampleTopic is a topic that takes samples: the key is the view's id, the value the sample.
//
// Those of stages are in one topic. Each stage has a commit log of its own, in which a group is a (shard, bucket) of the stage. Of a
// view the topic holds rising versions, since a stage is written behind the one before it (attribution.Packed.Join); where a group
// is written again with other content, all that follows from it is written again behind it. So the last record of a view, which a
// compacted topic keeps, is the newest version. A group that is corrected is written whole, what was said before included.
type SampleTopic struct {
	// Configs say where and how to write the samples of each stage: those of StageConfig, with what the run has come to.
	Configs     []sink.Config
	AtLeastOnce bool

	// final: it takes samples of the last stage only.
	final     bool
	json      bool
	schema    string
	jsonViews bool
	frame     []byte
}

// SampleConfig says where and how the samples of a spec are written, its Topic is empty if they go to no
// topic; then it says so of the job alone, and of the topics beside the samples. Their Meaning and State are for
// the caller to set.
func SampleConfig(s *spec.Spec) sink.Config {
	c := sink.Config{Job: s.Stream.Name, Shards: int32(s.Shards), Step: s.Bucket.Milliseconds(), TransactionTimeout: s.Stream.TransactionTimeout}
	if cluster := s.Cluster(s.OutputCluster()); cluster != nil {
		c.Cluster = Kafka(cluster)
	}
	if o := s.Outputs.SamplesTopic(); o != nil {
		c.Topic, c.CommitLog, c.Compression = o.Topic, s.Outputs.Topics.CommitLog, string(o.Codec)
	}
	return c
}

// StageConfig is the config of a stage, by that of the last: an early stage has a commit log and writers of its own. A stage that an
// output does not take has none, which is an empty topic.
func StageConfig(last sink.Config, s *spec.Spec, stage int) sink.Config {
	if stage >= len(s.Stages)-1 {
		return last
	}
	name := s.Stages[stage].Name()
	last.Job += "-stage-" + name // clusters may allow transactional ids by their prefix
	last.Step, last.Shards = s.Stages[stage].Bucket.Milliseconds(), int32(StageShards(s, stage))
	if last.CommitLog != "" {
		last.CommitLog += "." + name
	}
	if o := s.Outputs.SamplesTopic(); o == nil || o.Stages == spec.FinalStage {
		last.Topic, last.CommitLog = "", ""
	}
	return last
}

// Layouts are those of a commit log as the join has them.
func Layouts(earlier []commitlog.Layout) (out []rules.Layout) {
	for _, l := range earlier {
		out = append(out, rules.Layout{Until: l.Until, Shards: int(l.Shards)})
	}
	return out
}

// NewSampleTopic returns the topic of the samples of a spec; schema is theirs, and jsonViews says that
// the view in them is JSON text. It registers the schema, if samples name theirs. The Configs are for the caller to set.
func NewSampleTopic(ctx context.Context, s *spec.Spec, schema string, jsonViews bool) (SampleTopic, error) {
	o := s.Outputs.SamplesTopic()
	t := SampleTopic{
		AtLeastOnce: s.Stream.Delivery == spec.AtLeastOnce, final: o.Stages == spec.FinalStage, json: o.Format == spec.JSON, schema: schema, jsonViews: jsonViews,
	}
	var err error
	if o.Registry {
		t.frame, err = Registry(s.Cluster(o.Cluster)).Register(ctx, o.Topic+"-value", schema)
	}
	return t, err
}

// Frame is what precedes the values of the topic: nothing, or what names their schema in the registry.
func (t *SampleTopic) Frame() []byte { return t.frame }

// NeedsEnd implements graph.Place: a group is written when its bucket has closed.
func (t *SampleTopic) NeedsEnd() bool { return false }

// WriteSamples implements graph.SampleSink. The parts of a shard's share of a bucket are in order in one bundle; what acknowledges
// them is a PCollection<commitlog.Committed>, or that of kafkaio.WriteAtLeastOnce.
func (t *SampleTopic) WriteSamples(s beam.Scope, stage int, samples beam.PCollection) (w graph.Written) {
	config := t.Configs[stage]
	format := groupFn{Final: t.final, JSON: t.json, Schema: t.schema, JSONViews: t.jsonViews, Frame: t.frame}
	switch {
	case config.Topic == "":
		return graph.Written{}
	case t.AtLeastOnce:
		w.Refused, w.Acknowledged = kafkaio.WriteAtLeastOnce(s, config, beam.ParDo(s, &messageFn{Format: format}, samples))
	default:
		w.Acknowledged, w.Refused = kafkaio.Write(s, config, beam.ParDo(s, &format, samples))
		if stage < len(t.Configs)-1 {
			w.Corrected = beam.ParDo(s, corrected, w.Acknowledged)
		}
	}
	return w
}

// corrected emits what was written again; of the rest, the watermark tells the next stage.
func corrected(c commitlog.Committed, emit func(sample.Correction)) {
	if c.Version > 1 {
		emit(sample.Correction{Start: c.ID, Shard: int64(c.Shard), Times: int64(c.Version) - 1})
	}
}

// groupFn turns a block of samples into a part of a group of records: the key is the view's
// id, the value the sample.
type groupFn struct {
	// Final leaves out what takes back samples of earlier stages.
	Final bool
	// JSON writes samples as JSON; else they are Avro behind Frame.
	JSON      bool
	Schema    string
	JSONViews bool
	Frame     []byte

	json  *sample.JSON
	value []byte
}

func (f *groupFn) Setup() error {
	if !f.JSON {
		return nil
	}
	var err error
	f.json, err = SampleFormat{Schema: f.Schema, JSONViews: f.JSONViews}.JSON()
	return err
}

func (f *groupFn) ProcessElement(block sample.Block, emit func(sink.Group)) error {
	header, samples, err := block.Open()
	if err != nil {
		return err
	}
	if f.Final && header.Withdrawn {
		samples = nil
	}
	g := sink.Group{
		Shard: int32(header.Shard), ID: header.Start, Part: int32(header.Part), Last: header.Last, Spare: header.Unchanged, Follows: header.Corrections,
		Records: make([]byte, 0, len(samples)+len(samples)/4),
	}
	err = f.each(samples, func(id, value []byte) {
		// Stamped when they are written: a topic that keeps records for a week of the view's
		// time would drop those of a backfill at once.
		g.Records = sink.AppendRecord(g.Records, id, value, sink.NoTimestamp)
	})
	if err != nil {
		return fmt.Errorf("samples of shard %d, bucket at %d: %w", header.Shard, header.Start, err)
	}
	emit(g)
	return nil
}

// each calls do for every sample of a block; what do is given is valid for the call.
func (f *groupFn) each(samples []byte, do func(id, value []byte)) error {
	for len(samples) > 0 {
		encoded, rest, err := sample.Next(samples)
		if err != nil {
			return err
		}
		id, _, err := sample.Key(encoded)
		if err != nil {
			return err
		}
		if f.JSON {
			f.value, err = f.json.Append(f.value[:0], encoded)
		} else {
			f.value = append(append(f.value[:0], f.Frame...), encoded...)
		}
		if err != nil {
			return err
		}
		do(id, f.value)
		samples = rest
	}
	return nil
}

// messageFn turns a block of samples into messages for a sink that knows no groups.
type messageFn struct {
	Format groupFn
}

func (f *messageFn) Setup() error { return f.Format.Setup() }

func (f *messageFn) ProcessElement(block sample.Block, emit func(sink.Message)) error {
	header, samples, err := block.Open()
	if err != nil || header.Unchanged || f.Format.Final && header.Withdrawn {
		return err
	}
	return f.Format.each(samples, func(id, value []byte) {
		emit(sink.Message{Key: append([]byte(nil), id...), Value: append([]byte(nil), value...)})
	})
}
