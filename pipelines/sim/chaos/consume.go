package chaos

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// followSamples gives samples to an audit as they come, as a consumer of their place would read them, until the
// context ends.
func (s *Stream) followSamples(ctx context.Context, a *Audit) error {
	if s.Outputs.SamplesFolder() != nil {
		return s.followFolder(ctx, a)
	}
	return s.follow(ctx, s.Outputs.Samples.Topic, func(r *kgo.Record) { s.take(a, r) })
}

// follow reads the committed records of a topic as they come, until the context ends.
func (s *Stream) follow(ctx context.Context, topic string, visit func(*kgo.Record)) error {
	client, err := s.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		// Errors are those of a broker that was killed; the client goes on.
		client.PollFetches(ctx).EachRecord(visit)
	}
	return nil
}

// readAll reads what is committed in a topic now.
func (s *Stream) readAll(ctx context.Context, topic string, visit func(*kgo.Record)) error {
	return cluster.ReadAll(ctx, cluster.Config{Brokers: []string{s.Brokers}}, topic, func(r *kgo.Record) error {
		visit(r)
		return nil
	})
}

// take gives a sample to an audit, as the batch would have made it.
func (s *Stream) take(a *Audit, r *kgo.Record) {
	value, err := s.schemas.sample(r.Value)
	if err != nil {
		value = r.Value // which differs
	}
	a.Take(s.Input.key(string(r.Key), s.stageOf(value)), string(value))
}

// stageOf is the stage of a sample as the batch would have made it; empty if it is none.
func (s *Stream) stageOf(value []byte) string {
	if s.Input.stages == 0 {
		return ""
	}
	codec, err := s.Input.schema.Codec()
	if err != nil {
		return ""
	}
	native, _, err := codec.NativeFromBinary(value)
	if err != nil {
		return ""
	}
	stage, _ := native.(map[string]any)["stage"].(string)
	return stage
}
