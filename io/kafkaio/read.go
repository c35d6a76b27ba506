package kafkaio

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
)

// Read reads topics as batches of raw records.
//
// Output: batches, a PCollection<record.Batch>, each a run of records of one partition in
// the order of its log, up to 500 of them or 256 KiB (a larger record is a batch of its
// own), of one chapter of the log (record.Chapter), once for each input of the topic; rejected, a
// PCollection<record.Rejected>: records without a value (record.ReasonTombstone), of the formats with a registry those whose frame or schema cannot be read, and
// those whose event time is more than MaxAhead ahead of when they were written. Whether a
// record is sound beyond that is for whoever decodes it.
//
// Timing: a batch has the event time of its partition's watermark before it, which is
// (clock before it) - OutOfOrderness, see record.Clock. A reader's watermark is the smallest
// of its partitions'. One that nothing was read from holds it back; with IdleAfter set, one
// at the end of its log stops to after that time, and what it brings later begins with
// the clock raised to what the watermark demands, and AfterIdle set. A cluster that does
// not answer makes nothing idle, and what is idle hold again. A reader all of whose
// partitions are idle follows the clock, less IdleAfter and OutOfOrderness.
//
// Partitions added to a topic are read from their start. The watermark moves only as far as
// was read when it was last known that there are none, and then waits for them; what
// they bring that is behind it begins with AfterIdle set, too.
//
// Delivery: positions are in the runner's state and nowhere else, so each record is in the
// output as often as the runner promises. Only committed records are read. A restart from
// any state gives the same records with the same largest event times before them, cut into
// batches elsewhere perhaps.
//
// Splitting: into Config.Readers readers at the start and never again. Memory: 16 MiB
// fetched ahead for each reader and broker, and an open batch for each partition.
//
// A reading that stops is a splittable DoFn, one that does not is called by timers: see pollFn. Their states are not each
// other's.
//
// Failure: a position that is no longer in the log, a topic that is gone or not allowed, or
// a cluster that does not answer at the start fails the bundle; one that stops answering
// later, or a registry, is waited for, with a log line. Nothing is skipped unless
// OnTruncation says so, and then it is counted (kafkaio/truncated).
//
// Read panics while the pipeline is built if r is invalid.
func Read(s beam.Scope, r source.Config) (batches, rejected beam.PCollection) {
	if err := r.Validate(); err != nil {
		panic(fmt.Errorf("kafkaio.Read: %w", err))
	}
	s = s.Scope("kafkaio.Read")
	r = r.Normal()
	indexes := make([]int64, r.Readers)
	for i := range indexes {
		indexes[i] = int64(i)
	}
	begin := beam.CreateList(s, indexes)
	if r.Stop.At != source.StopNever {
		return beam.ParDo2(s, &readFn{Config: r}, begin)
	}
	return beam.ParDo2(s, newPollFn(r), beam.ParDo(s, newGateFn(), beam.ParDo(s, byReader, begin)))
}

var (
	countRecords    = beam.NewCounter("kafkaio", "records")
	countRejected   = beam.NewCounter("kafkaio", "rejected")
	countTombstones = beam.NewCounter("kafkaio", "tombstones")
	countTruncated  = beam.NewCounter("kafkaio", "truncated")
	countAfterIdle  = beam.NewCounter("kafkaio", "after_idle")
)

func countStats(ctx context.Context, s source.Stats) {
	countRecords.Inc(ctx, s.Records)
	countRejected.Inc(ctx, s.Rejected)
	countTombstones.Inc(ctx, s.Tombstones)
	countTruncated.Inc(ctx, s.Truncated)
	countAfterIdle.Inc(ctx, s.AfterIdle)
}

func init() {
	dofn.Element(record.EncodeBatch, record.DecodeBatch)
	dofn.Element(record.EncodeRejected, record.DecodeRejected)
	register.Emitter2[beam.EventTime, record.Batch]()
	register.Emitter2[beam.EventTime, record.Rejected]()
}
