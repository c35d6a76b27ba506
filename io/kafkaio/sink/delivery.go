package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// Delivery sends the messages of one bundle.
type Delivery struct {
	w    Config
	from *senders
	// sender is from then, and used for senderFor.
	sender *sender
	then   time.Time
	open   sync.WaitGroup

	mu    sync.Mutex
	left  int // of open
	first error
}

// NewDelivery begins a bundle of messages to w.Topic. It takes Cluster, Topic, Compression and Cut of w.
func NewDelivery(w Config) *Delivery { return &Delivery{w: w, from: sharedSenders} }

// Outcome is what became of a message when it was taken.
type Outcome struct {
	// Refused, if set, is why it is left out.
	Refused *Refused
	// Cut says that some of it is missing.
	Cut bool
}

// Send begins to send a message, unless ctx has ended. It waits while as many as a client keeps wait for brokers.
func (d *Delivery) Send(ctx context.Context, m Message) (out Outcome, err error) {
	r := &kgo.Record{Key: m.Key, Value: m.Value}
	if m.TimestampMs > 0 {
		r.Timestamp = time.UnixMilli(m.TimestampMs)
	}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	if err := context.Cause(ctx); err != nil {
		return out, fmt.Errorf("write to %s: %w", d.w.Topic, err)
	}
	if now := time.Now(); d.sender == nil || now.Sub(d.then) > senderFor {
		if d.sender, err = d.from.get(ctx, d.w); err != nil {
			return out, err
		}
		d.then = now
	}
	limit := int64(d.sender.largest)
	if n := recordBytes(len(r.Key), len(r.Value), r.Headers); n > limit {
		if !d.w.Cut {
			out.Refused = &Refused{Topic: d.w.Topic, Key: r.Key, Bytes: n, Limit: limit}
			return out, nil
		}
		cut(r, limit)
		out.Cut = true
	}
	d.produce(ctx, d.sender.client, r)
	return out, nil
}

func (d *Delivery) produce(ctx context.Context, client *kgo.Client, r *kgo.Record) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	d.open.Add(1)
	d.mu.Lock()
	d.left++
	d.mu.Unlock()
	client.Produce(ctx, r, func(r *kgo.Record, err error) {
		cancel()
		d.promise(r, err)
	})
}

func (d *Delivery) promise(r *kgo.Record, err error) {
	defer d.open.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left--
	if err != nil && d.first == nil {
		d.first = fmt.Errorf("key %q, %d bytes: %w", r.Key, len(r.Value), err)
	}
}

// Wait waits until all messages were acknowledged. The error is that of the first that was not.
func (d *Delivery) Wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	stop := cluster.LogWaiting(ctx, "%s: waiting for brokers to acknowledge what was written to %s", d.w.Cluster, d.w.Topic)
	defer stop()
	err := d.wait(ctx)
	if err == nil {
		return nil
	}
	if errors.Is(err, kerr.MessageTooLarge) {
		d.from.forget(d.w.Topic) // it takes less than it did
	}
	return fmt.Errorf("write to %s: %w", d.w.Topic, err)
}

// wait waits until all messages were acknowledged or refused.
func (d *Delivery) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		d.open.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first == nil && d.left > 0 {
		return fmt.Errorf("waited for brokers to acknowledge %d records: %w", d.left, ctx.Err())
	}
	return d.first
}
