package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// addPartitions adds a partition to each topic of input while the job runs, and publishes to it.
func addPartitions(ctx context.Context, s *System, _ *rand.Rand) error {
	for _, topic := range []string{"views", "engagements"} {
		if err := s.addPartition(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

// addPartitionsStopped does so while the job is stopped, which then has some of their records to
// catch up with, from a savepoint or from the log.
func addPartitionsStopped(ctx context.Context, s *System, random *rand.Rand) error {
	savepoint, err := s.stopWithSavepoint(ctx)
	if err != nil {
		return err
	}
	s.killFollower()
	if err := addPartitions(ctx, s, random); err != nil {
		return err
	}
	wait(ctx, 5*time.Second)
	return s.submit(ctx, one([]string{savepoint, fromLog}, random))
}

// addPartition adds a partition to a topic, and has it take what is left of another one's records.
func (s *System) addPartition(ctx context.Context, topic string) error {
	client, err := s.Stream.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin, name := kadm.NewClient(client), s.Stream.topic(topic)
	answers, err := admin.CreatePartitions(ctx, 1, name)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		return fmt.Errorf("add a partition to %s: %w", name, err)
	}
	added := s.Stream.partitions[topic]
	s.Stream.partitions[topic]++
	for ctx.Err() == nil { // until the publisher's client has heard of it
		if leader, _, err := s.Publisher.client.PartitionLeader(name, added); err == nil && leader >= 0 {
			break
		}
		s.Publisher.client.ForceMetadataRefresh()
		wait(ctx, 50*time.Millisecond)
	}
	return s.Publisher.move(topic, added)
}

// move has what is left of the records of one partition published to another one. It begins
// with a record that is the latest of all before it by a little, so that all that follow are in time
// or late in the one partition as in the other.
func (p *Publisher) move(topic string, to int32) error {
	p.moving.Lock()
	defer p.moving.Unlock()
	from := p.source(topic)
	if from == nil {
		return fmt.Errorf("no partition of %s is published to that can be given up", topic)
	}
	const little = 1000 // ms
	at := max(from.next, 1)
	for ; at < len(from.Records); at++ {
		if d := from.Records[at].Reached - from.Records[at-1].Reached; d > 0 && d <= little {
			break
		}
	}
	if at == len(from.Records) {
		return fmt.Errorf("partition %d of %s has no record left that another one can begin with", from.Partition, topic)
	}
	log := Log{Topic: topic, Partition: to, Records: from.Records[at:]}
	from.Records = from.Records[:at]
	p.logs = append(p.logs, &published{Log: log, before: from.Records[at-1].Reached})
	p.stream.Input.Logs = append(slices.DeleteFunc(p.stream.Input.Logs, func(l Log) bool {
		return l.Topic == topic && l.Partition == from.Partition
	}), from.Log, log)
	return nil
}

// source is a partition of the topic that can be given up: of the reader with the most that are
// published to, since one without any would follow the clock of the machine.
func (p *Publisher) source(topic string) *published {
	busy := map[int32]int{}
	for _, log := range p.logs {
		if log.next < len(log.Records) {
			busy[log.Partition%readers]++
		}
	}
	var source *published
	for _, log := range p.logs {
		if log.Topic != topic || log.next == len(log.Records) || busy[log.Partition%readers] < 2 {
			continue
		}
		if source == nil || busy[log.Partition%readers] > busy[source.Partition%readers] {
			source = log
		}
	}
	return source
}

// active lists the partitions of a topic that are published to.
func (p *Publisher) active(topic string) []int32 {
	p.moving.Lock()
	defer p.moving.Unlock()
	var active []int32
	for _, log := range p.logs {
		if log.Topic == topic && log.next < len(log.Records) {
			active = append(active, log.Partition)
		}
	}
	return active
}
