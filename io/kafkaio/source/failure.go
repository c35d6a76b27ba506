package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchFailed tells what an error of a fetch means. Those that heal are not returned: the
// client tries again.
func (r *Reader) fetchFailed(ctx context.Context, l *link, p *partition, f kgo.FetchTopicPartition) error {
	var lost *kgo.ErrDataLoss
	var bomb *kgo.ErrDecompressTooLarge
	switch {
	case p == nil && (errors.Is(f.Err, context.DeadlineExceeded) || errors.Is(f.Err, context.Canceled)):
		return nil // there was nothing in the time given
	case p == nil:
		return fmt.Errorf("%s: %w", l.cluster, f.Err)
	case errors.Is(f.Err, kerr.OffsetOutOfRange):
		return r.truncated(ctx, p)
	case errors.As(f.Err, &lost):
		return fmt.Errorf("%s: the log lost records that had been read: it was read to offset %d and now ends at %d: %w", p.name(), lost.ConsumedTo, lost.ResetTo, f.Err)
	case errors.As(f.Err, &bomb):
		return r.passBomb(p, bomb)
	case errors.Is(f.Err, kerr.UnknownTopicID):
		return r.missing(ctx, l, p.topic.Name, f.Err)
	case kerr.IsRetriable(f.Err):
		return nil
	}
	return fmt.Errorf("%s: fetch at offset %d: %w", p.name(), p.after.Next, f.Err)
}

// anew is the error about a topic that is not the one whose offsets are known.
func anew(topic string, why error) error {
	return fmt.Errorf("topic %s is not the one that was read so far: it was deleted, and perhaps made anew, or the job now reads other topics; start a new job, without the state of this one: %w", topic, why)
}

// absentFor is for how long a cluster may not know a topic: brokers answer before they have
// heard of all that there is, when they have just started.
var absentFor = 15 * time.Second

// missing deals with a topic, or a partition of it, that its cluster does not know. It is
// waited for, unless another topic has its name.
func (r *Reader) missing(ctx context.Context, l *link, topic string, why error) error {
	now := r.Now()
	since, waiting := r.unknown[topic]
	switch {
	case !waiting:
		r.unknown[topic] = now
		log.Warnf(ctx, "%s: topic %s is not known, and waited for: %v", l.cluster, topic, why)
	case now.Sub(since) >= absentFor:
		return anew(topic, why)
	}
	if err := r.sameTopics(ctx, l, l.cluster.Name); errors.Is(err, errOtherID) {
		return err
	}
	return nil
}

var errOtherID = errors.New("it has another id")

// sameTopics sees that the topics of a cluster are those that positions are of. A restart
// would otherwise read on, in the middle of another log, without a word.
func (r *Reader) sameTopics(ctx context.Context, l *link, cluster string) error {
	found, err := l.admin.ListTopics(ctx, r.config.topicsOf(cluster)...)
	if err != nil {
		return fmt.Errorf("%s: look at topics: %w", l.cluster, err)
	}
	for i, t := range r.topics {
		if t.Cluster != cluster || i >= len(r.ids) || r.ids[i] == (kadm.TopicID{}) {
			continue
		}
		if now := found[t.Name].ID; now != r.ids[i] && found[t.Name].Err == nil {
			return anew(t.Name, errOtherID)
		}
	}
	return nil
}

// truncated deals with a position that is not in the log.
func (r *Reader) truncated(ctx context.Context, p *partition) error {
	first, end, err := p.link.bounds(ctx, p)
	if err != nil {
		return fmt.Errorf("%s: offset %d is not in the log: %w", p.name(), p.after.Next, err)
	}
	if p.after.Next > end {
		return fmt.Errorf("%s: offset %d is wanted, but the log ends at %d: it was truncated or made anew", p.name(), p.after.Next, end)
	}
	if r.config.OnTruncation != SkipTruncated {
		return fmt.Errorf("%s: offset %d is wanted, but the log holds %d to %d only: records were deleted before they were read", p.name(), p.after.Next, first, end)
	}
	if err := p.flush(); err != nil {
		return err
	}
	r.Stats.Truncated += first - p.after.Next
	p.after.Next = first
	r.stale = true
	return fmt.Errorf("%s: %w", p.name(), errReopen)
}

// bounds asks for the first offset of a partition and the one behind its last.
func (l *link) bounds(ctx context.Context, p *partition) (first, end int64, err error) {
	start, err := l.admin.ListStartOffsets(ctx, p.topic.Name)
	if err != nil {
		return 0, 0, err
	}
	ends, err := l.admin.ListEndOffsets(ctx, p.topic.Name)
	if err != nil {
		return 0, 0, err
	}
	at, _ := start.Lookup(p.topic.Name, p.after.Partition)
	to, _ := ends.Lookup(p.topic.Name, p.after.Partition)
	return at.Offset, to.Offset, errors.Join(at.Err, to.Err)
}
