package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/pool"
)

// What is counted of producers.
var (
	opened        = beam.NewCounter("kafkaio", "producers_opened")
	retries       = beam.NewCounter("kafkaio", "transactions_retried")
	fencedWriters = beam.NewCounter("kafkaio", "writers_fenced")
)

// restTime is after how long without work a producer is closed: each holds two or more
// connections to every broker.
const restTime = 5 * time.Minute

// writerKey names the writer of a shard among all of a process: writing is its Config as JSON.
type writerKey struct {
	writing string
	shard   int32
}

// writerPool keeps writers between bundles, because to open one costs several round trips. Of a
// shard there is one: two would fence each other off.
type writerPool = pool.Pool[writerKey, *shardWriter]

// shared are those of this process.
var shared = newWriterPool()

func newWriterPool() *writerPool {
	return &writerPool{Idle: restTime, Close: (*shardWriter).drop, Single: true}
}

// Writers are the writers of the shards of one job.
type Writers struct {
	w       *Config
	writing string
	open    opener
	pool    *writerPool
}

// NewWriters returns the writers of a job among those of this process.
func NewWriters(w Config) (*Writers, error) {
	opts, err := w.Cluster.Options()
	if err != nil {
		return nil, fmt.Errorf("writers of %s: %w", w.Job, err)
	}
	return newWriters(w.withDefaults(), opts, shared)
}

// newWriters returns the writers of a job among those of a pool.
func newWriters(w Config, opts []kgo.Opt, of *writerPool) (*Writers, error) {
	writing, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("writers of %s: %w", w.Job, err)
	}
	k := &kafka{w: &w, opts: opts}
	return &Writers{w: &w, writing: string(writing), open: k.open, pool: of}, nil
}

// write commits groups of a shard, see shardWriter.write.
func (j *Writers) write(ctx context.Context, shard int32, groups []*group) (acks []commitlog.Committed, err error) {
	err = j.use(ctx, shard, func(s *shardWriter) error {
		acks, err = s.write(ctx, groups)
		return err
	})
	if errors.Is(err, ErrFenced) {
		// The runner has placed shards anew, so other producers here are fenced too, most
		// likely. Each would fail a bundle before it is opened again.
		fencedWriters.Inc(ctx, 1)
		j.CloseIdle()
	}
	return acks, err
}

// use does something with the writer of a shard, which is nobody else's meanwhile.
func (j *Writers) use(ctx context.Context, shard int32, do func(*shardWriter) error) error {
	key := writerKey{j.writing, shard}
	s, err := j.pool.Take(ctx, key, func() (*shardWriter, error) {
		return &shardWriter{w: j.w, shard: shard, open: j.open, pause: firstPause}, nil
	})
	if err != nil {
		return fmt.Errorf("write to %s, shard %d: another bundle is writing: %w", j.w.Topic, shard, err)
	}
	defer j.pool.Give(key, s)
	return do(s)
}

// CloseIdle closes the job's producers that are not at work; who comes next opens them again.
func (j *Writers) CloseIdle() {
	j.pool.CloseIdle(func(k writerKey) bool { return k.writing == j.writing })
}
