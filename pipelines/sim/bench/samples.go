package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// decoder reads the view's id and the label of a sample, and the view's event time in ms.
type decoder func(value []byte) (id []byte, ms int64, positive bool, err error)

var errSample = errors.New("sample is cut short")

// decodeOurs reads the head of our samples: view_id, view_time, positive.
func decodeOurs(value []byte) ([]byte, int64, bool, error) {
	id, rest, err := cutText(value)
	if err != nil {
		return nil, 0, false, err
	}
	ms, rest, err := cutLong(rest)
	if err != nil || len(rest) == 0 {
		return nil, 0, false, errSample
	}
	return id, ms, rest[0] == 1, nil
}

// decodeControl reads the samples of the control: view_id, user_id, post_id and ts stand
// first, the label last.
func decodeControl(value []byte) ([]byte, int64, bool, error) {
	id, rest, err := cutText(value)
	if err != nil {
		return nil, 0, false, err
	}
	var ms int64
	for range 3 {
		if ms, rest, err = cutLong(rest); err != nil {
			return nil, 0, false, err
		}
	}
	return id, ms, value[len(value)-1] == 1, nil
}

func cutText(b []byte) (text, rest []byte, err error) {
	size, rest, err := cutLong(b)
	if err != nil || size < 0 || size > int64(len(rest)) {
		return nil, nil, errSample
	}
	return rest[:size], rest[size:], nil
}

func cutLong(b []byte) (v int64, rest []byte, err error) {
	v, n := binary.Varint(b)
	if n <= 0 {
		return 0, nil, errSample
	}
	return v, b[n:], nil
}

// readable is how many records of a topic a reader of committed records has had the
// chance to see; transactions' markers count, too.
func (b *broker) readable(ctx context.Context, topic string) (int64, error) {
	offsets, err := b.admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = offsets.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("end of topic %s: %w", topic, err)
	}
	sum := int64(0)
	for _, o := range offsets[topic] {
		sum += max(0, o.Offset)
	}
	return sum, nil
}

// follow hands over the samples of a topic as they become readable, with the moment at which
// they did, until the context ends.
func (b *broker) follow(ctx context.Context, topic string, decode decoder, visit func(at time.Time, ms int64, positive bool)) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		at := time.Now()
		if ctx.Err() != nil {
			return nil // it reads until it is told to stop
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read samples of %s: %w", topic, err)
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			_, ms, positive, err := decode(r.Value)
			if err != nil {
				return fmt.Errorf("sample at %s/%d@%d: %w", topic, r.Partition, r.Offset, err)
			}
			visit(at, ms, positive)
		}
	}
}

// verifyWithin is how long samples are read that are all there.
const verifyWithin = 2 * time.Minute

// verify reads all samples and holds them against the truth: each view once, with its label.
func (b *broker) verify(ctx context.Context, topic string, decode decoder, want truth) error {
	ctx, cancel := context.WithTimeout(ctx, verifyWithin)
	defer cancel()
	var sum uint64
	count := int64(0)
	err := cluster.ReadAll(ctx, cluster.Config{Brokers: []string{b.address}}, topic, func(r *kgo.Record) error {
		id, _, positive, err := decode(r.Value)
		sum += digest(id, positive)
		count++
		return err
	})
	if err != nil {
		return fmt.Errorf("read samples of %s: %w", topic, err)
	}
	if count != want.views || sum != want.digest {
		return fmt.Errorf("%s: its %d samples are not those of the %d views", topic, count, want.views)
	}
	return nil
}
