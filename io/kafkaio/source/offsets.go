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

// StartAt is a way to say where reading begins.
type StartAt string

// Ways to begin.
const (
	// AtEarliest: the first record that is there.
	AtEarliest StartAt = ""
	// AtLatest: what is written from now on.
	AtLatest StartAt = "latest"
	// AtTime: the first record stamped at or after Start.Time.
	AtTime StartAt = "time"
	// AtCommitted: where the Config's group stands; the earliest where it never was.
	AtCommitted StartAt = "committed"
	// AtOffsets: Start.Offsets; the earliest for partitions that are not among them.
	AtOffsets StartAt = "offsets"
)

// Start says where reading begins. It is resolved once, when the job starts.
type Start struct {
	At      StartAt
	Time    time.Time
	Offsets map[cluster.Partition]timeindex.Position `json:",omitempty"`
	// Begins says that Offsets are where a job begins, and not where it goes on.
	Begins bool `json:",omitempty"`
	// Decided, if set, is what the runs before have decided.
	Decided *Decided `json:",omitempty"`
}

// Decided is how far the runs have come that a job goes on from. What none of them has read, and
// belongs before that, is late: its partition was idle, or not there yet.
type Decided struct {
	// Clock is the event time (ms) that the log of every partition counts as having come to where
	// nobody has read it.
	Clock int64
	// Raised are the places where the clock of a partition is no longer its log's alone, in order of
	// offsets; of one that is not among them, its first record.
	Raised map[cluster.Partition][]Raise `json:",omitempty"`
}

// Raise says that the clock before an offset is at least an event time (ms).
type Raise struct{ Offset, Clock int64 }

// of returns the raises of a partition.
func (d *Decided) of(p cluster.Partition) []Raise {
	if d == nil {
		return nil
	}
	if raises, ok := d.Raised[p]; ok {
		return raises
	}
	return []Raise{{Clock: d.Clock}}
}

// StopAt is a way to say where reading ends.
type StopAt string

// Ways to end.
const (
	// StopNever: it goes on.
	StopNever StopAt = ""
	// StopAtEnd: what is in the log when the job starts. Transactions open then are not.
	StopAtEnd StopAt = "end"
	// StopAtTime: before the first record stamped at or after Stop.Time, or with what is in
	// the log when the job starts. The time must have passed by then.
	StopAtTime StopAt = "time"
	// StopAtOffsets: before Stop.Offsets; partitions that are not among them are not read.
	StopAtOffsets StopAt = "offsets"
)

// Stop says where reading ends. It is resolved once, when the job starts.
type Stop struct {
	At      StopAt
	Time    time.Time
	Offsets map[cluster.Partition]int64 `json:",omitempty"`
}

func (s Start) validate(r *Config) error {
	switch s.At {
	case AtEarliest, AtLatest, AtOffsets:
	case AtTime:
		if s.Time.IsZero() {
			return errors.New("start: needs a time")
		}
	case AtCommitted:
		if r.Group == "" {
			return errors.New("start: at committed offsets needs a group")
		}
	default:
		return fmt.Errorf("start: cannot start at %q", s.At)
	}
	return nil
}

func (s Stop) validate(*Config) error {
	switch s.At {
	case StopNever, StopAtEnd, StopAtOffsets:
	case StopAtTime:
		if s.Time.IsZero() {
			return errors.New("stop: needs a time")
		}
	default:
		return fmt.Errorf("stop: cannot stop at %q", s.At)
	}
	return nil
}

// Initial resolves where reader index begins and ends.
func (r *Config) Initial(ctx context.Context, index int) (Restriction, error) {
	out := Restriction{Watermark: record.NoTime, Ends: r.Stop.At != StopNever}
	if r.Stop.At == StopAtTime && r.Stop.Time.After(time.Now()) {
		return out, fmt.Errorf("stop at %s: that time has not come yet", r.Stop.Time.Format(time.RFC3339))
	}
	byCluster := map[string]*clusterOffsets{}
	for i, t := range r.Topics {
		c := byCluster[t.Cluster]
		if c == nil {
			var err error
			if c, err = r.clusterOffsets(ctx, t.Cluster); err != nil {
				return out, err
			}
			byCluster[t.Cluster] = c
		}
		details, err := c.partitions(t.Name)
		if err != nil {
			return out, fmt.Errorf("%s: %w", c.cluster, err)
		}
		out.IDs = append(out.IDs, c.topics[t.Name].ID)
		for _, p := range details {
			if int(p)%r.Readers != index {
				continue
			}
			at := position{Topic: int32(i), Partition: p}
			if at.Next, at.Stop, at.Clock, err = c.bounds(r, t, p); err != nil {
				return out, fmt.Errorf("%s: %s: %w", c.cluster, cluster.Partition{Cluster: t.Cluster, Topic: t.Name, Partition: p}, err)
			}
			out.Partitions = append(out.Partitions, at)
		}
	}
	return out, nil
}

