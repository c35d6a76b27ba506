package kafkaio

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadAll visits the committed records that a topic holds now, each partition in order.
// Records are the receiver's to keep. The error is the first of visit, with the record's place,
// or that of a topic that is not there or not reachable.
func ReadAll(ctx context.Context, c Cluster, topic string, visit func(*kgo.Record) error) error {
	fail := func(err error) error { return fmt.Errorf("%s: %w", c, err) }
	client, err := c.Connect(ctx,
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the last offset may be a marker's
	)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err = errors.Join(err, starts.Error()); err != nil {
		return fail(err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err = errors.Join(err, ends.Error()); err != nil {
		return fail(err)
	}
	left := map[int32]int64{} // by partition, the offset to read up to
	from := map[int32]kgo.Offset{}
	starts.Each(func(o kadm.ListedOffset) {
		if end, ok := ends.Lookup(topic, o.Partition); ok && o.Offset < end.Offset {
			left[o.Partition] = end.Offset
			from[o.Partition] = kgo.NewOffset().At(o.Offset)
		}
	})
	if len(left) == 0 {
		return nil
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fail(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, ok := left[r.Partition]
			if ok && r.Offset < end && !r.Attrs.IsControl() && err == nil {
				if err = visit(r); err != nil {
					err = fmt.Errorf("partition %d, offset %d: %w", r.Partition, r.Offset, err)
				}
			}
			if r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
