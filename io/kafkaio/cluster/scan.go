package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadAll visits the committed records that a topic holds now, each partition in order,
// partitions mixed. Transactions that are open now are waited for. Records are the receiver's
// to keep. The error is the first of visit, with the record's place, or that of a topic that
// is not there or not reachable.
func ReadAll(ctx context.Context, c Config, topic string, visit func(*kgo.Record) error) error {
	opts, err := c.Options()
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	client, err := c.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := Ends(ctx, client, topic)
	if err == nil {
		err = ReadTo(ctx, opts, topic, ends, func(r *kgo.Record) (bool, error) { return false, visit(r) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

// Ends returns the end of the log of every partition of a topic that holds anything: the
// offset after the last record there is, committed or not.
func Ends(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	admin := kadm.NewClient(client)
	return filled(ctx, topic, admin, admin.ListEndOffsets)
}

// StableEnds is Ends up to the last stable offset: open transactions are not waited for.
func StableEnds(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	admin := kadm.NewClient(client)
	return filled(ctx, topic, admin, admin.ListCommittedOffsets)
}

// filled returns the listed ends of the partitions that hold anything before them.
func filled(ctx context.Context, topic string, admin *kadm.Client, listEnds func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
	starts, err := ListOffsets(ctx, topic, admin.ListStartOffsets)
	if err != nil {
		return nil, err
	}
	ends, err := ListOffsets(ctx, topic, listEnds)
	if err != nil {
		return nil, err
	}
	return Filled(starts, ends), nil
}

// ReadTo reads the committed records of a topic's partitions from their start up to the
// offsets in due, which it uses up, and calls visit for each, partitions mixed, until visit
// says stop. It waits for transactions that are open below those offsets.
func ReadTo(ctx context.Context, opts []kgo.Opt, topic string, due map[int32]int64, visit func(*kgo.Record) (stop bool, err error)) error {
	if len(due) == 0 {
		return nil
	}
	from := map[int32]kgo.Offset{}
	for p := range due {
		from[p] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(append(slices.Clone(opts),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The last thing before an end is usually the marker of a transaction's end.
		kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return fmt.Errorf("read %s: %w", topic, err)
	}
	defer client.Close()
	for len(due) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return stalled(ctx, client, topic, due, err)
		}
		var failed error
		fetches.EachError(func(_ string, p int32, err error) {
			failed = errors.Join(failed, fmt.Errorf("read %s/%d: %w", topic, p, err))
		})
		if failed != nil {
			return failed
		}
		for r := range fetches.RecordsAll() {
			end, ok := due[r.Partition]
			if !ok {
				continue
			}
			if r.Offset < end && !r.Attrs.IsControl() {
				if stop, err := visit(r); err != nil {
					return fmt.Errorf("read %s/%d@%d: %w", topic, r.Partition, r.Offset, err)
				} else if stop {
					return nil
				}
			}
			if r.Offset+1 >= end {
				delete(due, r.Partition)
			}
		}
	}
	return nil
}

// Filled returns the ends of the partitions that have something between start and end.
func Filled(starts, ends map[int32]int64) map[int32]int64 {
	due := map[int32]int64{}
	for p, end := range ends {
		if end > starts[p] {
			due[p] = end
		}
	}
	return due
}

// ListOffsets returns offsets by partition of one topic.
func ListOffsets(ctx context.Context, topic string, list func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
	listed, err := list(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("list offsets of %s: %w", topic, err)
	}
	offsets := map[int32]int64{}
	for p, o := range listed[topic] {
		offsets[p] = o.Offset
	}
	return offsets, nil
}

// stalled adds to the error of a reading that did not come to its end what it waited for.
func stalled(ctx context.Context, client *kgo.Client, topic string, due map[int32]int64, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second) // only to say more
	defer cancel()
	stable, listErr := ListOffsets(ctx, topic, kadm.NewClient(client).ListCommittedOffsets)
	var waits []string
	for p, end := range due {
		switch at, ok := stable[p]; {
		case listErr != nil || !ok:
			waits = append(waits, fmt.Sprintf("partition %d up to %d", p, end))
		case at < end:
			waits = append(waits, fmt.Sprintf("partition %d up to %d, where a transaction of another producer is open from %d on", p, end, at))
		default:
			waits = append(waits, fmt.Sprintf("partition %d up to %d, all of it committed", p, end))
		}
	}
	slices.Sort(waits)
	return fmt.Errorf("read %s: waited for %s: %w", topic, strings.Join(waits, "; "), err)
}
