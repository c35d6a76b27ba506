package job

import (
	"fmt"
	"strconv"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/dofn"
	"tributary/io/kafkaio"
	"tributary/io/kafkaio/sink"
	"tributary/io/record"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
)

func init() {
	dofn.Register(dofn.Method0x0((*describeFn).Setup), dofn.Method4x1((*describeFn).ProcessElement))
	dofn.Register(dofn.Method2x1((*refusedFn).ProcessElement))
}

// RejectedTopics are the topics that take what is in no sample: late records, dead letters and
// orphans, each at least once.
type RejectedTopics struct {
	// Config is that of the samples: cluster and compression are theirs.
	Config sink.Config
	Topics spec.Topics
	// Roles are those of the inputs.
	Roles      []string
	Partitions Partitions
	Schemas    map[uint64]string
}

// NeedsEnd implements graph.Place: messages are written as they come.
func (t *RejectedTopics) NeedsEnd() bool { return false }

// WriteRejected implements graph.RejectedSink. What acknowledges messages is that of kafkaio.WriteAtLeastOnce, for each topic that
// there is.
func (t *RejectedTopics) WriteRejected(s beam.Scope, rejected, refused beam.PCollection) (sent []beam.PCollection) {
	late, dead, orphans := beam.ParDo3(s, &describeFn{Roles: t.Roles, Partitions: t.Partitions, Schemas: t.Schemas}, rejected)
	if refused.IsValid() {
		dead = beam.Flatten(s, dead, beam.ParDo(s.Scope("Refused"), &refusedFn{}, refused))
	}
	for _, to := range []struct {
		topic    string
		messages beam.PCollection
	}{
		{t.Topics.Late, late},
		{t.Topics.DeadLetters, dead},
		{t.Topics.Orphans, orphans},
	} {
		if to.topic == "" {
			continue
		}
		w := sink.Config{Cluster: t.Config.Cluster, Topic: to.topic, Compression: t.Config.Compression, Cut: true}
		_, written := kafkaio.WriteAtLeastOnce(s.Scope(to.topic), w, to.messages)
		sent = append(sent, written)
	}
	return sent
}

// describeFn turns rejected records into messages, to late, dead letters and orphans. The
// key is the record's place in the log, and that of an event in its list (see rejected.Record.Index), so that whoever reads them can tell a record that a
// restart wrote twice.
type describeFn struct {
	Roles      []string
	Partitions Partitions
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
	output := rejected.OutputOf(r.Reason)
	if output == "" {
		return nil
	}
	source := f.Partitions.Name(r.Partition)
	described := f.describer.Describe(&r, source)
	value, err := described.Append(nil)
	if err != nil {
		return fmt.Errorf("describe %s@%d: %w", source, r.Offset, err)
	}
	place := strconv.FormatInt(r.Offset, 10)
	if described.Index != nil {
		place += fmt.Sprintf("[%d]", *described.Index)
	}
	m := sink.Message{Key: fmt.Appendf(nil, "%s@%s %s", source, place, described.Role), Value: value}
	switch output {
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
