package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadAll visits the committed records that a topic holds now, each partition in order,
// partitions mixed. Transactions that are open now are waited for. Records are the receiver's
// to keep. The error is the first of visit, with the record's place, or that of a topic that
// is not there or not reachable.
func ReadAll(ctx context.Context, c Config, topic string, visit func(*kgo.Record) error) error {
	return read(ctx, c, topic, Ends, ReadTo, visit)
}

// Forever is a wait without an end.
const Forever time.Duration = -1

// ReadWithin is ReadAll that waits for open transactions no longer than that. What still lies behind one then is left out, and held is true.
func ReadWithin(ctx context.Context, c Config, topic string, wait time.Duration, visit func(*kgo.Record) error) (held bool, err error) {
	if wait == Forever {
		return false, ReadAll(ctx, c, topic, visit)
	}
	err = read(ctx, c, topic, func(ctx context.Context, client *kgo.Client, topic string) (due map[int32]int64, err error) {
		due, held, err = settled(ctx, client, topic, wait)
		return due, err
	}, ReadTo, visit)
	return held, err
}

// settleEvery is how often it is looked whether a transaction has ended.
const settleEvery = 200 * time.Millisecond

// settled waits until all that a topic holds now is in no open transaction, no longer than that. It returns the ends of what is not, and
// whether something is left out.
func settled(ctx context.Context, client *kgo.Client, topic string, wait time.Duration) (due map[int32]int64, held bool, err error) {
	ends, err := Ends(ctx, client, topic)
	if err != nil {
		return nil, false, err
	}
	for deadline := time.Now().Add(wait); ; {
		stable, err := StableEnds(ctx, client, topic)
		if err != nil {
			return nil, false, err
		}
		due, held = map[int32]int64{}, false
		for p, end := range ends {
			held = held || stable[p] < end
			if to := min(end, stable[p]); to > 0 {
				due[p] = to
			}
		}
		if !held || !time.Now().Before(deadline) {
			return due, held, nil
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(settleEvery):
		}
	}
}

// endsOf is how far a topic is read: what is before the offsets, by partition.
type endsOf func(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error)

// read visits the records before the ends of a topic by a reading like ReadTo.
func read(ctx context.Context, c Config, topic string, upTo endsOf, by reading, visit func(*kgo.Record) error) error {
	opts, err := c.Options()
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	client, err := c.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := upTo(ctx, client, topic)
	if err == nil {
		err = by(ctx, opts, topic, ends, func(r *kgo.Record) (bool, error) { return false, visit(r) })
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
	return readTo(ctx, opts, kgo.ReadCommitted(), topic, due, func(r *kgo.Record) (bool, error) {
		if r.Attrs.IsControl() {
			return false, nil
		}
		return visit(r)
	})
}

// ReadLog visits the records that the log of a topic holds now, each partition in order, partitions mixed: those of transactions
// that were aborted or are open as well, and the control records that end transactions. It waits for nobody. Records are the
// receiver's to keep; errors are those of ReadAll.
func ReadLog(ctx context.Context, c Config, topic string, visit func(*kgo.Record) error) error {
	return read(ctx, c, topic, Ends, readUncommitted, visit)
}

// reading reads up to the offsets in due, as ReadTo does.
type reading func(ctx context.Context, opts []kgo.Opt, topic string, due map[int32]int64, visit func(*kgo.Record) (stop bool, err error)) error

// readUncommitted is ReadTo for all that is in the log, control records too.
func readUncommitted(ctx context.Context, opts []kgo.Opt, topic string, due map[int32]int64, visit func(*kgo.Record) (stop bool, err error)) error {
	return readTo(ctx, opts, kgo.ReadUncommitted(), topic, due, visit)
}

// readTo is ReadTo for records that are committed or not; visit is given control records, too.
func readTo(ctx context.Context, opts []kgo.Opt, isolation kgo.IsolationLevel, topic string, due map[int32]int64, visit func(*kgo.Record) (stop bool, err error)) error {
	if len(due) == 0 {
		return nil
	}
	from := map[int32]kgo.Offset{}
	for p := range due {
		from[p] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(append(slices.Clone(opts),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(isolation),
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
			if r.Offset < end {
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
