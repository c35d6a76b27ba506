package sink

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// Rewrite reads the committed records that a topic holds, and then writes what change returns
// for them, all of it in one transaction; none if there is nothing to write. Of w it takes
// Cluster, Topic, TransactionTimeout and Compression. visit gets the records of a partition in
// order, partitions mixed, each its to keep; the records that change returns say in which
// partition they belong.
//
// Of all that rewrite a topic with one transactional id, one at a time succeeds: each puts an end
// to those before it when it begins, and reads only then. So what is written follows from all
// that was written before under that id. Others may write to the topic meanwhile.
//
// The error is ErrFenced for one that another has put an end to: then nothing was written. After
// another error what change returned may have been written, whole, or not.
func Rewrite(ctx context.Context, w Config, id string, visit func(*kgo.Record) error, change func() ([]*kgo.Record, error)) error {
	fail := func(err error) error {
		if classify(err) == stepYield {
			err = fmt.Errorf("%w: %w", ErrFenced, err)
		}
		return fmt.Errorf("rewrite %s: %w", w.Topic, err)
	}
	if err := w.ValidateTopic(); err != nil {
		return fail(err)
	}
	w = w.withDefaults()
	asking, err := w.Cluster.Connect(ctx)
	if err != nil {
		return fail(err)
	}
	defer asking.Close()
	largest, _, err := cluster.TopicSettings(ctx, kadm.NewClient(asking), w.Topic)
	if err != nil {
		return fail(err)
	}
	opts, err := w.Cluster.Options()
	if err != nil {
		return fail(err)
	}
	client, err := kgo.NewClient(append(slices.Clone(opts),
		kgo.TransactionalID(id),
		kgo.TransactionTimeout(w.TransactionTimeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[w.Compression]),
		kgo.ProducerBatchMaxBytesFn(largest.Of),
		kgo.MaxBufferedRecords(1<<20),
		kgo.RetryTimeout(w.TransactionTimeout),
		kgo.AlwaysRetryEOF(),
		kgo.DisableClientMetrics(),
	)...)
	if err != nil {
		return fail(err)
	}
	p := &producer{client: client, timeout: w.TransactionTimeout, largest: largest.Of(w.Topic), forget: func() {}}
	defer p.Close()
	if _, _, err := client.ProducerID(ctx); err != nil {
		return fail(fmt.Errorf("initialize %s: %w", id, err))
	}
	due, err := cluster.Ends(ctx, asking, w.Topic)
	if err != nil {
		return fail(err)
	}
	if err := cluster.ReadTo(ctx, opts, w.Topic, due, func(r *kgo.Record) (bool, error) { return false, visit(r) }); err != nil {
		return fail(err)
	}
	records, err := change()
	if err != nil || len(records) == 0 {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return fail(err)
	}
	for _, r := range records {
		r.Topic = w.Topic
	}
	if err := p.transact(ctx, records); err != nil {
		return fail(err)
	}
	return nil
}
