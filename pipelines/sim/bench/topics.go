package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// broker makes and fills topics.
type broker struct {
	address string
	client  *kgo.Client
	admin   *kadm.Client
}

func openBroker(address string) (*broker, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		return nil, err
	}
	return &broker{address: address, client: client, admin: kadm.NewClient(client)}, nil
}

func (b *broker) create(ctx context.Context, topics ...string) error {
	for _, topic := range topics {
		if _, err := b.admin.CreateTopic(ctx, partitions, 1, nil, topic); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", topic, err)
		}
	}
	return nil
}

// remove deletes a topic that has been measured: the disk may be small.
func (b *broker) remove(ctx context.Context, topic string) error {
	_, err := b.admin.DeleteTopic(ctx, topic)
	if err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	return nil
}

// topicPair is where events are read from.
type topicPair struct{ views, engagements string }

func (p topicPair) of(e event) string {
	if e.view {
		return p.views
	}
	return p.engagements
}

// publisher sends events and knows the first error.
type publisher struct {
	b  *broker
	to topicPair

	mu  sync.Mutex
	err error
}

func (p *publisher) send(ctx context.Context, e event) {
	p.b.client.Produce(ctx, &kgo.Record{Topic: p.to.of(e), Partition: e.partition, Value: e.value}, func(_ *kgo.Record, err error) {
		if err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.err = errors.Join(p.err, err)
		}
	})
}

func (p *publisher) flush(ctx context.Context) error {
	err := p.b.client.Flush(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err = errors.Join(err, p.err); err != nil {
		return fmt.Errorf("publish to %s and %s: %w", p.to.views, p.to.engagements, err)
	}
	return nil
}

// publish fills a pair of topics with the first events of t, and returns what a join of each
// number of them must give; cuts ascend.
func (b *broker) publish(ctx context.Context, to topicPair, t *traffic, cuts ...int64) ([]truth, error) {
	if err := b.create(ctx, to.views, to.engagements); err != nil {
		return nil, err
	}
	p := &publisher{b: b, to: to}
	var truths []truth
	var so truth
	for _, cut := range cuts {
		for so.events() < cut {
			e := t.next()
			so.add(e)
			p.send(ctx, e)
		}
		truths = append(truths, so)
	}
	return truths, p.flush(ctx)
}

// closeLog adds to each partition what closes all windows before a time: two records of it, since one alone is not believed.
// A join gives nothing of them: their own windows stay open.
func (b *broker) closeLog(ctx context.Context, of topicPair, ms int64) error {
	p := &publisher{b: b, to: of}
	t := newTraffic(time.UnixMilli(ms), 1, logWindow)
	for partition := range int32(partitions) {
		for range 2 {
			view := t.view(ms)
			like := t.engagement(view)
			view.partition, like.partition = partition, partition
			p.send(ctx, view)
			p.send(ctx, like)
		}
	}
	return p.flush(ctx)
}
