package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

// ErrTruncated is returned when the log no longer holds what a restart has to read.
var ErrTruncated = errors.New("the log no longer holds what is needed")

// toldPartitions is of how many partitions an error speaks: of one topic they usually have
// all the same fault.
const toldPartitions = 8

// StartFromLog returns the Start from which r reads again all records with an event time of
// before (ms) or later, by the marks that readers of the same topics have written. Readers
// and their number may be other ones. Every partition that is there is looked at: one that
// has neither a mark nor a beginning is read from its first record, if that is offset 0.
//
// The error is ErrTruncated, with all that is missing, if a log begins later than it has to
// be read from; not with SkipTruncated. A log that ends before that is another log than the
// one that the marks are about, and always an error.
//
// Cuts are marks, too, from somewhere else: of a partition that has one which serves, the
// others do not count.
func (r Reading) StartFromLog(ctx context.Context, before int64, cuts []Mark) (Start, error) {
	r = r.normal()
	start := Start{At: AtOffsets, Offsets: map[cluster.Partition]Position{}}
	r.Start = start
	var marks []Mark
	if r.Marks != nil {
		brokers, _ := r.cluster(r.Marks.Cluster)
		var err error
		if marks, err = ReadMarks(ctx, brokers, r.Marks.Topic); err != nil {
			return Start{}, err
		}
	}
	known, ids := Resume(marks, cuts, before), topicIDs(marks)
	byCluster := map[string]*clusterOffsets{}
	var missing []error
	for _, t := range r.Topics {
		c := byCluster[t.Cluster]
		if c == nil {
			var err error
			if c, err = r.clusterOffsets(ctx, t.Cluster); err != nil {
				return Start{}, err
			}
			byCluster[t.Cluster] = c
		}
		numbers, err := c.partitions(t.Name)
		if err != nil {
			return Start{}, fmt.Errorf("%s: %w", c.cluster, err)
		}
		for _, number := range numbers {
			p := cluster.Partition{Cluster: t.Cluster, Topic: t.Name, Partition: number}
			first, ok := c.start.Lookup(t.Name, number)
			end, found := c.end.Lookup(t.Name, number)
			if !ok || !found {
				return Start{}, fmt.Errorf("%s: the cluster tells no offsets of it", p)
			}
			at, marked := known[p]
			if marked {
				start.Offsets[p] = at
			}
			var another string
			switch id := ids[p]; {
			case at.Offset > end.Offset:
				another = fmt.Sprintf("its marks go to offset %d, and the log ends at %d", at.Offset, end.Offset)
			case id != (kadm.TopicID{}) && c.topics[t.Name].ID != (kadm.TopicID{}) && id != c.topics[t.Name].ID:
				another = "its marks are of a topic with another id"
			}
			if another != "" {
				return Start{}, fmt.Errorf("%s: %s: the topic was made anew, and cannot be resumed from; empty topic %s, and samples and ledger as well",
					p, another, r.Marks.Topic)
			}
			if at.Offset < first.Offset && r.OnTruncation != SkipTruncated {
				missing = append(missing, truncation(p, at, marked, first.Offset))
			}
		}
	}
	if len(missing) > 0 {
		return Start{}, tooShort(missing, before)
	}
	return start, nil
}

// topicIDs returns the id that the topic of each partition had when it was marked last.
func topicIDs(marks []Mark) map[cluster.Partition]kadm.TopicID {
	newest := map[cluster.Partition]Mark{}
	for _, m := range marks {
		if have, ok := newest[m.Partition]; !ok || m.Written >= have.Written {
			newest[m.Partition] = m
		}
	}
	ids := map[cluster.Partition]kadm.TopicID{}
	for p, m := range newest {
		ids[p] = m.TopicID
	}
	return ids
}

// truncation says what of a partition is gone.
func truncation(p cluster.Partition, at Position, marked bool, first int64) error {
	switch {
	case !marked:
		return fmt.Errorf("%s: no mark says where to begin, so offset 0 is needed, and its log begins at %d", p, first)
	case at.Clock == record.NoClock:
		return fmt.Errorf("%s: offset %d is needed, where the job began, and its log begins at %d", p, at.Offset, first)
	}
	return fmt.Errorf("%s: offset %d is needed, behind event time %s, and its log begins at %d", p, at.Offset, timeText(at.Clock.Largest), first)
}

func tooShort(missing []error, before int64) error {
	since := "all records are"
	if before != record.NoTime {
		since = "records from event time " + timeText(before) + " on are"
	}
	err := fmt.Errorf("%w: %s needed", ErrTruncated, since)
	more := len(missing) - toldPartitions
	if more > 0 {
		missing = append(missing[:toldPartitions:toldPartitions], fmt.Errorf("and %d more partitions", more))
	}
	return errors.Join(append([]error{err}, missing...)...)
}

func timeText(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
