package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
)

// hanging is a transaction that its coordinator has ended and whose end is missing in partitions: readers of what is
// committed stop before it for good. A Kafka 4.3.1 comes to that where it is killed between the decision and its markers, and finds
// no leader of a partition while it starts again: it takes the partition for deleted and drops the marker
// (TransactionMarkerChannelManager, "likely deleted already and hence can be skipped").
type hanging struct {
	id     string // transactional
	epoch  int16  // with which it was to be ended
	commit bool
	topics kadm.TopicsSet
	// coordinator is the epoch of the coordinator that wrote last.
	coordinator int32
}

// decisions are those of the coordinators, by the id of a producer, in order.
type decisions map[int64][]decision

type decision struct {
	id string
	kmsg.TxnMetadataValue
}

// endHanging ends what hangs as its coordinator has decided, as whoever runs the brokers would have to. It returns what it has
// ended.
func endHanging(ctx context.Context, client *kgo.Client) (ended []string, err error) {
	admin := kadm.NewClient(client)
	before, err := openTransactions(ctx, admin)
	if err != nil || len(before) == 0 {
		return nil, err
	}
	decided, err := readDecisions(ctx, client)
	if err != nil {
		return nil, err
	}
	after, err := openTransactions(ctx, admin)
	if err != nil {
		return nil, err
	}
	for producer, partitions := range before {
		for _, h := range hangingOf(stillOpen(partitions, after[producer]), decided[producer]) {
			h.topics.Each(func(topic string, p int32) {
				ended = append(ended, fmt.Sprintf("%s in %s/%d, commit: %t", h.id, topic, p, h.commit))
			})
			answer, err := admin.WriteTxnMarkers(ctx, kadm.TxnMarkers{
				ProducerID: producer, ProducerEpoch: h.epoch, Commit: h.commit, CoordinatorEpoch: h.coordinator, Topics: h.topics,
			})
			answer.EachPartition(func(p kadm.TxnMarkersPartitionResponse) { err = errors.Join(err, p.Err) })
			if err != nil {
				return nil, fmt.Errorf("end a transaction of %s, epoch %d: %w", h.id, h.epoch, err)
			}
		}
	}
	slices.Sort(ended)
	return ended, nil
}

// openTransactions are the partitions where a producer has an open transaction, by its id.
func openTransactions(ctx context.Context, admin *kadm.Client) (map[int64][]kadm.DescribedProducer, error) {
	details, err := admin.ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	described, err := admin.DescribeProducers(ctx, details.TopicsSet())
	if err != nil {
		return nil, err
	}
	open := map[int64][]kadm.DescribedProducer{}
	described.EachPartition(func(p kadm.DescribedProducersPartition) { err = errors.Join(err, p.Err) })
	described.EachProducer(func(p kadm.DescribedProducer) {
		if p.CurrentTxnStartOffset >= 0 {
			open[p.ProducerID] = append(open[p.ProducerID], p)
		}
	})
	return open, err
}

// stillOpen are those of a producer's open transactions that are open later too: one of which the coordinators have written
// between the two that all is done is not being ended.
func stillOpen(before, after []kadm.DescribedProducer) []kadm.DescribedProducer {
	return slices.DeleteFunc(before, func(b kadm.DescribedProducer) bool {
		return !slices.ContainsFunc(after, func(a kadm.DescribedProducer) bool {
			return a.Topic == b.Topic && a.Partition == b.Partition && a.CurrentTxnStartOffset == b.CurrentTxnStartOffset
		})
	})
}

// readDecisions reads the log of the coordinators.
func readDecisions(ctx context.Context, client *kgo.Client) (decisions, error) {
	const topic = "__transaction_state"
	admin := kadm.NewClient(client)
	due, err := cluster.ListOffsets(ctx, topic, admin.ListEndOffsets)
	if err != nil {
		return nil, err
	}
	all := decisions{}
	err = cluster.ReadTo(ctx, client.Opts(), topic, cluster.Filled(nil, due), func(r *kgo.Record) (bool, error) {
		var key kmsg.TxnMetadataKey
		if err := key.ReadFrom(r.Key); err != nil || r.Value == nil {
			return false, err
		}
		d := decision{id: key.TransactionalID}
		err := d.ReadFrom(r.Value)
		all[d.ProducerID] = append(all[d.ProducerID], d)
		return false, err
	})
	return all, err
}

// hangingOf are those of a producer's open transactions that hang, by their epoch.
func hangingOf(open []kadm.DescribedProducer, decided []decision) map[int16]*hanging {
	all := map[int16]*hanging{}
	if len(decided) == 0 {
		return nil
	}
	switch last := decided[len(decided)-1]; last.State {
	case kmsg.TransactionStateOngoing, kmsg.TransactionStatePrepareCommit, kmsg.TransactionStatePrepareAbort:
		if slices.ContainsFunc(open, func(p kadm.DescribedProducer) bool { return p.ProducerEpoch >= last.ProducerEpoch-1 }) {
			return nil // it goes on, or is still being ended
		}
	default:
	}
	for _, p := range open {
		for _, d := range decided {
			// Since KIP-890 an end is written with a greater epoch. One of the same epoch is the end of the transaction before.
			ends := d.State == kmsg.TransactionStatePrepareCommit || d.State == kmsg.TransactionStatePrepareAbort
			if !ends || d.ProducerEpoch <= p.ProducerEpoch {
				continue
			}
			h := all[p.ProducerEpoch]
			if h == nil {
				h = &hanging{id: d.id, topics: kadm.TopicsSet{}}
				all[p.ProducerEpoch] = h
			}
			h.epoch, h.commit, h.coordinator = d.ProducerEpoch, d.State == kmsg.TransactionStatePrepareCommit, max(h.coordinator, p.CoordinatorEpoch)
			h.topics.Add(p.Topic, p.Partition)
			break
		}
	}
	return all
}

// startBroker starts the broker again, and ends what hangs then.
func (s *System) startBroker(ctx context.Context) error {
	if _, err := s.Kafka.Start(ctx); err != nil {
		return err
	}
	client, err := s.Stream.client()
	if err != nil {
		return err
	}
	defer client.Close()
	ended, err := endHanging(ctx, client)
	if len(ended) > 0 {
		s.Log("the broker had lost the ends of transactions: %s", strings.Join(ended, "; "))
	}
	return err
}
