package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// ends asks the brokers for the partitions of all topics of the spec, and where their logs begin, end and are stable up to. It returns those of
// inputs, in order.
func (w *Watch) ends(ctx context.Context, s *State) (all map[cluster.Partition]*position, order []cluster.Partition, err error) {
	all = map[cluster.Partition]*position{}
	needed := topics.Needed(w.spec)
	for i := range w.spec.Clusters {
		c := &w.spec.Clusters[i]
		var of []topics.Topic
		for _, t := range needed {
			if t.Cluster == c.Name {
				of = append(of, t)
			}
		}
		if len(of) == 0 {
			continue
		}
		config := job.Kafka(c)
		if err := w.endsOf(ctx, s, config, of, func(p cluster.Partition, at *position) {
			all[p], order = at, append(order, p)
		}); err != nil {
			return nil, nil, fmt.Errorf("%s: how far the topics go: %w", config, err)
		}
	}
	return all, order, nil
}

// listed are offsets of the topics of a cluster.
type listed struct{ starts, ends, stable kadm.ListedOffsets }

func (w *Watch) endsOf(ctx context.Context, s *State, config cluster.Config, of []topics.Topic, input func(cluster.Partition, *position)) error {
	client, err := config.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	var names []string
	for _, t := range of {
		names = append(names, t.Name)
	}
	// The stable ends first: what is written meanwhile is not taken for what a transaction hides.
	var l listed
	for _, list := range []struct {
		into *kadm.ListedOffsets
		ask  func(context.Context, ...string) (kadm.ListedOffsets, error)
	}{{&l.ends, admin.ListEndOffsets}, {&l.stable, admin.ListCommittedOffsets}, {&l.starts, admin.ListStartOffsets}} {
		if *list.into, err = list.ask(ctx, names...); err != nil && !byPartition(*list.into, err) {
			return err
		}
	}
	for _, t := range of {
		told, err := w.topic(&l, t, config.Name, input)
		if err != nil {
			if !t.Output {
				return err
			}
			told.Error = shorten(cluster.OneLine(err))
		}
		if told.Open != nil {
			w.since(ctx, admin, &told)
		}
		s.Topics = append(s.Topics, told)
	}
	return nil
}

// topic tells of a topic, and of each partition of an input. The error is of all of the topic: a partition may have no leader.
func (w *Watch) topic(l *listed, t topics.Topic, clusterName string, input func(cluster.Partition, *position)) (Topic, error) {
	told := Topic{Cluster: clusterName, Topic: t.Name, Role: t.Role, Output: t.Output}
	numbers := make([]int32, 0, len(l.ends[t.Name]))
	for number := range l.ends[t.Name] {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		end := l.ends[t.Name][number]
		start, _ := l.starts.Lookup(t.Name, number)
		stable, ok := l.stable.Lookup(t.Name, number)
		if !ok { // it was added just now
			continue
		}
		failed := cmp.Or(end.Err, start.Err, stable.Err)
		if failed != nil && !leaderless(failed) {
			return told, failed
		}
		told.Partitions++
		at := &position{start: start.Offset, end: end.Offset, stable: stable.Offset, clock: record.NoClock, failed: failed}
		name := cluster.Partition{Cluster: clusterName, Topic: t.Name, Partition: number}
		if !t.Output {
			input(name, at)
		}
		if failed != nil {
			told.Leaderless++
			continue
		}
		gap := max(0, at.end-at.stable)
		told.Gap += gap
		w.hidden(&told, name, at.stable, gap)
	}
	return told, nil
}

// byPartition takes errors of some brokers, or of none where there is no leader, as errors of their partitions. It is false for one of all.
func byPartition(l kadm.ListedOffsets, err error) bool {
	var some *kadm.ShardErrors
	if !errors.As(err, &some) || some.AllFailed {
		return false
	}
	for _, of := range some.Errs {
		asked, ok := of.Req.(*kmsg.ListOffsetsRequest)
		if !ok {
			return false
		}
		for _, t := range asked.Topics {
			if l[t.Topic] == nil {
				l[t.Topic] = map[int32]kadm.ListedOffset{}
			}
			for _, p := range t.Partitions {
				l[t.Topic][p.Partition] = kadm.ListedOffset{Topic: t.Topic, Partition: p.Partition, Err: of.Err}
			}
		}
	}
	return true
}

// leaderless tells whether nobody answers for a partition, which may pass: it has no leader, or that is away.
func leaderless(err error) bool {
	var of *kerr.Error
	return !errors.As(err, &of) || of.Retriable && !errors.Is(err, kerr.UnknownTopicOrPartition)
}

// opened is since when a transaction is known to be open.
type opened struct {
	offset int64
	seen   time.Time
}

// hidden keeps since when something of a partition lies behind its last stable offset, and the oldest of such in its topic.
func (w *Watch) hidden(t *Topic, p cluster.Partition, stable, gap int64) {
	if gap == 0 {
		delete(w.open, p)
		return
	}
	if w.open[p].offset != stable || w.open[p].seen.IsZero() {
		w.open[p] = opened{stable, w.opt.Now()}
	}
	if seen := w.open[p].seen; t.Open == nil || seen.Before(t.Open.Since) {
		t.Open = &Open{Partition: p.Partition, Offset: stable, Gap: gap, Since: seen}
	}
}

// ownTimeout is how long brokers let transactions of others be open, unless they are told otherwise: transaction.max.timeout.ms.
const ownTimeout = 15 * time.Minute

// aboutToEnd is how much later than it must a coordinator may end a transaction.
const aboutToEnd = time.Minute

// since asks when the transactions of a topic were written to last, and keeps the one for which that is the longest time ago. Who may not ask
// has the time since it was seen first.
func (w *Watch) since(ctx context.Context, admin *kadm.Client, t *Topic) {
	asked := kadm.TopicsSet{}
	for p, of := range w.open {
		if p.Cluster == t.Cluster && p.Topic == t.Topic && !of.seen.IsZero() {
			asked.Add(p.Topic, p.Partition)
		}
	}
	if described, err := admin.DescribeProducers(ctx, asked); err == nil {
		described.EachProducer(func(p kadm.DescribedProducer) {
			at := time.UnixMilli(p.LastTimestamp).UTC()
			if p.CurrentTxnStartOffset >= 0 && at.Before(t.Open.Since) {
				t.Open.Partition, t.Open.Offset, t.Open.Since = p.Partition, p.CurrentTxnStartOffset, at
			}
		})
	}
	timeout := ownTimeout
	if t.Output && w.spec.Stream.Delivery != spec.AtLeastOnce {
		timeout = w.spec.Stream.TransactionTimeout
	}
	age := w.opt.Now().Sub(t.Open.Since)
	t.Open.Hangs = age > timeout+aboutToEnd
	t.Open.Why = fmt.Sprintf("a transaction is open in %s/%d from offset %d since %s ago: readers of what is committed do not see %s behind it",
		t.Topic, t.Open.Partition, t.Open.Offset, span(age), report.Number(t.Gap, "record"))
}
