package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// endHanging ends the transactions that hang, as whoever runs the brokers would have to. It returns what it has ended.
func endHanging(ctx context.Context, client *kgo.Client) (ended []string, err error) {
	open, err := cluster.OpenTransactions(ctx, client)
	if err != nil {
		return nil, err
	}
	for _, t := range open {
		if !t.Decided() {
			continue
		}
		commit := t.Fate == cluster.LostCommit
		if err := t.End(ctx, client, commit); err != nil {
			return nil, err
		}
		for _, p := range t.Partitions {
			ended = append(ended, fmt.Sprintf("%s in %s/%d, commit: %t", t.ID, p.Topic, p.Partition, commit))
		}
	}
	return ended, nil
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
