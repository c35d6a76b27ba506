package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
)

func init() {
	dofn.Register(
		dofn.Method0x1((*writeFn).Setup),
		dofn.Method3x0((*writeFn).StartBundle),
		dofn.Method5x1((*writeFn).ProcessElement),
		dofn.Method3x1((*writeFn).FinishBundle),
		dofn.Method0x0((*writeFn).Teardown),
	)
	register.Emitter2[beam.EventTime, Committed]()
	beam.RegisterType(reflect.TypeFor[Committed]())
}

// flushBytes is how much of complete groups a shard gathers before it is written though the
// bundle goes on: enough for a few full batches to every partition.
const flushBytes = 32 << 20

// writeFn gathers the groups of a bundle and writes them when it ends.
type writeFn struct {
	Writing Writing

	writers *jobWriters
	shards  map[int32]*gathered
}

// gathered is what a bundle has for one shard.
type gathered struct {
	// open are the groups whose last part has not come, by ID.
	open     map[int64]*group
	complete []*group
	// times are the event times of the complete groups.
	times []beam.EventTime
	bytes int
}

func (f *writeFn) Setup() error {
	opts, err := f.Writing.Cluster.Options()
	if err != nil {
		return fmt.Errorf("kafkaio.Write: %w", err)
	}
	f.writers, err = newJobWriters(f.Writing, opts, writers)
	return err
}

func (f *writeFn) Teardown() { f.writers.closeIdle() }

func (f *writeFn) StartBundle(_ context.Context, _ func(beam.EventTime, Committed), _ func(beam.EventTime, Refused)) {
	f.shards = map[int32]*gathered{}
}

func (f *writeFn) ProcessElement(ctx context.Context, at beam.EventTime, p Group, emit func(beam.EventTime, Committed), refuse func(beam.EventTime, Refused)) error {
	if shards := f.Writing.shardsOf(p.ID); p.Shard < 0 || p.Shard >= shards {
		return fmt.Errorf("kafkaio.Write: group %d of shard %d: shards are 0 to %d", p.ID, p.Shard, shards-1)
	}
	s, ok := f.shards[p.Shard]
	if !ok {
		s = &gathered{open: map[int64]*group{}}
		f.shards[p.Shard] = s
	}
	if err := s.add(at, p); err != nil {
		return fmt.Errorf("kafkaio.Write: %w", err)
	}
	if s.bytes < flushBytes {
		return nil
	}
	acks, err := f.write(ctx, p.Shard, s.complete)
	if err != nil {
		return fmt.Errorf("kafkaio.Write: %w", err)
	}
	s.acknowledge(ctx, acks, emit, refuse)
	return nil
}

func (f *writeFn) write(ctx context.Context, shard int32, groups []*group) ([]Committed, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("write to %s, shard %d: %w", f.Writing.Topic, shard, err)
	}
	return f.writers.write(ctx, shard, groups)
}

// add takes a part; its group is complete with the last one.
func (s *gathered) add(at beam.EventTime, p Group) error {
	g, ok := s.open[p.ID]
	if !ok {
		g = &group{id: p.ID}
		s.open[p.ID] = g
	}
	if err := g.add(p); err != nil {
		return err
	}
	if !p.Last {
		return nil
	}
	delete(s.open, p.ID)
	if err := g.seal(); err != nil {
		return fmt.Errorf("shard %d: %w", p.Shard, err)
	}
	s.complete, s.times = append(s.complete, g), append(s.times, at)
	for _, part := range g.parts {
		s.bytes += len(part)
	}
	return nil
}

// acknowledge emits and counts what was committed, and begins anew.
func (s *gathered) acknowledge(ctx context.Context, acks []Committed, emit func(beam.EventTime, Committed), refuse func(beam.EventTime, Refused)) {
	for i, c := range acks {
		refused := s.complete[i].refused
		refusedRecords.Inc(ctx, int64(len(refused)))
		for _, r := range refused {
			refuse(s.times[i], r)
		}
		switch {
		case c.Skipped:
			skippedGroups.Inc(ctx, 1)
		default:
			committedGroups.Inc(ctx, 1)
			writtenRecords.Inc(ctx, c.Records-int64(len(refused)))
			if c.Version > 1 {
				correctedGroups.Inc(ctx, 1)
			}
		}
		emit(s.times[i], c)
	}
	s.complete, s.times, s.bytes = nil, nil, 0
}

// FinishBundle writes all shards at once: each waits for the brokers most of the time.
func (f *writeFn) FinishBundle(ctx context.Context, emit func(beam.EventTime, Committed), refuse func(beam.EventTime, Refused)) error {
	shards := f.shards
	f.shards = nil
	for _, counter := range []beam.Counter{opened, retries, fencedWriters} {
		counter.Inc(ctx, 0) // to make one is not safe for concurrent use, to count is
	}
	for shard, s := range shards {
		for id, g := range s.open {
			return fmt.Errorf("kafkaio.Write: group %d of shard %d has no last part in its bundle, %d parts came", id, shard, len(g.parts))
		}
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		acks = map[int32][]Committed{}
	)
	for shard, s := range shards {
		if len(s.complete) == 0 {
			continue
		}
		wg.Go(func() {
			a, err := f.write(ctx, shard, s.complete)
			mu.Lock()
			defer mu.Unlock()
			acks[shard] = a
			if err != nil {
				errs = append(errs, fmt.Errorf("kafkaio.Write: %w", err))
			}
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for shard, s := range shards {
		s.acknowledge(ctx, acks[shard], emit, refuse)
	}
	return nil
}
