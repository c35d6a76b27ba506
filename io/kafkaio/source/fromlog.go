package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

// ErrTruncated is returned when the log no longer holds what a restart has to read.
var ErrTruncated = errors.New("the log no longer holds what is needed")

// toldPartitions is of how many partitions an error speaks: of one topic they usually have
// all the same fault.
const toldPartitions = 8

// StartFromLog returns the Start from which r reads again all records with an event time of
// before (ms) or later, by the entries that readers of the same topics have written. Readers
// and their number may be other ones. Every partition that is there is looked at: one that
// has neither an entry nor a beginning is read from its first record, if that is offset 0.
//
// The error is ErrTruncated, with all that is missing, if a log begins later than it has to
// be read from; not with SkipTruncated. A log that ends before that is another log than the
// one that the entries are about, and always an error.
//
// Cuts are those of the job's accounts.
func (r Config) StartFromLog(ctx context.Context, before int64, cuts timeindex.Cuts) (Start, error) {
	r = r.Normal()
	start := Start{At: AtOffsets, Offsets: map[cluster.Partition]timeindex.Position{}}
	r.Start = start
	var entries []timeindex.Entry
	if r.TimeIndex != nil {
		brokers, _ := r.cluster(r.TimeIndex.Cluster)
		var err error
		if entries, err = timeindex.Read(ctx, brokers, r.TimeIndex.Topic); err != nil {
			return Start{}, err
		}
	}
	known, ids := timeindex.Resume(entries, cuts, before), timeindex.TopicIDs(entries)
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
				another = fmt.Sprintf("its time index goes to offset %d, and the log ends at %d", at.Offset, end.Offset)
			case id != (kadm.TopicID{}) && c.topics[t.Name].ID != (kadm.TopicID{}) && id != c.topics[t.Name].ID:
				another = "its time index is of a topic with another id"
			}
			if another != "" {
				return Start{}, fmt.Errorf("%s: %s: the topic was made anew, and cannot be resumed from; empty topic %s, and samples and commit log as well",
					p, another, r.TimeIndex.Topic)
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

// truncation says what of a partition is gone.
func truncation(p cluster.Partition, at timeindex.Position, marked bool, first int64) error {
	switch {
	case !marked:
		return fmt.Errorf("%s: no entry of the time index says where to begin, so offset 0 is needed, and its log begins at %d", p, first)
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

// timeText is an event time, in ms, as messages have it.
func timeText(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
