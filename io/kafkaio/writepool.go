package kafkaio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What the sink counts.
var (
	committedGroups = beam.NewCounter("kafkaio", "groups_committed")
	skippedGroups   = beam.NewCounter("kafkaio", "groups_skipped")
	correctedGroups = beam.NewCounter("kafkaio", "groups_corrected")
	writtenRecords  = beam.NewCounter("kafkaio", "records_written")
	opened          = beam.NewCounter("kafkaio", "producers_opened")
	retries         = beam.NewCounter("kafkaio", "transactions_retried")
	fencedWriters   = beam.NewCounter("kafkaio", "writers_fenced")
)

// restTime is after how long without work a producer is closed: each holds two or more
// connections to every broker.
const restTime = 5 * time.Minute

// jobWriters are the writers of the shards of one job in this process. They outlive
// bundles, because opening one costs several round trips.
type jobWriters struct {
	w    *Writing
	open opener

	mu     sync.Mutex
	users  int
	shards map[int32]*shardWriter
}

// pools are the writers of this process, by the JSON of their Writing.
var pools = struct {
	sync.Mutex
	jobs map[string]*jobWriters
}{jobs: map[string]*jobWriters{}}

// acquire returns the writers of a job; release gives them back.
func acquire(w Writing) (*jobWriters, error) {
	key, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("writers of %s: %w", w.Job, err)
	}
	opts, err := w.Cluster.Options()
	if err != nil {
		return nil, fmt.Errorf("writers of %s: %w", w.Job, err)
	}
	pools.Lock()
	defer pools.Unlock()
	for _, other := range pools.jobs {
		other.closeIdle(restTime) // runners drop a job's DoFns without a word
	}
	j, ok := pools.jobs[string(key)]
	if !ok {
		j = newJobWriters(w, opts)
		pools.jobs[string(key)] = j
	}
	j.users++
	return j, nil
}

func newJobWriters(w Writing, opts []kgo.Opt) *jobWriters {
	k := &kafka{w: &w, opts: opts}
	return &jobWriters{w: &w, open: k.open, shards: map[int32]*shardWriter{}}
}

// release closes the producers when the last user is gone; a later user opens them again.
func (j *jobWriters) release() {
	pools.Lock()
	defer pools.Unlock()
	if j.users--; j.users == 0 {
		j.closeIdle(0)
	}
}

// write commits groups of a shard, see shardWriter.write.
func (j *jobWriters) write(ctx context.Context, shard int32, groups []*group) ([]Committed, error) {
	j.closeIdle(restTime)
	acks, err := j.shard(shard).write(ctx, groups)
	if errors.Is(err, ErrFenced) {
		// The runner has placed shards anew, so other producers here are fenced too, most
		// likely. Each would fail a bundle before it is opened again.
		fencedWriters.Inc(ctx, 1)
		j.closeIdle(0)
	}
	return acks, err
}

func (j *jobWriters) shard(shard int32) *shardWriter {
	j.mu.Lock()
	defer j.mu.Unlock()
	s, ok := j.shards[shard]
	if !ok {
		s = &shardWriter{w: j.w, shard: shard, open: j.open, pause: firstPause}
		j.shards[shard] = s
	}
	return s
}

// closeIdle closes the producers that are not at work and have not been for a while.
func (j *jobWriters) closeIdle(rest time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.shards {
		if s.mu.TryLock() {
			if s.tx != nil && time.Since(s.used) >= rest {
				s.drop()
			}
			s.mu.Unlock()
		}
	}
}

// CloseWriters closes the idle producers of this process; those at work are left to finish.
// A worker calls it before it exits, so that brokers need not time out its connections.
func CloseWriters() {
	pools.Lock()
	defer pools.Unlock()
	for _, j := range pools.jobs {
		j.closeIdle(0)
	}
}