// clusterOffsets is what a cluster tells about the topics of a Config.
type clusterOffsets struct {
	cluster                 cluster.Config
	topics                  kadm.TopicDetails
	start, end, from, until kadm.ListedOffsets
	committed               kadm.OffsetResponses
}

// clusterOffsets asks a cluster for all that is needed to resolve start and stop.
func (r *Config) clusterOffsets(ctx context.Context, name string) (*clusterOffsets, error) {
	brokers, _ := r.cluster(name)
	client, err := r.connect(ctx, brokers)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	c := &clusterOffsets{cluster: brokers}
	admin := kadm.NewClient(client)
	topics := r.topicsOf(name)
	ask := func(what string, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %s: %w", brokers, what, err)
		}
		return nil
	}
	c.topics, err = admin.ListTopics(ctx, topics...)
	if err := ask("list topics", err); err != nil {
		return nil, err
	}
	for _, t := range topics {
		if _, err := c.partitions(t); err != nil {
			return nil, fmt.Errorf("%s: %w", brokers, err)
		}
	}
	if c.start, err = admin.ListStartOffsets(ctx, topics...); err == nil {
		err = c.start.Error()
	}
	if err := ask("first offsets", err); err != nil {
		return nil, err
	}
	// Committed: up to the last stable offset, which is as far as can be read now.
	if c.end, err = admin.ListCommittedOffsets(ctx, topics...); err == nil {
		err = c.end.Error()
	}
	if err := ask("last offsets", err); err != nil {
		return nil, err
	}
	if r.Start.At == AtTime {
		c.from, err = admin.ListOffsetsAfterMilli(ctx, r.Start.Time.UnixMilli(), topics...)
		if err == nil {
			err = c.from.Error()
		}
		if err := ask("offsets at the time of the start", err); err != nil {
			return nil, err
		}
	}
	if r.Stop.At == StopAtTime {
		c.until, err = admin.ListOffsetsAfterMilli(ctx, r.Stop.Time.UnixMilli(), topics...)
		if err == nil {
			err = c.until.Error()
		}
		if err := ask("offsets at the time of the stop", err); err != nil {
			return nil, err
		}
	}
	if r.Start.At == AtCommitted {
		c.committed, err = admin.FetchOffsetsForTopics(ctx, r.Group, topics...)
		if err == nil {
			err = c.committed.Error()
		}
		if err := ask("offsets of group "+r.Group, err); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// partitions returns the numbers of a topic's partitions, in order.
func (c *clusterOffsets) partitions(topic string) ([]int32, error) {
	found, ok := c.topics[topic]
	if !ok {
		return nil, fmt.Errorf("topic %s does not exist", topic)
	}
	if found.Err != nil {
		return nil, fmt.Errorf("topic %s: %w", topic, found.Err)
	}
	return found.Partitions.Numbers(), nil
}

// bounds returns where the reading of a partition begins and ends.
func (c *clusterOffsets) bounds(r *Config, t Topic, p int32) (next, stop int64, clock record.Clock, err error) {
	lookup := func(offsets kadm.ListedOffsets) int64 {
		found, ok := offsets.Lookup(t.Name, p)
		if !ok {
			err = errors.New("the cluster tells no offset of it")
		}
		return found.Offset
	}
	key := cluster.Partition{Cluster: t.Cluster, Topic: t.Name, Partition: p}
	clock = record.NoClock
	next = lookup(c.start)
	switch r.Start.At {
	case AtLatest:
		next = lookup(c.end)
	case AtTime:
		next = lookup(c.from)
	case AtCommitted:
		if found, ok := c.committed.Lookup(t.Name, p); ok && found.At >= 0 {
			next = found.At
		}
	case AtOffsets:
		if at, ok := r.Start.Offsets[key]; ok {
			next, clock = at.Offset, at.Clock
		}
	case AtEarliest:
	}
	stop = noStop
	switch r.Stop.At {
	case StopAtEnd:
		stop = lookup(c.end)
	case StopAtTime:
		stop = min(lookup(c.until), lookup(c.end))
	case StopAtOffsets:
		stop = next
		if at, ok := r.Stop.Offsets[key]; ok {
			stop = at
		}
	case StopNever:
	}
	return next, stop, clock, err
}
