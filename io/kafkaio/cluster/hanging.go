package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OpenTransaction is a transaction that is open in partitions: readers of what is committed stop before it.
type OpenTransaction struct {
	// ID is the transactional id; empty if no coordinator has it any more.
	ID       string
	Producer int64
	// Epoch is that of the producer when it wrote.
	Epoch      int16
	Partitions []OpenPartition
	Fate       Fate

	coordinator int32 // the epoch of the coordinator that wrote last
}

// OpenPartition is where a transaction begins in a partition.
type OpenPartition struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// Written is when the producer wrote last, by the clock of its records.
	Written time.Time `json:"written"`
}

// Fate is what became of an open transaction. All but those that go on hang, as KIP-664 calls it: nobody ends them.
type Fate string

// What became of one.
const (
	// GoesOn is of one whose writer may go on, or which its coordinator is about to end.
	GoesOn Fate = "goes on"
	// LostCommit is of one that its coordinator has committed, and whose end is missing in partitions. A Kafka 4.3.1
	// comes to that where it is killed between the decision and its markers, and finds no leader of a partition while it starts again: it takes
	// the partition for deleted and drops the marker (TransactionMarkerChannelManager, "likely deleted already and hence can be skipped").
	LostCommit Fate = "lost commit"
	// LostAbort is LostCommit of one that was aborted.
	LostAbort Fate = "lost abort"
	// Nobodys is of one that no coordinator knows, for longer than the brokers let a transaction be open.
	Nobodys Fate = "nobody's"
	// Unclear is of one that its coordinator has ended, and whose end is not in its log: it was compacted since, or is of a producer that
	// does not count its transactions by epochs, as before KIP-890, so that another may be meant.
	Unclear Fate = "unclear"
)

// Decided tells whether the transaction hangs and its coordinator has said how it ended.
func (t *OpenTransaction) Decided() bool { return t.Fate == LostCommit || t.Fate == LostAbort }

// OpenTransactions finds what is open in topics, all of them if none is named, and what became of it. The client must be able to read
// the log of the coordinators, __transaction_state. The error may be of some partitions only, and what is open in others is there.
func OpenTransactions(ctx context.Context, client *kgo.Client, topics ...string) ([]OpenTransaction, error) {
	return openTransactions(ctx, client, time.Now(), topics)
}

func openTransactions(ctx context.Context, client *kgo.Client, now time.Time, topics []string) ([]OpenTransaction, error) {
	admin := kadm.NewClient(client)
	before, errBefore := describeProducers(ctx, admin, topics)
	if len(before) == 0 {
		return nil, errBefore
	}
	decided, err := readDecisions(ctx, client, before)
	if err != nil {
		return nil, fmt.Errorf("read the log of the coordinators of transactions: %w", err)
	}
	longest := time.Duration(0)
	for producer := range before {
		if len(decided[producer]) == 0 {
			if longest, err = longestTransaction(ctx, admin); err != nil {
				return nil, fmt.Errorf("how long transactions may be: %w", err)
			}
			break
		}
	}
	after, errAfter := describeProducers(ctx, admin, topics)
	var all []OpenTransaction
	for _, producer := range slices.Sorted(maps.Keys(before)) {
		all = append(all, judge(stillOpen(before[producer], after[producer]), decided[producer], now.Add(-longest-aboutToEnd))...)
	}
	return all, errors.Join(errBefore, errAfter)
}

// aboutToEnd is how much later than it must a coordinator may end a transaction, and how far clocks may be apart.
const aboutToEnd = time.Minute

// errJoined is of a transaction in whose place there is another one by now.
var errJoined = errors.New("its producer has written to the partition again")

