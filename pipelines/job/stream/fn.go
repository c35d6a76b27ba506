package stream

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/rejected"
	"tributary/transforms/account"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method0x1((*groupFn).Setup), dofn.Method2x1((*groupFn).ProcessElement))
	dofn.Register(dofn.Method0x1((*messageFn).Setup), dofn.Method2x1((*messageFn).ProcessElement))
	dofn.Register(dofn.Method0x0((*describeFn).Setup), dofn.Method4x1((*describeFn).ProcessElement))
	dofn.Register(dofn.Method2x1((*refusedFn).ProcessElement))
	dofn.Register(dofn.Method2x0((*countFn).ProcessElement))
	register.Emitter1[sink.Group]()
	register.Emitter1[sink.Message]()
}

// groupFn turns a block of samples into a part of a group of records: the key is the view's
// id, the value the sample.
type groupFn struct {
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
	schema, err := avro.ParseSchema(f.Schema)
	if err != nil {
		return err
	}
	f.json, err = sample.NewJSON(schema, f.JSONViews)
	return err
}

func (f *groupFn) ProcessElement(block []byte, emit func(sink.Group)) error {
	header, samples, err := sample.ReadHeader(block)
	if err != nil {
		return err
	}
	g := sink.Group{
		Shard: int32(header.Shard), ID: header.Start, Part: int32(header.Part), Last: header.Last,
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

func (f *messageFn) ProcessElement(block []byte, emit func(sink.Message)) error {
	_, samples, err := sample.ReadHeader(block)
	if err != nil {
		return err
	}
	return f.Format.each(samples, func(id, value []byte) {
		emit(sink.Message{Key: append([]byte(nil), id...), Value: append([]byte(nil), value...)})
	})
}

// describeFn turns rejected records into messages, to late, dead letters and orphans. The
// key is the record's place in the log, so that whoever reads them can tell a record that a
// restart wrote twice.
type describeFn struct {
	Roles []string
	// Partitions are the names of topics by rank.
	Partitions source.Ranks
	Schemas    map[uint64]string

	describer *rejected.Describer
}

// keptOfRejected is as much of a record as base64 makes into a message that topics take by
// default, 1 MiB, with room for what is said of it.
const keptOfRejected = 600 << 10

func (f *describeFn) Setup() {
	f.describer = &rejected.Describer{Roles: f.Roles, Schemas: f.Schemas, Kept: keptOfRejected}
}

func (f *describeFn) ProcessElement(r record.Rejected, late, dead, orphans func(sink.Message)) error {
	from := f.Partitions.Partition(r.Partition).String()
	described := f.describer.Describe(&r, from)
	value, err := described.Append(nil)
	if err != nil {
		return fmt.Errorf("describe %s@%d: %w", from, r.Offset, err)
	}
	m := sink.Message{Key: fmt.Appendf(nil, "%s@%d %s", from, r.Offset, described.Role), Value: value}
	switch rejected.OutputOf(r.Reason) {
	case rejected.Late:
		late(m)
	case rejected.Orphans:
		orphans(m)
	default:
		dead(m)
	}
	return nil
}

// refusedFn turns samples that their topic does not take into dead letters. What they are
// samples of is still in the log of the views.
type refusedFn struct{}

func (f *refusedFn) ProcessElement(r sink.Refused, dead func(sink.Message)) error {
	described := rejected.TooLarge(r.Key, r.Topic, r.String())
	value, err := described.Append(nil)
	if err != nil {
		return fmt.Errorf("describe sample %q: %w", r.Key, err)
	}
	dead(sink.Message{Key: append([]byte("samples "), r.Key...), Value: value})
	return nil
}

// countFn adds up accounts in the runner's counters, which show how a job does while it
// runs; after a restart they may have counted some twice.
type countFn struct{}

func (f *countFn) ProcessElement(ctx context.Context, l account.Sheet) {
	count := func(name string, n int64) {
		if n != 0 {
			beam.NewCounter("tributary", name).Inc(ctx, n)
		}
	}
	v := l.Views
	count("views_read", v.Read)
	count("samples", v.Samples)
	count("positives", v.Positives)
	count("sampled_out", v.SampledOut)
	count("views_duplicate", v.Duplicates)
	count("views_late", v.Late)
	count("views_dead", v.Dead)
	for kind, e := range l.Engagements {
		count(kind+"_read", e.Read)
		count(kind+"_matched", e.Matched)
		count(kind+"_outside_window", e.Outside)
		count(kind+"_orphans", e.Orphans)
		count(kind+"_duplicate", e.Duplicates)
		count(kind+"_late", e.Late)
		count(kind+"_dead", e.Dead)
	}
}
