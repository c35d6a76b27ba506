package exporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/metrics"
)

// errUnread says that a source needs another one.
var errUnread = errors.New("the accounts could not be read")

// noWatermark is before the first; event times are not before 1970.
const noWatermark int64 = -1

// position is how far a partition is read.
type position struct {
	next, start, end int64
	// clock is that of its log, as far as entries of the time index and accounts say it.
	clock record.Clock
	// noted is when it was written last how far it is read.
	noted time.Time
}

// idle tells whether it holds no watermark back: all is read but for the marker of a transaction, and for long enough.
func (p *position) idle(now time.Time, after time.Duration) bool {
	return after > 0 && p.end-max(p.next, p.start) <= 1 && now.Sub(p.noted) >= after
}

// partitions tell how far each is read, and return the watermark in ms.
func (e *Exporter) partitions(ctx context.Context, read []stream.ReadTo, out *collected) (int64, error) {
	all, order, err := e.ends(ctx)
	if err != nil {
		return noWatermark, err
	}
	first := map[cluster.Partition]bool{}
	for _, to := range read {
		p := all[to.Partition]
		if p == nil {
			continue // of a topic that is gone
		}
		if !first[to.Partition] || to.Next < p.next { // the least far of several roles
			p.next = to.Next
		}
		first[to.Partition] = true
		if to.Clock.Largest > p.clock.Largest {
			p.clock = to.Clock
		}
		if to.Written.After(p.noted) {
			p.noted = to.Written
		}
	}
	if err := e.noted(ctx, all, first); err != nil {
		return noWatermark, err
	}
	lowest, highest, unknown := int64(-1), int64(-1), false
	now := e.opt.Now()
	for _, name := range order {
		p := all[name]
		labels := []string{topicLabel(name), strconv.Itoa(int(name.Partition))}
		out.add(metrics.PartitionLag, float64(max(0, p.end-max(p.next, p.start))), labels...)
		idle := p.idle(now, e.spec.Stream.IdleTimeout)
		out.add(metrics.PartitionIdle, truth(idle), labels...)
		if p.clock == record.NoClock {
			unknown = unknown || !idle && p.end > p.start
			continue
		}
		at := p.clock.Time(e.spec.MaxFutureSkew().Milliseconds()) - e.spec.OutOfOrderness.Milliseconds()
		out.add(metrics.PartitionWatermark, float64(at)/1000, labels...)
		highest = max(highest, at)
		if !idle && (lowest < 0 || at < lowest) {
			lowest = at
		}
	}
	if lowest < 0 {
		lowest = highest
	}
	if unknown || lowest < 0 {
		return noWatermark, nil
	}
	out.add(metrics.Watermark, float64(lowest)/1000)
	return lowest, nil
}

// ends asks the brokers for the partitions of the inputs, and where their logs begin and end.
func (e *Exporter) ends(ctx context.Context) (all map[cluster.Partition]*position, order []cluster.Partition, err error) {
	all = map[cluster.Partition]*position{}
	topics, names := map[string][]string{}, []string{}
	for _, in := range e.spec.Inputs() {
		if in.Topic == "" {
			continue
		}
		if topics[in.Cluster] == nil {
			names = append(names, in.Cluster)
		}
		if !slices.Contains(topics[in.Cluster], in.Topic) {
			topics[in.Cluster] = append(topics[in.Cluster], in.Topic)
		}
	}
	for _, name := range names {
		config := job.Kafka(e.spec.Cluster(name))
		client, err := config.Connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		admin := kadm.NewClient(client)
		starts, err := admin.ListStartOffsets(ctx, topics[name]...)
		if err == nil {
			err = starts.Error()
		}
		var ends kadm.ListedOffsets
		if err == nil {
			ends, err = admin.ListEndOffsets(ctx, topics[name]...)
		}
		if err == nil {
			err = ends.Error()
		}
		client.Close()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: how far the inputs go: %w", config, err)
		}
		for _, end := range ends.Offsets().Sorted() {
			p := cluster.Partition{Cluster: config.Name, Topic: end.Topic, Partition: end.Partition}
			start, _ := starts.Lookup(end.Topic, end.Partition)
			all[p] = &position{start: start.Offset, end: end.At, clock: record.NoClock}
			order = append(order, p)
		}
	}
	return all, order, nil
}

// noted adds what the time index has of partitions, counted those of which accounts say how far they are read: an entry says so of none, as
// one of several roles may be behind.
func (e *Exporter) noted(ctx context.Context, all map[cluster.Partition]*position, counted map[cluster.Partition]bool) error {
	index := e.spec.Outputs.Topics.TimeIndex
	if index == "" {
		return nil
	}
	entries, err := timeindex.Read(ctx, job.Kafka(e.spec.Cluster(e.spec.OutputCluster())), index)
	if err != nil {
		return err
	}
	newest := map[cluster.Partition]timeindex.Entry{}
	for _, entry := range entries {
		if known, ok := newest[entry.Partition]; ok && known.Written > entry.Written {
			continue // an earlier reading may have been further
		} else if ok && known.Written == entry.Written && known.Offset > entry.Offset {
			continue
		}
		newest[entry.Partition] = entry
	}
	for name, entry := range newest {
		p := all[name]
		if p == nil {
			continue
		}
		if entry.Clock.Largest > p.clock.Largest {
			p.clock = entry.Clock
		}
		if !counted[name] {
			p.next = max(p.next, entry.Offset)
		}
		if at := time.UnixMilli(entry.Written); at.After(p.noted) {
			p.noted = at
		}
	}
	return nil
}

// topicLabel names the topic of a partition, with its cluster where that has a name.
func topicLabel(p cluster.Partition) string {
	if p.Cluster == "" {
		return p.Topic
	}
	return p.Cluster + "/" + p.Topic
}
