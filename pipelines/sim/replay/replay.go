// Package replay writes Avro files to topics as the programs would have that made the
// records: each file is one partition, in order, as fast as the brokers take it or at the
// pace of the event times. Tests, demonstrations and benchmarks of streams start from it.
package replay

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

// Options are the choices of Run. The zero value sends as fast as the brokers take it.
type Options struct {
	// Speed is how much faster than the clock event time goes by: at 60 the records of an
	// hour are sent in a minute. 0 does not wait at all.
	Speed float64
}

// Run sends all records of the sources to their topics, which must exist with a partition
// for each file at least, and returns when the brokers have acknowledged them. Values are bare
// Avro; records have no key. What a broker does not take for now is sent again, in order and
// once, for as long as ctx lasts.
//
// With a Speed, all partitions go by one clock, which begins at the earliest first record:
// a record is sent when the clock has reached the largest event time so far in its partition,
// so that what is out of order or late stays so.
//
// Memory is 10,000 records on their way, and a block of each file.
func Run(ctx context.Context, brokers cluster.Config, opt Options, sources ...*Source) error {
	if opt.Speed < 0 {
		return fmt.Errorf("publish: speed must not be negative, got %v", opt.Speed)
	}
	start, err := earliest(sources)
	if err != nil && opt.Speed > 0 {
		return fmt.Errorf("publish: pace: %w", err)
	}
	client, err := brokers.Connect(ctx, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer client.Close()
	// A record that is refused ends it all: what is behind it must not be sent.
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	pace := newPace(opt.Speed, start)
	var senders sync.WaitGroup
	for _, s := range sources {
		for partition := range s.files {
			senders.Go(func() {
				if err := s.send(ctx, client, int32(partition), pace, fail); err != nil {
					fail(err)
				}
			})
		}
	}
	senders.Wait()
	err = client.Flush(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause // what ended it all, of which the rest tells nothing
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// send sends the records of one file.
func (s *Source) send(ctx context.Context, client *kgo.Client, partition int32, pace *pace, fail context.CancelCauseFunc) error {
	p := pace.partition()
	return s.files[partition].each(ctx, s.time, func(record []byte, at int64) error {
		if err := p.wait(ctx, at); err != nil {
			return err
		}
		client.Produce(ctx, &kgo.Record{Topic: s.Topic, Partition: partition, Value: record}, func(_ *kgo.Record, err error) {
			if err != nil {
				fail(fmt.Errorf("%s: %w", cluster.Partition{Topic: s.Topic, Partition: partition}, err))
				return
			}
			s.sent.Add(1)
		})
		return ctx.Err()
	})
}

// earliest is the first event time of all sources. Records without times have no pace.
func earliest(sources []*Source) (int64, error) {
	out := int64(record.MaxTime)
	for _, s := range sources {
		for i := range s.files {
			f := &s.files[i]
			if f.first == record.NoTime && f.records > 0 {
				return 0, fmt.Errorf("%s: no record has an event time in %s", f.path, s.time)
			}
			if f.records > 0 {
				out = min(out, f.first)
			}
		}
	}
	return out, nil
}
