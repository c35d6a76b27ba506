package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

// Range is a run of the log of one partition: the offsets [From, To).
type Range struct {
	Partition cluster.Partition
	// TopicID is what the cluster has given the topic; zero where it gives none.
	TopicID  [16]byte
	From, To int64
	// Clock is the partition's clock before From; record.NoClock if nothing is before it.
	Clock record.Clock
}

// Ranges returns what r reads, a range for each partition, in the order of ranks. The Stop of r must
// say where reading ends.
func (r Config) Ranges(ctx context.Context) ([]Range, error) {
	all, topics, err := r.whole(ctx)
	if err != nil {
		return nil, err
	}
	if !all.Ends {
		return nil, errors.New("ranges: reading has no end")
	}
	var out []Range
	for _, p := range all.Partitions {
		t := topics[p.Topic]
		out = append(out, Range{
			Partition: cluster.Partition{Cluster: t.Cluster, Topic: t.Name, Partition: p.Partition}, TopicID: all.topicID(p.Topic),
			From: p.Next, To: max(p.Next, p.Stop), Clock: p.Clock,
		})
	}
	return out, nil
}

// ReadRange reads a range: batch gets what Read emits as batches, in the order of the log and once for
// each input of the topic, and reject what it rejects. Both are of one chapter of the log
// (record.Chapter), so a range that begins and ends with chapters gives the same records with the
// same clocks however a log is cut into ranges.
//
// No partition is idle here, and nothing is noted or committed. Memory: as one reader of Read. An
// error of batch or reject ends the reading and is returned; for others see Read.
func (r Config) ReadRange(ctx context.Context, rng Range, batch func(record.Batch) error, reject func(record.Rejected) error) error {
	r = r.Normal()
	r.IdleAfter, r.Group, r.TimeIndex, r.Start = 0, "", nil, Start{At: AtOffsets}
	topic := slices.IndexFunc(r.Topics, func(t Topic) bool { return t.Cluster == rng.Partition.Cluster && t.Name == rng.Partition.Topic })
	if topic < 0 {
		return fmt.Errorf("read %s: no topic of the spec", rng.Partition)
	}
	r.Topics = r.Topics[topic : topic+1]
	in, err := NewReader(ctx, r, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	at := Restriction{
		Watermark: record.NoTime, Ends: true, IDs: []kadm.TopicID{rng.TopicID},
		Partitions: []position{{Partition: rng.Partition.Partition, Next: rng.From, Stop: rng.To, Clock: rng.Clock}},
	}
	var failed error
	out := Output{
		Claim: func(c Claim) bool {
			if failed == nil {
				at = at.clone()
				c(&at)
			}
			return failed == nil
		},
		Batch: func(_ int64, b record.Batch) {
			if failed == nil {
				failed = batch(b)
			}
		},
		Reject: func(_ int64, rejection record.Rejected) {
			for part := range byChapter(rejection) {
				if failed == nil {
					failed = reject(part)
				}
			}
		},
	}
	for !at.done() {
		if _, err := in.Poll(ctx, at, in.Now().Add(r.PollBudget), out); failed != nil {
			return failed
		} else if err != nil {
			return fmt.Errorf("read %s from offset %d: %w", rng.Partition, at.Partitions[0].Next, err)
		}
	}
	return nil
}

// byChapter cuts what was rejected together where chapters begin.
func byChapter(r record.Rejected) iter.Seq[record.Rejected] {
	return func(yield func(record.Rejected) bool) {
		for left := r.Count; left > 0; {
			r.Count = min(left, record.ChapterStart(record.Chapter(r.Offset)+1)-r.Offset)
			if !yield(r) {
				return
			}
			left -= r.Count
			r.Offset += r.Count
		}
	}
}
