package kafkaio

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/kafkaio/sink"
)

var (
	sentRecords      = beam.NewCounter("kafkaio", "records_sent")
	truncatedRecords = beam.NewCounter("kafkaio", "records_truncated")
)

// WriteAtLeastOnce writes messages to a topic as they come; of w it takes Cluster, Topic,
// Compression and Cut.
//
// Input: a PCollection<Message>.
// Output: refused, a PCollection<Refused>, see below; sent, a PCollection<int64>: of every
// bundle how many messages it had, after they were acknowledged, with the latest of their
// event times.
//
// Delivery: at least once. The producer is idempotent, so that its own retries do not
// double; a bundle that is replayed does. A bundle ends when the brokers have acknowledged
// all it wrote, and fails if they have not within two minutes, or refuse a message.
// A record that is too large for the topic is left out and returned as refused, or, with
// Cut, its key is cut to 1 KiB and, if need be, its value to 64 KiB and marked (see
// TruncatedHeader): one such record, though it may be a dead letter already, would stop the job
// for ever.
//
// Memory: at most 10,000 messages a process and topic wait for brokers, then writing does.
//
// It panics while the pipeline is built if w is invalid.
func WriteAtLeastOnce(s beam.Scope, w sink.Config, messages beam.PCollection) (refused, sent beam.PCollection) {
	if err := w.ValidateTopic(); err != nil {
		panic(fmt.Errorf("kafkaio.WriteAtLeastOnce: %w", err))
	}
	w = sink.Config{Cluster: w.Cluster, Topic: w.Topic, Compression: w.Compression, Cut: w.Cut}
	return beam.ParDo2(s.Scope("kafkaio.WriteAtLeastOnce"), &sendFn{Config: w}, messages)
}

// sendFn produces messages and waits for them when the bundle ends.
type sendFn struct {
	Config sink.Config

	bundle *sink.Delivery
	// sent and latest are the number and the latest event time of the bundle's messages.
	sent   int64
	latest beam.EventTime
}

func (f *sendFn) StartBundle(ctx context.Context, _ func(sink.Refused), _ func(beam.EventTime, int64)) error {
	f.bundle, f.sent, f.latest = sink.NewDelivery(f.Config), 0, mtime.MinTimestamp
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("kafkaio.WriteAtLeastOnce: %w", err)
	}
	return nil
}

func (f *sendFn) ProcessElement(ctx context.Context, at beam.EventTime, m sink.Message, refuse func(sink.Refused), _ func(beam.EventTime, int64)) error {
	f.sent, f.latest = f.sent+1, max(f.latest, at)
	out, err := f.bundle.Send(ctx, m)
	switch {
	case err != nil:
		return fmt.Errorf("kafkaio.WriteAtLeastOnce: %w", err)
	case out.Refused != nil:
		refusedRecords.Inc(ctx, 1)
		refuse(*out.Refused)
		return nil
	case out.Cut:
		truncatedRecords.Inc(ctx, 1)
	}
	sentRecords.Inc(ctx, 1)
	return nil
}

func (f *sendFn) FinishBundle(ctx context.Context, _ func(sink.Refused), emit func(beam.EventTime, int64)) error {
	if err := f.bundle.Wait(ctx); err != nil {
		return fmt.Errorf("kafkaio.WriteAtLeastOnce: %w", err)
	}
	if f.sent > 0 {
		emit(f.latest, f.sent)
	}
	return nil
}

func init() {
	dofn.Register(
		dofn.Method3x1((*sendFn).StartBundle),
		dofn.Method5x1((*sendFn).ProcessElement),
		dofn.Method3x1((*sendFn).FinishBundle),
	)
	register.Emitter1[sink.Refused]()
	register.Emitter2[beam.EventTime, int64]()
}
