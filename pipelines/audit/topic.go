package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	topicsink "tributary/io/kafkaio/sink"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
)

// readTopic gives the samples of a topic to the parts, those of transactions that were not committed too.
//
// Without a registry they are of the join's schema.
func (k *sink) readTopic(ctx context.Context, s *spec.Spec, schema string, to *parts, c *comparison) (err error) {
	kafka := job.Kafka(s.Cluster(k.output.Cluster))
	if err := c.describeTopic(ctx, kafka, k.output.Topic); err != nil {
		return err
	}
	values, err := newSampleValues(ctx, s, k.output, schema, c.schemas)
	if err != nil {
		return err
	}
	c.transactions = newTransactions()
	return cluster.ReadLog(ctx, kafka, k.output.Topic, func(r *kgo.Record) error {
		if !c.transactions.take(r) {
			return nil
		}
		one := entry{side: sideHave, partition: r.Partition, offset: r.Offset, producer: noProducer, group: groupVersion(r), corrected: correctedOf(r)}
		if r.Attrs.IsTransactional() {
			one.producer = r.ProducerID
		}
		c.began(r)
		if r.Value == nil && c.deletions {
			return to.put(&entry{side: sideDeleted, partition: r.Partition, offset: r.Offset, producer: one.producer, id: r.Key})
		}
		of, raw, err := values.of(ctx, r.Value)
		if err == nil {
			err = of.keys(raw, &one)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.unreadable(Finding{Partition: strconv.Itoa(int(r.Partition)), Offset: &one.offset, ViewID: string(r.Key), Note: err.Error()})
			return nil
		}
		one.schema, one.raw = of.schema, raw
		stage := k.of(one.stage)
		if stage == nil {
			stage = &k.stages[len(k.stages)-1]
		}
		if !c.inRange(stage, one.time) {
			if !c.compacted {
				return nil
			}
			one.side, one.raw = sideBeside, nil
		}
		c.late = c.late || one.corrected == correctedForLate
		return to.put(&one)
	})
}

// describeTopic notes what else says which samples a topic still holds.
func (c *comparison) describeTopic(ctx context.Context, kafka cluster.Config, topic string) error {
	client, err := kafka.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := cluster.ListOffsets(ctx, topic, admin.ListStartOffsets)
	if err != nil {
		return err
	}
	c.partitions = len(starts)
	policy, err := cleanupPolicy(ctx, admin, topic)
	if err != nil {
		return err
	}
	c.compacted = strings.Contains(policy, "compact")
	for _, p := range slices.Sorted(maps.Keys(starts)) {
		if starts[p] > 0 {
			c.trimmed[p] = math.MaxInt64
			if c.compacted {
				continue // compaction is told of by what is missing
			}
			c.result.Notes = append(c.result.Notes, fmt.Sprintf("partition %d begins at offset %d: samples before it are gone, and missing where the range reaches to them", p, starts[p]))
		}
	}
	return nil
}

// began notes when the first record of a partition was written that has let go of those before it.
func (c *comparison) began(r *kgo.Record) {
	if at, trimmed := c.trimmed[r.Partition]; trimmed && at == math.MaxInt64 {
		c.trimmed[r.Partition] = r.Timestamp.UnixMilli()
	}
}

// groupVersion is that of the header of a sample; 0 without one.
func groupVersion(r *kgo.Record) int64 {
	for _, h := range r.Headers {
		if h.Key == topicsink.VersionHeader {
			n, err := strconv.ParseInt(string(h.Value), 10, 64)
			if err == nil && n > 0 {
				return n
			}
		}
	}
	return 0
}

// putRefused gives the parts the ids of the samples that the topic does not take, as the topic of dead letters says.
func (k *sink) putRefused(ctx context.Context, s *spec.Spec, to *parts, c *comparison) error {
	kafka := s.Cluster(s.OutputCluster())
	if s.Outputs.Topics.DeadLetters == "" || kafka == nil {
		return nil
	}
	held, err := cluster.ReadWithin(ctx, job.Kafka(kafka), s.Outputs.Topics.DeadLetters, s.Stream.TransactionTimeout, func(r *kgo.Record) error {
		if !bytes.HasPrefix(r.Key, []byte("samples ")) {
			return nil
		}
		var dead rejected.Record
		if err := json.Unmarshal(r.Value, &dead); err != nil || dead.Reason != record.ReasonTooLarge || dead.ViewID == "" {
			return nil //nolint:nilerr // it names no sample
		}
		return to.put(&entry{side: sideRefused, producer: noProducer, id: []byte(dead.ViewID)})
	})
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	if held {
		c.result.Notes = append(c.result.Notes, "dead letters are behind a transaction that stays open: samples that the topic does not take are missing, where those would say so")
	}
	return nil
}
