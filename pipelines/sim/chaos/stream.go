package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// Stream is the join of an Input as topics.
type Stream struct {
	*spec.Spec
	Brokers string
	Input   *Input

	schemas    *schemas
	partitions map[string]int32 // of the topics of input
	foreign    map[place]foreign
}

// shards is how many there are at first.
const shards = 6

// readers is how many share the partitions: each reads those whose numbers leave the same rest.
const readers = 4

// idleAfter is when a partition is idle that brings nothing. Each topic has one that never does, and
// without it nothing would go on; but what a publisher cannot write for a while is not late.
const idleAfter = 7 * time.Second

// Sink is where the samples of a stream go.
type Sink int

// Sinks: a topic, or a folder, in which small files are put together.
const (
	IntoTopic Sink = iota
	IntoFolder
)

// outputs are those of a spec.
func (k Sink) outputs(in *Input, name string) string {
	if k == IntoTopic {
		return fmt.Sprintf("samples: {topic: %s}", name)
	}
	return fmt.Sprintf("samples: {path: %[1]s/samples, folders: hour, compact: %[2]s}\n  late: {topic: %[1]s.late}\n"+
		"  dead_letters: {topic: %[1]s.dead}\n  accounts: {topic: %[1]s.accounts}\n  time_index: {topic: %[1]s.marks}", name, spec.FormatDuration(in.compact()))
}

// NewStream turns the spec of made input into one of topics, all of whose names begin with
// name, and creates these. Close it.
func NewStream(ctx context.Context, in *Input, brokers, name string, into Sink) (*Stream, error) {
	registry, err := newSchemas(in, name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(in.Dir, "spec.yaml"))
	if err != nil {
		return nil, err
	}
	edited := strings.NewReplacer(
		"{path: views/*.avro, order: file}", fmt.Sprintf("{topic: %s.views, format: avro}", name),
		"{path: engagements/*.avro, order: file}", fmt.Sprintf("{topic: %s.engagements, format: avro}", name),
		"samples: out/samples", into.outputs(in, name),
		// A stall outlives the transactions, too.
		"clock_skew:", fmt.Sprintf("shards: %d\nbucket: %s\nclusters: {main: {brokers: [%q], registry: {url: %q}}}\n"+
			"stream: {name: %s, idle_timeout: %s, source_parallelism: %d, transaction_timeout: 15s}\nclock_skew:",
			shards, spec.FormatDuration(in.Bucket), brokers, registry.registry.URL(), name, spec.FormatDuration(idleAfter), readers),
	).Replace(string(text))
	path := filepath.Join(in.Dir, name+".yaml")
	if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
		return nil, err
	}
	s, err := spec.Load(path)
	if err != nil {
		return nil, err
	}
	partitions := int32(0)
	for _, log := range in.Logs {
		partitions = max(partitions, log.Partition+1)
	}
	partitions++ // one that is always quiet
	states, err := topics.Create(ctx, s, topics.CreateOptions{Inputs: true, Partitions: partitions, Replicas: 1})
	if err != nil {
		return nil, err
	}
	for _, state := range states {
		if state.Err != "" {
			return nil, fmt.Errorf("create topic %s: %s", state.Name, state.Err)
		}
	}
	stream := &Stream{
		Spec: s, Brokers: brokers, Input: in, schemas: registry, foreign: map[place]foreign{},
		partitions: map[string]int32{"views": partitions, "engagements": partitions},
	}
	return stream, stream.takeLarge(ctx)
}

// Close ends the registry.
func (s *Stream) Close() { s.schemas.registry.Close() }

// takeLarge has the topics of input take records of any size that comes.
func (s *Stream) takeLarge(ctx context.Context) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	defer client.Close()
	bytes := strconv.Itoa(largest)
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &bytes}}
	answers, err := kadm.NewClient(client).AlterTopicConfigs(ctx, set, s.topic("views"), s.topic("engagements"))
	for _, a := range answers {
		err = errors.Join(err, a.Err)
	}
	return err
}

// reshard changes the number of shards in the stream's file.
func (s *Stream) reshard(shards int) error {
	before := s.Shards
	s.Shards = shards
	return s.edit(fmt.Sprintf("shards: %d\n", before), fmt.Sprintf("shards: %d\n", shards))
}

// edit puts a text in the place of another one in the stream's file.
func (s *Stream) edit(before, after string) error {
	text, err := os.ReadFile(s.File)
	if err != nil {
		return err
	}
	if n := strings.Count(string(text), before); n != 1 {
		return fmt.Errorf("%s has %q %d times, not once", s.File, before, n)
	}
	return os.WriteFile(s.File, []byte(strings.Replace(string(text), before, after, 1)), 0o600)
}

// client makes a client of the stream's brokers.
func (s *Stream) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.Brokers), kgo.AlwaysRetryEOF(), kgo.DisableClientMetrics()}, opts...)...)
}

// topic is the name of an input topic.
func (s *Stream) topic(ending string) string { return s.Stream.Name + "." + ending }
