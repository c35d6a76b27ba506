package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

// Extent is what event times the log of a Config that ends has come to.
type Extent struct {
	// Watermark is that of the log, in ms: what comes in all partitions behind the place where the
	// Config stops is by it. record.NoTime if some partition holds it back from the first.
	Watermark int64
	// Clocks are those of all partitions.
	Clocks []record.Clock
	// Holder is the partition that holds the watermark; Idle are those that do not, because
	// nothing was written to them for IdleAfter.
	Holder *cluster.Partition
	Idle   []cluster.Partition
	// Ahead says that the log does not yet reach as far as the Config is to read: the rest is by
	// what is there.
	Ahead bool
}

const (
	// tailRecords is how far before the end of a partition it is looked for what its clock is
	// there: far beyond any disorder. A clock by fewer records is never later.
	tailRecords = 100_000
	// tailGrows is how many times farther it is looked where no record has an event time.
	tailGrows = 8
	// extentStall is after how long without a record what was seen has to do.
	extentStall = 30 * time.Second
)

// Extent tells how far the log has come where r, whose Stop says offsets, ends. With all it reads
// everything from r's Start on, or else the last records of each partition, by which the watermark
// may come out earlier than it is, but never later. It takes what it reads as a reader does:
// records too far ahead do not count, nor do those whose event time cannot be read.
func (r Config) Extent(ctx context.Context, all bool) (Extent, error) {
	at, topics, err := r.whole(ctx)
	if err != nil {
		return Extent{}, err
	}
	r = r.Normal()
	e := &extent{config: r, now: time.Now(), parts: map[string]map[string]map[int32]*tail{}}
	var open []*tail
	for _, t := range topics {
		opened, err := newTopic(ctx, t, 0)
		if err != nil {
			return Extent{}, err
		}
		for _, p := range at.Partitions {
			if topics[p.Topic].Cluster == t.Cluster && topics[p.Topic].Name == t.Name {
				open = append(open, &tail{topic: opened, at: p, clock: p.Clock})
			}
		}
	}
	e.all = open
	for records := int64(tailRecords); len(open) > 0; records *= tailGrows {
		if all {
			records = math.MaxInt64
		}
		if err := e.read(ctx, open, records); err != nil {
			return Extent{}, fmt.Errorf("how far the log has come: %w", err)
		}
		var blind []*tail
		for _, p := range open {
			if p.clock == record.NoClock && p.from > p.at.Next {
				blind = append(blind, p)
			}
		}
		open = blind
	}
	return e.result(), nil
}

// extent reads the ends of the logs of a Config.
type extent struct {
	config Config
	now    time.Time
	all    []*tail
	ahead  bool
	// parts are those being read, by cluster, topic and number.
	parts map[string]map[string]map[int32]*tail
}

// tail is the end of a partition's log.
type tail struct {
	topic *topic
	at    position
	// from is where reading begins.
	from  int64
	clock record.Clock
	// written is when the last record was written, by Kafka.
	written time.Time
}

func (p *tail) name() cluster.Partition {
	return cluster.Partition{Cluster: p.topic.Cluster, Topic: p.topic.Name, Partition: p.at.Partition}
}

// read reads the last records of partitions.
func (e *extent) read(ctx context.Context, open []*tail, records int64) error {
	clear(e.parts)
	for _, p := range open {
		if p.at.Stop == 0 || p.at.Stop < p.at.Next {
			continue
		}
		// The one before the start tells when it was written, if there is none behind.
		p.from, p.clock = max(min(p.at.Next, p.at.Stop-1), p.at.Stop-min(records, p.at.Stop)), p.at.Clock
		byTopic := e.parts[p.topic.Cluster]
		if byTopic == nil {
			byTopic = map[string]map[int32]*tail{}
			e.parts[p.topic.Cluster] = byTopic
		}
		if byTopic[p.topic.Name] == nil {
			byTopic[p.topic.Name] = map[int32]*tail{}
		}
		byTopic[p.topic.Name][p.at.Partition] = p
	}
	for name, topics := range e.parts {
		if err := e.readCluster(ctx, name, topics); err != nil {
			return err
		}
	}
	return nil
}

