package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
)

// kafka opens producers for the shards of one job.
type kafka struct {
	w *Config
	// opts reach the cluster.
	opts []kgo.Opt

	mu sync.Mutex
	// limits are set once the topics were found to be fit.
	limits cluster.Limits
}

// openingTime bounds the opening of a producer beyond a transaction's timeout: the old
// transaction of the shard ends at once, but one of another producer in the commit log
// partition may last that long.
const openingTime = 30 * time.Second

// open implements opener.
func (k *kafka) open(ctx context.Context, shard int32) (transactor, *commitlog.Log, error) {
	ctx, cancel := context.WithTimeout(ctx, k.w.TransactionTimeout+openingTime)
	defer cancel()
	stop := cluster.LogWaiting(ctx, "%s: waiting to open the producer %s and to read its commit log %s", k.w.Cluster, transactionalID(k.w.Job, shard), k.w.CommitLog)
	defer stop()
	largest, err := k.check(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, err := k.w.newProducer(k.opts, transactionalID(k.w.Job, shard), largest)
	if err != nil {
		return nil, nil, err
	}
	shardLog, err := k.recover(ctx, client, shard)
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return &producer{client: client, timeout: k.w.TransactionTimeout, largest: largest.Of(k.w.Topic), forget: k.forget}, shardLog, nil
}

// newProducer makes the client of a transactional producer.
func (w *Config) newProducer(opts []kgo.Opt, id string, largest cluster.Limits) (*kgo.Client, error) {
	client, err := kgo.NewClient(append(slices.Clone(opts),
		kgo.TransactionalID(id),
		kgo.TransactionTimeout(w.TransactionTimeout),
		kgo.RecordPartitioner(partitioner{commitLog: w.CommitLog}),
		kgo.ProducerBatchCompression(codecs[w.Compression]),
		kgo.ProducerBatchMaxBytesFn(largest.Of),
		// The records are in memory anyway.
		kgo.MaxBufferedRecords(1<<20),
		// What has not worked by then is void: the broker aborts the transaction. For records
		// produce sees to it, because the client's own timeout for them counts from their
		// timestamps, and these may be old.
		kgo.RetryTimeout(w.TransactionTimeout),
		// Sooner than the usual 5 s to see where a moved or a new partition is.
		kgo.MetadataMinAge(500*time.Millisecond),
		// A broker that dies takes its connections along; idempotence makes pressing on safe.
		kgo.AlwaysRetryEOF(),
		kgo.DisableClientMetrics(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", commitlog.ErrUnfit, err)
	}
	return client, nil
}

// recover fences off the shard's earlier producers and then reads its commit log, in this
// order: whatever they committed is there by then, and nothing can be added. What is left
// of a job that was recovered must not fence off the new one, and looks first.
func (k *kafka) recover(ctx context.Context, client *kgo.Client, shard int32) (*commitlog.Log, error) {
	if h, err := k.committedHeader(ctx, shard); err != nil {
		return nil, err
	} else if h != nil {
		if err := h.Since(k.w.Header()); err != nil {
			return nil, err
		}
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		return nil, fmt.Errorf("initialize: %w", err)
	}
	logs, err := commitlog.ReadShards(ctx, k.opts, k.w.CommitLog, []int32{shard}, k.w.Job)
	if err != nil {
		return nil, err
	}
	shardLog := logs[shard]
	if len(shardLog.Entries) == 0 && !k.w.NewCommitLog {
		if err := checkNotLost(ctx, client, k.opts, k.w); err != nil {
			return nil, err
		}
	}
	if shardLog.Header != nil {
		if err := shardLog.Header.Since(k.w.Header()); err != nil {
			return nil, err
		}
	}
	if shardLog.Header == nil {
		// A shard that has written nothing yet is bound by what the others have.
		shardLog.Header, err = k.anyHeader(ctx)
	}
	return shardLog, err
}

// committedHeader returns the header that a shard's commit log has up to the last stable offset, nil
// if there is none: it does not wait for open transactions, because it is for the caller to
// end them.
func (k *kafka) committedHeader(ctx context.Context, shard int32) (*commitlog.Header, error) {
	client, err := kgo.NewClient(k.opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", commitlog.ErrUnfit, err)
	}
	defer client.Close()
	due, err := cluster.StableEnds(ctx, client, k.w.CommitLog)
	if err != nil {
		return nil, err
	}
	l := commitlog.NewLog()
	maps.DeleteFunc(due, func(p int32, _ int64) bool { return p != shard })
	err = cluster.ReadTo(ctx, k.opts, k.w.CommitLog, due, func(r *kgo.Record) (bool, error) {
		_, err := l.TakeState(string(r.Key), r.Value, k.w.Job)
		return false, err
	})
	return l.Header, err
}

// anyHeader returns the header of any shard, nil if there is none.
func (k *kafka) anyHeader(ctx context.Context) (*commitlog.Header, error) {
	client, err := kgo.NewClient(k.opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", commitlog.ErrUnfit, err)
	}
	defer client.Close()
	logs, err := commitlog.ReadEach(ctx, client, k.opts, k.w.CommitLog, k.w.Job)
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		if l.Header != nil {
			l.Header.Kept = nil // of that shard
			return l.Header, nil
		}
	}
	return nil, nil
}

// check sees whether the topics are fit, until they once were. Shards may do so at the same
// time: a cluster can take its time to answer.
func (k *kafka) check(ctx context.Context) (cluster.Limits, error) {
	k.mu.Lock()
	known := k.limits
	k.mu.Unlock()
	if known != nil {
		return known, nil
	}
	client, err := k.w.Cluster.ConnectWith(ctx, k.opts)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found, err := checkTopics(ctx, client, k.opts, k.w)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.limits = found
	return found, nil
}

// forget makes the next opening look at the topics again.
func (k *kafka) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.limits = nil
}

// partitioner puts commit log records where they say and others by their key, as Java does.
type partitioner struct{ commitLog string }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if topic == p.commitLog {
		return kgo.ManualPartitioner().ForTopic(topic)
	}
	return kgo.StickyKeyPartitioner(nil).ForTopic(topic)
}