// End ends a transaction that hangs, in all partitions. It is ended with the epoch that it was written with: where its producer has
// gone on since, brokers refuse that, and nothing is done.
func (t *OpenTransaction) End(ctx context.Context, client *kgo.Client, commit bool) error {
	if t.Fate == GoesOn || t.Decided() && commit != (t.Fate == LostCommit) {
		return fmt.Errorf("a transaction of %s, producer %d, epoch %d, is not to be ended so: what became of it: %s", t.ID, t.Producer, t.Epoch, t.Fate)
	}
	topics := kadm.TopicsSet{}
	for _, p := range t.Partitions {
		topics.Add(p.Topic, p.Partition)
	}
	answer, err := kadm.NewClient(client).WriteTxnMarkers(ctx, kadm.TxnMarkers{
		ProducerID: t.Producer, ProducerEpoch: t.Epoch, Commit: commit, CoordinatorEpoch: t.coordinator, Topics: topics,
	})
	answer.EachPartition(func(p kadm.TxnMarkersPartitionResponse) {
		switch {
		case errors.Is(p.Err, kerr.InvalidProducerEpoch):
			err = errors.Join(err, fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, errJoined))
		case p.Err != nil:
			err = errors.Join(err, fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, p.Err))
		}
	})
	if err != nil {
		return fmt.Errorf("end a transaction of %s, producer %d, epoch %d: %w", t.ID, t.Producer, t.Epoch, err)
	}
	return nil
}

// describeProducers are the partitions of topics where a producer has an open transaction, by its id.
func describeProducers(ctx context.Context, admin *kadm.Client, topics []string) (map[int64][]kadm.DescribedProducer, error) {
	details, err := admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	for name, d := range details {
		if errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
			delete(details, name)
		}
	}
	if len(details) == 0 {
		return nil, nil // to ask for none is to ask for all
	}
	described, err := admin.DescribeProducers(ctx, details.TopicsSet())
	if err != nil {
		return nil, err
	}
	open := map[int64][]kadm.DescribedProducer{}
	described.EachPartition(func(p kadm.DescribedProducersPartition) {
		if p.Err != nil {
			err = errors.Join(err, fmt.Errorf("describe the producers of %s/%d: %w", p.Topic, p.Partition, p.Err))
		}
	})
	described.EachProducer(func(p kadm.DescribedProducer) {
		if p.CurrentTxnStartOffset >= 0 {
			open[p.ProducerID] = append(open[p.ProducerID], p)
		}
	})
	return open, err
}

// stillOpen are those of a producer's open transactions that are open later too, with nothing written in between: one of which the coordinators
// have written between the two that all is done is not being ended.
func stillOpen(before, after []kadm.DescribedProducer) []kadm.DescribedProducer {
	return slices.DeleteFunc(before, func(b kadm.DescribedProducer) bool {
		return !slices.ContainsFunc(after, func(a kadm.DescribedProducer) bool {
			return a.Topic == b.Topic && a.Partition == b.Partition && a.CurrentTxnStartOffset == b.CurrentTxnStartOffset &&
				a.ProducerEpoch == b.ProducerEpoch && a.LastSequence == b.LastSequence
		})
	})
}

// decision is what a coordinator has written of a transaction.
type decision struct {
	id string
	kmsg.TxnMetadataValue
}

// readDecisions reads the log of the coordinators: what they decided on the transactions of some producers, by their ids, in order.
func readDecisions(ctx context.Context, client *kgo.Client, of map[int64][]kadm.DescribedProducer) (map[int64][]decision, error) {
	const topic = "__transaction_state"
	due, err := Ends(ctx, client, topic)
	if err != nil {
		return nil, err
	}
	all := map[int64][]decision{}
	err = ReadTo(ctx, client.Opts(), topic, due, func(r *kgo.Record) (bool, error) {
		var key kmsg.TxnMetadataKey
		if err := key.ReadFrom(r.Key); err != nil || r.Value == nil {
			return false, err
		}
		d := decision{id: key.TransactionalID}
		err := d.ReadFrom(r.Value)
		if _, wanted := of[d.ProducerID]; wanted {
			all[d.ProducerID] = append(all[d.ProducerID], d)
		}
		return false, err
	})
	return all, err
}

