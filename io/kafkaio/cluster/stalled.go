package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stalled adds to the error of a reading that did not come to its end what it waited for.
func stalled(ctx context.Context, client *kgo.Client, topic string, due map[int32]int64, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second) // only to say more
	defer cancel()
	admin := kadm.NewClient(client)
	stable, listErr := ListOffsets(ctx, topic, admin.ListCommittedOffsets)
	var waits []string
	for p, end := range due {
		wait := fmt.Sprintf("partition %d up to %d", p, end)
		switch at, ok := stable[p]; {
		case listErr != nil || !ok:
		case at < end:
			wait += ", where " + describeOpen(ctx, admin, topic, p, at)
		default:
			wait += ", all of it committed"
		}
		waits = append(waits, wait)
	}
	slices.Sort(waits)
	return fmt.Errorf("read %s: waited for %s: %w", topic, strings.Join(waits, "; "), err)
}

// describeOpen says whose transaction is open from an offset of a partition on, and what is wrong with it if its coordinator has
// ended it: then it stays open (KIP-664 calls it hanging). Kafka 4.3.1 comes to that where a broker is killed between the decision
// on a transaction and its markers, and finds no leader of the partition while it starts again.
func describeOpen(ctx context.Context, admin *kadm.Client, topic string, partition int32, at int64) string {
	open := fmt.Sprintf("is open from %d on", at)
	var partitions kadm.TopicsSet
	partitions.Add(topic, partition)
	described, err := admin.DescribeProducers(ctx, partitions)
	if err != nil {
		return "a transaction " + open
	}
	for _, p := range described.SortedProducers() {
		if p.CurrentTxnStartOffset != at {
			continue
		}
		producer := fmt.Sprintf("producer %d, epoch %d", p.ProducerID, p.ProducerEpoch)
		listed, err := admin.ListTransactions(ctx, []int64{p.ProducerID}, nil)
		if err != nil || len(listed) == 0 {
			return fmt.Sprintf("a transaction of %s %s", producer, open)
		}
		t := listed.Sorted()[0]
		open = fmt.Sprintf("a transaction of %s (%s) %s", t.TxnID, producer, open)
		if t.State != "Ongoing" && !strings.HasPrefix(t.State, "Prepare") {
			open += ", though it was ended (its state is " + t.State + "): the brokers have lost its end, and no reader of what is committed comes past it; " +
				"tributary repair SPEC --hanging ends it (tributary help streams, Brokers that lose the end of a transaction)"
		}
		return open
	}
	return "a transaction " + open
}
