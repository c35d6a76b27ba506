package demo

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/spec"
)

// watch reads what the join writes, as any consumer of committed records would.
type watch struct {
	client  *kgo.Client
	samples string
	topics  []string
	// read is told after each poll, done closed once all is read.
	read, done chan struct{}

	mu    sync.Mutex
	tally *tally
	next  map[cluster.Partition]int64 // offsets
	// fresh are samples that nobody has looked at yet: the first of either sort.
	freshPositive, freshNegative *arrived
}

func newWatch(ctx context.Context, brokers cluster.Config, s *spec.Spec, sampleSchema string, truth *truth) (*watch, error) {
	t, err := newTally(s, sampleSchema, truth)
	if err != nil {
		return nil, err
	}
	o := &s.Outputs
	w := &watch{
		tally: t, samples: o.Samples.Topic, topics: []string{o.Samples.Topic, o.Topics.Late, o.Topics.DeadLetters, o.Topics.Orphans},
		read: make(chan struct{}, 1), done: make(chan struct{}), next: map[cluster.Partition]int64{},
	}
	w.client, err = brokers.Connect(ctx, kgo.ConsumeTopics(w.topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The markers of transactions tell that the end of a log is reached.
		kgo.KeepControlRecords())
	return w, err
}

func (w *watch) close() { w.client.Close() }

// follow reads until the context ends, or finish has seen it all and closes the client.
func (w *watch) follow(ctx context.Context) error {
	for {
		fetches := w.client.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read the join's outputs: %w", err)
		}
		if err := w.take(fetches); err != nil {
			return fmt.Errorf("read the join's outputs: %w", err)
		}
		select {
		case w.read <- struct{}{}:
		default: // it has been told
		}
	}
}

func (w *watch) take(fetches kgo.Fetches) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fetches.EachRecord(func(r *kgo.Record) {
		w.next[cluster.Partition{Topic: r.Topic, Partition: r.Partition}] = r.Offset + 1
		if r.Attrs.IsControl() || err != nil {
			return
		}
		if err = w.record(r); err != nil {
			err = fmt.Errorf("%s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
		}
	})
	return err
}

func (w *watch) record(r *kgo.Record) error {
	if r.Topic != w.samples {
		return w.tally.reject(r.Key, r.Value)
	}
	a, err := w.tally.sample(r.Value)
	if err != nil {
		return err
	}
	if fresh := w.fresh(a.Positive); *fresh == nil {
		*fresh = a
	}
	return nil
}

func (w *watch) fresh(positive bool) **arrived {
	if positive {
		return &w.freshPositive
	}
	return &w.freshNegative
}

// look returns a sample that came since the last look, nil if none did.
func (w *watch) look(positive bool) *arrived {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := *w.fresh(positive)
	w.freshPositive, w.freshNegative = nil, nil
	return a
}

// finish waits until all is read that the topics hold now, and ends follow.
func (w *watch) finish(ctx context.Context) error {
	ends := map[cluster.Partition]int64{}
	for _, topic := range w.topics {
		found, err := cluster.Ends(ctx, w.client, topic)
		if err != nil {
			return err
		}
		for partition, end := range found {
			ends[cluster.Partition{Topic: topic, Partition: partition}] = end
		}
	}
	for !w.reached(ends) {
		select {
		case <-w.read:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	close(w.done)
	w.client.Close()
	return nil
}

func (w *watch) reached(ends map[cluster.Partition]int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p, end := range ends {
		if w.next[p] < end {
			return false
		}
	}
	return true
}
