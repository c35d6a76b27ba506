package source

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// gapAfter is after how long without a record it is asked what a log holds there.
const gapAfter = 5 * time.Second

// passGaps moves partitions over batches without records. Compaction leaves such a batch
// where it takes the last records of a producer, and clients pass over it without a word: at
// the end of a log, the partition would neither reach its end nor be idle.
func (r *Reader) passGaps(ctx context.Context, now time.Time, out Output) error {
	for _, p := range r.parts {
		if !p.unread() || now.Sub(p.cameSince) < gapAfter || now.Sub(p.gapSought) < gapAfter {
			continue
		}
		p.gapSought = now
		next := p.link.pastEmpty(ctx, p)
		if next == p.after.Next {
			continue
		}
		if !out.Claim(func(at *Restriction) { at.Partitions[at.find(p.after)].Next = next }) {
			return ErrHandedOver
		}
		p.after.Next = next
	}
	return nil
}

// pastEmpty returns the offset behind the batches without records that the log has from the
// partition's position on, as far as the brokers tell: what holds no records can wait. That
// they send nothing at all proves nothing.
func (l *link) pastEmpty(ctx context.Context, p *partition) int64 {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	next := p.after.Next
	topics, err := l.admin.ListTopics(ctx, p.topic.Name)
	if err != nil {
		return next
	}
	leader := topics[p.topic.Name].Partitions[p.after.Partition].Leader
	req := kmsg.NewPtrFetchRequest()
	req.IsolationLevel, req.MaxBytes = 1, fetchPartitionBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = p.topic.Name, topics[p.topic.Name].ID
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = p.after.Partition, next, fetchPartitionBytes
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, l.client.Broker(int(leader)))
	if err != nil {
		return next
	}
	for _, t := range resp.Topics {
		for _, part := range t.Partitions {
			if part.ErrorCode != 0 { // which the client is told, too
				return next
			}
			next = max(next, behindEmpty(part.RecordBatches, next))
		}
	}
	return next
}

// Where a batch of records, as it is on the wire, says how large it is and what it holds.
const (
	batchLength     = 8
	batchLastOffset = 23 // less its first
	batchCount      = 57
	batchHeader     = 61
)

// behindEmpty returns the offset behind those batches without records that follow on next.
func behindEmpty(batches []byte, next int64) int64 {
	for len(batches) >= batchHeader {
		size := batchLength + 4 + int(int32(binary.BigEndian.Uint32(batches[batchLength:])))
		last := int64(binary.BigEndian.Uint64(batches)) + int64(binary.BigEndian.Uint32(batches[batchLastOffset:]))
		switch {
		case size < batchHeader || size > len(batches):
			return next
		case last < next: // a broker's answer begins with a whole batch
		case binary.BigEndian.Uint32(batches[batchCount:]) > 0:
			return next
		default:
			next = last + 1
		}
		batches = batches[size:]
	}
	return next
}
