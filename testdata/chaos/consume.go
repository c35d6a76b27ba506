package chaos

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio"
)

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
	client, err := s.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := kafkaio.Ends(ctx, client, topic)
	if err != nil {
		return err
	}
	for len(ends) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s up to %v: %w", topic, ends, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				visit(r)
			}
			if r.Offset+1 >= ends[r.Partition] {
				delete(ends, r.Partition)
			}
		})
	}
	return nil
}
