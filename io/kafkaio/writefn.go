package kafkaio

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
)

// What the sink counts.
var (
	committedGroups = beam.NewCounter("kafkaio", "groups_committed")
	skippedGroups   = beam.NewCounter("kafkaio", "groups_skipped")
	correctedGroups = beam.NewCounter("kafkaio", "groups_corrected")
	writtenRecords  = beam.NewCounter("kafkaio", "records_written")
	refusedRecords  = beam.NewCounter("kafkaio", "records_refused")
)

func init() {
	dofn.Register(
		dofn.Method0x1((*writeFn).Setup),
		dofn.Method3x0((*writeFn).StartBundle),
		dofn.Method5x1((*writeFn).ProcessElement),
		dofn.Method3x1((*writeFn).FinishBundle),
		dofn.Method0x0((*writeFn).Teardown),
	)
	register.Emitter2[beam.EventTime, commitlog.Committed]()
	beam.RegisterType(reflect.TypeFor[commitlog.Committed]())
}

// writeFn gathers the groups of a bundle and writes them when it ends.
type writeFn struct {
	Config sink.Config

	writers *sink.Writers
	shards  map[int32]*gathered
}

// gathered is what a bundle has for one shard, with the event times of its complete groups.
type gathered struct {
	sink.Bundle
	times []beam.EventTime
}

func (f *writeFn) Setup() (err error) {
	f.writers, err = sink.NewWriters(f.Config)
	return err
}

func (f *writeFn) Teardown() { f.writers.CloseIdle() }

func (f *writeFn) StartBundle(_ context.Context, _ func(beam.EventTime, commitlog.Committed), _ func(beam.EventTime, sink.Refused)) {
	f.shards = map[int32]*gathered{}
}

func (f *writeFn) ProcessElement(ctx context.Context, at beam.EventTime, p sink.Group, emit func(beam.EventTime, commitlog.Committed), refuse func(beam.EventTime, sink.Refused)) error {
	if shards := f.Config.ShardsOf(p.ID); p.Shard < 0 || p.Shard >= shards {
		return fmt.Errorf("kafkaio.Write: group %d of shard %d: shards are 0 to %d", p.ID, p.Shard, shards-1)
	}
	s, ok := f.shards[p.Shard]
	if !ok {
		s = &gathered{}
		f.shards[p.Shard] = s
	}
	whole, err := s.Add(p)
	if err != nil {
		return fmt.Errorf("kafkaio.Write: %w", err)
	}
	if whole {
		s.times = append(s.times, at)
	}
	if s.Bytes() < sink.FlushBytes {
		return nil
	}
	acks, err := f.writers.Write(ctx, p.Shard, &s.Bundle)
	if err != nil {
		return fmt.Errorf("kafkaio.Write: %w", err)
	}
	s.acknowledge(ctx, acks, emit, refuse)
	return nil
}

// acknowledge emits and counts what was committed.
func (s *gathered) acknowledge(ctx context.Context, acks []sink.Ack, emit func(beam.EventTime, commitlog.Committed), refuse func(beam.EventTime, sink.Refused)) {
	for i, a := range acks {
		refusedRecords.Inc(ctx, int64(len(a.Refused)))
		for _, r := range a.Refused {
			refuse(s.times[i], r)
		}
		switch {
		case a.Skipped:
			skippedGroups.Inc(ctx, 1)
		default:
			committedGroups.Inc(ctx, 1)
			writtenRecords.Inc(ctx, a.Records-int64(len(a.Refused)))
			if a.Version > 1 {
				correctedGroups.Inc(ctx, 1)
			}
		}
		emit(s.times[i], a.Committed)
	}
	s.times = nil
}

// FinishBundle writes all shards, and acknowledges none before all are written.
func (f *writeFn) FinishBundle(ctx context.Context, emit func(beam.EventTime, commitlog.Committed), refuse func(beam.EventTime, sink.Refused)) error {
	shards := f.shards
	f.shards = nil
	bundles := map[int32]*sink.Bundle{}
	for shard, s := range shards {
		bundles[shard] = &s.Bundle
	}
	acks, err := f.writers.Finish(ctx, bundles)
	if err != nil {
		return fmt.Errorf("kafkaio.Write: %w", err)
	}
	for shard, s := range shards {
		s.acknowledge(ctx, acks[shard], emit, refuse)
	}
	return nil
}
