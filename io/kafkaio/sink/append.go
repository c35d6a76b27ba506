package sink

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// Appender writes records to a topic beside those of groups, each transaction whole or not at all. No commit log tells of them: who appends
// again finds out from the topic what is there. Not for concurrent use.
type Appender struct {
	w        Config
	producer *producer
}

// OpenAppender opens the one that may write by a transactional id, "<job>-<name>": it fences off any before it, and ends what that has left
// open. So nothing is appended any more behind what the topic holds when it returns, but by itself. Close closes it.
func OpenAppender(ctx context.Context, w Config, name string) (*Appender, error) {
	w = w.withDefaults()
	if err := w.ValidateTopic(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, w.TransactionTimeout+openingTime)
	defer cancel()
	asking, err := w.Cluster.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer asking.Close()
	largest, _, err := cluster.TopicSettings(ctx, kadm.NewClient(asking), w.Topic)
	if err != nil {
		return nil, err
	}
	opts, err := w.Cluster.Options()
	if err != nil {
		return nil, err
	}
	id := w.Job + "-" + name
	client, err := w.newProducer(opts, id, largest)
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("open producer %s: initialize: %w", id, err)
	}
	return &Appender{w: w, producer: &producer{client: client, timeout: w.TransactionTimeout, largest: largest.Of(w.Topic), forget: func() {}}}, nil
}

// Takes tells whether the topic takes a record.
func (a *Appender) Takes(r *kgo.Record) bool {
	return recordBytes(len(r.Key), len(r.Value), r.Headers) <= int64(a.producer.takes())
}

// Append writes records in one transaction, each to the partition of its key. After an error they may be there or not, and the Appender is of no
// use any more; ErrFenced says that another one has been opened.
func (a *Appender) Append(ctx context.Context, records []*kgo.Record) error {
	for _, r := range records {
		r.Topic = a.w.Topic
	}
	err := a.producer.transact(ctx, records)
	if err != nil && classify(err) == stepYield {
		err = fmt.Errorf("%w: %w", ErrFenced, err)
	}
	if err != nil {
		return fmt.Errorf("append to %s: %w", a.w.Topic, err)
	}
	return nil
}

// Close closes it.
func (a *Appender) Close() { a.producer.Close() }