// producer implements transactor. No transaction is open outside transact.
type producer struct {
	client  *kgo.Client
	timeout time.Duration
	// largest is what the output topic takes at most, as far as is known; forget is called
	// when it turns out to take less.
	largest int32
	forget  func()
}

func (p *producer) takes() int32 { return p.largest }

// abortTime bounds the attempt to abort: the transaction's timeout, or the next opening,
// does it otherwise.
const abortTime = 5 * time.Second

var errIncomplete = errors.New("not every record was acknowledged")

func (p *producer) transact(ctx context.Context, records []*kgo.Record) error {
	if err := p.client.BeginTransaction(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := p.produce(ctx, records); err != nil {
		p.abort(ctx)
		return err
	}
	// Its context is never cancelled: that would leave the outcome open for nothing.
	if err := p.client.EndTransaction(context.WithoutCancel(ctx), kgo.TryCommit); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// produce returns nil if the brokers have acknowledged each record. A commit would succeed
// without that too, and commit those that were.
func (p *producer) produce(ctx context.Context, records []*kgo.Record) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var (
		acknowledged atomic.Int64
		mu           sync.Mutex
		first        error
	)
	for _, r := range records {
		p.client.Produce(ctx, r, func(r *kgo.Record, err error) {
			if err == nil {
				acknowledged.Add(1)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = fmt.Errorf("produce to %s/%d, key %q, %d bytes: %w", r.Topic, r.Partition, r.Key, len(r.Value), err)
			}
		})
	}
	err := p.client.Flush(ctx)
	mu.Lock()
	defer mu.Unlock()
	switch got, want := acknowledged.Load(), int64(len(records)); {
	case errors.Is(first, kerr.MessageTooLarge), errors.Is(first, kerr.RecordListTooLarge):
		p.forget()
		return first
	case first != nil:
		return first
	case err != nil:
		return fmt.Errorf("flush: %w", err)
	case got != want:
		return fmt.Errorf("%w: %d of %d", errIncomplete, got, want)
	}
	return nil
}

// abort frees the readers of the partitions at once. Whether it works does not matter to
// the outcome, and its nil would not even mean that nothing was committed.
func (p *producer) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	if p.client.AbortBufferedRecords(ctx) == nil {
		_ = p.client.EndTransaction(ctx, kgo.TryAbort)
	}
}

func (p *producer) Close() { p.client.Close() }