// longestTransaction is how long the brokers let a transaction be open.
func longestTransaction(ctx context.Context, admin *kadm.Client) (longest time.Duration, err error) {
	const setting, usual = "transaction.max.timeout.ms", 15 * time.Minute
	brokers, err := admin.ListBrokers(ctx)
	if err != nil {
		return 0, err
	}
	configs, err := admin.DescribeBrokerConfigs(ctx, brokers.NodeIDs()...)
	if err != nil {
		return 0, err
	}
	for _, c := range configs {
		err = errors.Join(err, c.Err)
		for _, found := range c.Configs {
			if ms, parseErr := strconv.ParseInt(found.MaybeValue(), 10, 64); found.Key == setting && parseErr == nil {
				longest = max(longest, time.Duration(ms)*time.Millisecond)
			}
		}
	}
	if longest == 0 {
		longest = usual
	}
	return longest, err
}

// judge says what became of a producer's open transactions. One that no coordinator knows is nobody's if nothing was written to it since then.
func judge(open []kadm.DescribedProducer, decided []decision, since time.Time) []OpenTransaction {
	if len(open) == 0 {
		return nil
	}
	var last decision // of all
	if len(decided) > 0 {
		last = decided[len(decided)-1]
	}
	goesOn := len(decided) == 0
	switch last.State {
	case kmsg.TransactionStateOngoing, kmsg.TransactionStatePrepareCommit, kmsg.TransactionStatePrepareAbort:
		// It goes on, or is still being ended.
		goesOn = goesOn || slices.ContainsFunc(open, func(p kadm.DescribedProducer) bool { return p.ProducerEpoch >= last.ProducerEpoch-1 })
	default:
	}
	all := map[int16]*OpenTransaction{}
	for _, p := range open {
		t := all[p.ProducerEpoch]
		if t == nil {
			t = &OpenTransaction{Producer: p.ProducerID, Epoch: p.ProducerEpoch, ID: last.id, Fate: GoesOn}
			all[p.ProducerEpoch] = t
			if !goesOn {
				t.decide(decided)
			}
		}
		t.coordinator = max(t.coordinator, p.CoordinatorEpoch)
		t.Partitions = append(t.Partitions, OpenPartition{p.Topic, p.Partition, p.CurrentTxnStartOffset, time.UnixMilli(p.LastTimestamp)})
	}
	out := make([]OpenTransaction, 0, len(all))
	for _, epoch := range slices.Sorted(maps.Keys(all)) {
		t := all[epoch]
		if len(decided) == 0 && !slices.ContainsFunc(t.Partitions, func(p OpenPartition) bool { return p.Written.After(since) }) {
			t.Fate = Nobodys
		}
		slices.SortFunc(t.Partitions, func(a, b OpenPartition) int {
			return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		})
		out = append(out, *t)
	}
	return out
}

// byEpochs is the version of transactions from which each has an epoch of its own, and ends with the next one (KIP-890).
const byEpochs = 2

// decide finds the end of the transaction among what the coordinators have decided: that of the next epoch, of a producer that counts its
// transactions by epochs. Any other may be the end of another transaction.
func (t *OpenTransaction) decide(decided []decision) {
	t.Fate = Unclear
	for i, d := range decided {
		// Brokers that abort for a producer which begins anew count once more (KAFKA-19367): then the transaction stands before it.
		again := i > 0 && d.ProducerEpoch == t.Epoch+2 && decided[i-1].State == kmsg.TransactionStateOngoing && decided[i-1].ProducerEpoch == t.Epoch
		if d.ProducerEpoch != t.Epoch+1 && !again || d.ClientTransactionVersion < byEpochs {
			continue
		}
		switch d.State {
		case kmsg.TransactionStatePrepareCommit:
			t.Fate = LostCommit
		case kmsg.TransactionStatePrepareAbort:
			t.Fate = LostAbort
		default:
			continue
		}
		t.ID = d.id
		return
	}
}
