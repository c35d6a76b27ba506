package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/spec"
	"tributary/pipelines/topics"
)

// Stream is the join of an Input as topics.
type Stream struct {
	*spec.Spec
	Brokers string
	Input   *Input
}

// shards is how many there are at first.
const shards = 6

// idleAfter is when a partition is idle that brings nothing. Each topic has one that never does, and
// without it nothing would go on; but what a publisher cannot write for a while is not late.
const idleAfter = 7 * time.Second

// NewStream turns the spec of made input into one of topics, all of whose names begin with
// name, and creates these.
func NewStream(ctx context.Context, in *Input, brokers, name string) (*Stream, error) {
	text, err := os.ReadFile(filepath.Join(in.Dir, "spec.yaml"))
	if err != nil {
		return nil, err
	}
	edited := strings.NewReplacer(
		"{path: views/*.avro, order: file}", fmt.Sprintf("{topic: %s.views, format: avro, schema: views.avsc}", name),
		"{path: engagements/*.avro, order: file}", fmt.Sprintf("{topic: %s.engagements, format: avro, schema: engagements.avsc}", name),
		"samples: out/samples", fmt.Sprintf("samples: {topic: %s}", name),
		// A stall outlives the transactions, too.
		"clock_skew:", fmt.Sprintf("shards: %d\nbucket: %s\nclusters: {main: {brokers: [%q]}}\n"+
			"stream: {name: %s, idle_after: %s, readers: 4, transaction_timeout: 15s}\nclock_skew:",
			shards, spec.FormatDuration(in.Bucket), brokers, name, spec.FormatDuration(idleAfter)),
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
	return &Stream{Spec: s, Brokers: brokers, Input: in}, nil
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
func (s *Stream) topic(ending string) string { return s.Outputs.Samples.Topic + "." + ending }