func (e *extent) readCluster(ctx context.Context, name string, topics map[string]map[int32]*tail) error {
	brokers, _ := e.config.cluster(name)
	client, err := e.config.connect(ctx, brokers, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxBytes(fetchBytes), kgo.MaxDecompressBatchBytes(maxBatchBytes))
	if err != nil {
		return err
	}
	defer client.Close()
	admin, names := kadm.NewClient(client), slices.Collect(maps.Keys(topics))
	starts, err := admin.ListStartOffsets(ctx, names...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return fmt.Errorf("%s: first offsets: %w", brokers, err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, names...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("%s: last offsets: %w", brokers, err)
	}
	offsets, due := map[string]map[int32]kgo.Offset{}, 0
	for topic, parts := range topics {
		offsets[topic] = map[int32]kgo.Offset{}
		for number, p := range parts {
			first, _ := starts.Lookup(topic, number)
			last, _ := ends.Lookup(topic, number)
			e.ahead = e.ahead || last.Offset < p.at.Stop
			p.at.Stop = min(p.at.Stop, last.Offset)
			if p.from = max(min(p.from, p.at.Stop-1), first.Offset); p.from < p.at.Stop {
				offsets[topic][number] = kgo.NewOffset().At(p.from)
				due++
			}
		}
	}
	if due == 0 {
		return nil
	}
	client.AddConsumePartitions(offsets)
	stop := cluster.LogWaiting(ctx, "%s: reading the ends of the logs of %d partitions", brokers, due)
	defer stop()
	for due > 0 {
		waiting, cancel := context.WithTimeout(ctx, extentStall)
		fetches := client.PollFetches(waiting)
		stalled := waiting.Err() != nil && fetches.NumRecords() == 0
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
		if stalled {
			log.Warnf(ctx, "%s: %d partitions were not read to their ends within %s: their watermarks are by what was read", brokers, due, extentStall)
			return nil
		}
		var failed error
		fetches.EachError(func(topic string, number int32, err error) {
			var bomb *kgo.ErrDecompressTooLarge
			switch p := topics[topic][number]; {
			case errors.Is(err, context.DeadlineExceeded):
			case errors.As(err, &bomb): // no record of it counts, and the client goes on behind it
				at := map[string]map[int32]kgo.Offset{topic: {number: kgo.NewOffset().At(bomb.NextOffset)}}
				client.RemoveConsumePartitions(map[string][]int32{topic: {number}})
				if p != nil && bomb.NextOffset < p.at.Stop {
					client.AddConsumePartitions(at)
				} else if p != nil {
					delete(topics[topic], number)
					due--
				}
			default:
				failed = errors.Join(failed, fmt.Errorf("read %s/%d: %w", topic, number, err))
			}
		})
		if failed != nil {
			return failed
		}
		for record := range fetches.RecordsAll() {
			p := topics[record.Topic][record.Partition]
			if p == nil {
				continue
			}
			if err := e.take(ctx, p, record); err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			if record.Offset+1 >= p.at.Stop {
				delete(topics[record.Topic], record.Partition)
				client.PauseFetchPartitions(map[string][]int32{record.Topic: {record.Partition}})
				due--
			}
		}
	}
	return nil
}

// take adds a record as a reader would.
func (e *extent) take(ctx context.Context, p *tail, record *kgo.Record) error {
	if record.Offset >= p.at.Stop || record.Attrs.IsControl() {
		return nil
	}
	p.written = record.Timestamp
	if record.Offset < p.at.Next {
		return nil
	}
	if record.Value == nil {
		return nil
	}
	value, by, err := p.topic.open(ctx, record)
	if err != nil {
		if _, unusable := isUnusable(err); unusable {
			return nil
		}
		return err
	}
	b := batcher{maxAhead: e.config.MaxAhead.Milliseconds(), now: func() time.Time { return e.now }}
	if t := by.of(value, record); b.ahead(t, record) == "" {
		p.clock.Add(t)
	}
	return nil
}

// result brings partitions together, as the watermark of a reader does.
func (e *extent) result() Extent {
	out := Extent{Watermark: math.MaxInt64, Ahead: e.ahead}
	leap, behindBy := e.config.MaxAhead.Milliseconds(), e.config.OutOfOrderness.Milliseconds()
	reached := int64(record.NoTime)
	for _, p := range e.all {
		name, at := p.name(), behind(p.clock.Time(leap), behindBy)
		out.Clocks = append(out.Clocks, p.clock)
		reached = max(reached, at)
		switch {
		case e.config.IdleAfter > 0 && e.now.Sub(p.written) >= e.config.IdleAfter:
			out.Idle = append(out.Idle, name)
		case at < out.Watermark || out.Holder == nil:
			out.Watermark, out.Holder = at, &name
		}
	}
	if out.Holder == nil { // as for a reader all of whose partitions are idle
		out.Watermark = record.NoTime
		if len(out.Idle) > 0 {
			out.Watermark = max(reached, e.now.Add(-e.config.IdleAfter-e.config.OutOfOrderness).UnixMilli())
		}
	}
	return out
}
