package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/kafkaio/commitlog"
)

// FlushBytes is how much of complete groups a shard gathers before it is written though the
// bundle goes on: enough for a few full batches to every partition.
const FlushBytes = 32 << 20

// Bundle gathers what a bundle has for one shard. The zero value is empty.
type Bundle struct {
	// open are the groups whose last part has not come, by ID.
	open     map[int64]*group
	complete []*group
	bytes    int
}

// Add takes a part of a group of the shard. whole says that the group is complete with it.
func (b *Bundle) Add(p Group) (whole bool, err error) {
	g, ok := b.open[p.ID]
	if !ok {
		if b.open == nil {
			b.open = map[int64]*group{}
		}
		g = &group{id: p.ID}
		b.open[p.ID] = g
	}
	if err := g.add(p); err != nil || !p.Last {
		return false, err
	}
	delete(b.open, p.ID)
	if err := g.seal(); err != nil {
		return false, fmt.Errorf("shard %d: %w", p.Shard, err)
	}
	b.complete = append(b.complete, g)
	b.bytes += g.bytes()
	return true, nil
}

// Bytes is how large the complete groups are.
func (b *Bundle) Bytes() int { return b.bytes }

// unfinished is the error about a group whose last part has not come.
func (b *Bundle) unfinished(shard int32) error {
	for id, g := range b.open {
		return fmt.Errorf("group %d of shard %d has no last part in its bundle, %d parts came", id, shard, len(g.parts)+len(g.spare))
	}
	return nil
}

// Ack acknowledges a group. Refused are those of its records that were left out.
type Ack struct {
	commitlog.Committed
	Refused []Refused
}

// Write commits the complete groups that a bundle has for a shard, see shardWriter.write, and takes
// them out of it. The acknowledgements are in the order in which groups were completed. A context
// that has ended begins no transaction.
func (j *Writers) Write(ctx context.Context, shard int32, b *Bundle) ([]Ack, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("write to %s, shard %d: %w", j.w.Topic, shard, err)
	}
	committed, err := j.write(ctx, shard, b.complete)
	if err != nil {
		return nil, err
	}
	acks := make([]Ack, len(committed))
	for i, c := range committed {
		acks[i] = Ack{Committed: c, Refused: b.complete[i].refused}
	}
	b.complete, b.bytes = nil, 0
	return acks, nil
}

// Finish writes what a bundle has for all its shards, at once: each waits for the brokers most of
// the time. An error means that nothing is acknowledged, though some may be written.
func (j *Writers) Finish(ctx context.Context, shards map[int32]*Bundle) (map[int32][]Ack, error) {
	for _, counter := range []beam.Counter{opened, retries, fencedWriters} {
		counter.Inc(ctx, 0) // to make one is not safe for concurrent use, to count is
	}
	for shard, b := range shards {
		if err := b.unfinished(shard); err != nil {
			return nil, err
		}
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		acks = map[int32][]Ack{}
	)
	for shard, b := range shards {
		if len(b.complete) == 0 {
			continue
		}
		wg.Go(func() {
			a, err := j.Write(ctx, shard, b)
			mu.Lock()
			defer mu.Unlock()
			acks[shard] = a
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return acks, errors.Join(errs...)
}
