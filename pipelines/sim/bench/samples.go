package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// head is what the benchmark looks at of a sample.
type head struct {
	id       []byte
	ms       int64 // event time of the view
	positive bool
	// stage and version are those of a sample of a join in stages.
	stage   string
	version int64
}

// decoder reads the head of a sample.
type decoder func(value []byte) (head, error)

var errSample = errors.New("sample is cut short")

// decodeOurs reads our samples: view_id, view_time and positive stand first.
func decodeOurs(value []byte) (head, error) {
	h, _, err := cutOurs(value)
	return h, err
}

func cutOurs(value []byte) (h head, rest []byte, err error) {
	if h.id, rest, err = cutText(value); err != nil {
		return head{}, nil, err
	}
	if h.ms, rest, err = cutLong(rest); err != nil || len(rest) == 0 {
		return head{}, nil, errSample
	}
	h.positive = rest[0] == 1
	return h, rest[1:], nil
}

// decodeStaged reads our samples of a join in stages, of one binary label.
func decodeStaged(value []byte) (head, error) {
	h, rest, err := cutOurs(value)
	if err != nil {
		return head{}, err
	}
	var delayed int64
	if _, rest, err = cutLong(rest); err == nil { // the label
		delayed, rest, err = cutLong(rest)
	}
	if err == nil && delayed != 0 {
		_, rest, err = cutLong(rest)
	}
	if err == nil {
		_, rest, err = cutLong(rest) // the maturity
	}
	const rateAndWeight = 8 + 8
	if err != nil || len(rest) < rateAndWeight {
		return head{}, errSample
	}
	var stage []byte
	if _, rest, err = cutLong(rest[rateAndWeight:]); err == nil { // the version of the spec
		stage, rest, err = cutText(rest)
	}
	if err == nil {
		h.version, _, err = cutLong(rest)
	}
	h.stage = string(stage)
	return h, err
}

// decodeCopy takes an event as it is.
func decodeCopy(value []byte) (head, error) { return head{id: value}, nil }

// decodeControl reads the samples of a control: view_id, user_id, post_id and ts stand
// first, the label last.
func decodeControl(value []byte) (h head, err error) {
	var rest []byte
	if h.id, rest, err = cutText(value); err != nil {
		return head{}, err
	}
	for range 3 {
		if h.ms, rest, err = cutLong(rest); err != nil {
			return head{}, err
		}
	}
	h.positive = value[len(value)-1] == 1
	return h, nil
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
	if kerr.IsRetriable(err) {
		return 0, nil // of a topic that was just created, no partition may have a leader yet
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
func (b *broker) follow(ctx context.Context, topic string, decode decoder, visit func(at time.Time, h head)) error {
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
			h, err := decode(r.Value)
			if err != nil {
				return fmt.Errorf("sample at %s/%d@%d: %w", topic, r.Partition, r.Offset, err)
			}
			visit(at, h)
		}
	}
}

// verifyWithin is how long samples are read that are all there.
const verifyWithin = 2 * time.Minute

// verify reads all samples and holds them against the truth: each view once, with its label.
func (b *broker) verify(ctx context.Context, topic string, decode decoder, want outcome) error {
	ctx, cancel := context.WithTimeout(ctx, verifyWithin)
	defer cancel()
	var got tally
	err := cluster.ReadAll(ctx, cluster.Config{Brokers: []string{b.address}}, topic, func(r *kgo.Record) error {
		h, err := decode(r.Value)
		if err == nil {
			err = got.add(h)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read samples of %s: %w", topic, err)
	}
	if got.outcome != want {
		return fmt.Errorf("%s: its %d records are not those that there must be, %d", topic, got.records, want.records)
	}
	return nil
}

// tally adds samples up. Of a view that has several, the newest version counts.
type tally struct {
	outcome
	// newest is what was said last of each view, by a hash of its id, in a join in stages.
	newest map[uint64]said
}

type said struct {
	version  int64
	positive bool
}

// add counts a sample. Versions of a view must rise.
func (t *tally) add(h head) error {
	if h.stage != "" {
		id, now := digest(h.id, false), said{h.version, h.positive}
		if before, seen := t.newest[id]; seen {
			if before.version >= h.version {
				return fmt.Errorf("version %d of view %s comes behind version %d", h.version, h.id, before.version)
			}
			t.digest += digest(h.id, h.positive) - digest(h.id, before.positive)
			t.newest[id] = now
			return nil
		}
		if t.newest == nil {
			t.newest = map[uint64]said{}
		}
		t.newest[id] = now
	}
	t.records++
	t.digest += digest(h.id, h.positive)
	return nil
}
