package kafkaio

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"tributary/io/event"
)

const (
	// endsEvery is how often the ends of logs are asked for, and so whether they are there.
	endsEvery = time.Second
	// askWithin bounds each question: a broker that is away must not hold up the bundle.
	askWithin = 2 * time.Second
	// tellEvery is how often a log line says what is waited for.
	tellEvery = 30 * time.Second
)

// watch is when a reader last looked at what records do not tell.
type watch struct {
	ends, newPartitions, told time.Time
	// answered is when the clusters last answered.
	answered time.Time
}

// look finds out what no record tells: which partitions are idle, which are new, and
// whether the clusters answer at all. some says that records came in this call.
func (r *reader) look(ctx context.Context, some bool, out output) error {
	now := r.now()
	if some {
		r.watch.answered = now
	}
	if now.Sub(r.watch.ends) >= endsEvery && !r.allDone() {
		r.watch.ends = now
		if err := r.lookAtEnds(ctx, now); err != nil {
			return err
		}
		if err := r.passGaps(ctx, now, out); err != nil {
			return err
		}
		if err := r.declareIdle(ctx, now, out); err != nil {
			return err
		}
	}
	r.tellWhatIsAwaited(ctx, now)
	if r.reading.Stop.At == StopNever && r.reading.NewPartitionsEvery > 0 && !now.Before(r.watch.newPartitions) {
		r.watch.newPartitions = now.Add(r.reading.NewPartitionsEvery)
		return r.lookForPartitions(ctx, out)
	}
	return nil
}

// lookAtEnds asks the clusters how far their logs go. That a cluster does not answer is
// told in the log; that it refuses is an error.
func (r *reader) lookAtEnds(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	for _, l := range r.links {
		var topics []string
		for topic := range l.parts {
			topics = append(topics, topic)
		}
		if len(topics) == 0 {
			continue
		}
		ends, err := l.admin.ListEndOffsets(ctx, topics...)
		switch {
		case err != nil && final(err):
			return fmt.Errorf("%s: %w", l.cluster, err)
		case err != nil:
			log.Warnf(ctx, "%s: waiting for an answer, the last came %s ago: %v", l.cluster, now.Sub(r.watch.answered).Round(time.Second), err)
			return nil
		}
		r.watch.answered = now
		for topic, parts := range l.parts {
			for number, p := range parts {
				end, ok := ends.Lookup(topic, number)
				switch {
				case !ok:
					return anew(p.topic.Name, fmt.Errorf("partition %d is not there", number))
				case end.Err != nil && final(end.Err):
					return fmt.Errorf("%s: %w", p.name(), end.Err)
				case end.Err != nil:
					log.Warnf(ctx, "%s: waiting for its broker: %v", p.name(), end.Err)
					p.end = noStop // not known: it is not taken for idle
				default:
					p.end = end.Offset
				}
			}
		}
	}
	return nil
}

// declareIdle makes partitions idle that have been at the end of their log for long enough.
func (r *reader) declareIdle(ctx context.Context, now time.Time, out output) error {
	if r.reading.IdleAfter == 0 {
		return nil
	}
	for i, p := range r.parts {
		if p.after.Idle || p.after.Next < p.end || p.after.done() || now.Sub(p.quietSince) < r.reading.IdleAfter {
			continue
		}
		if !out.claim(func(at *restriction) { at.Partitions[i].Idle = true }) {
			return errHandedOver
		}
		p.after.Idle = true
		log.Infof(ctx, "%s: idle, without a record for %s: the watermark goes on without it, and what it brings from now on may be late", p.name(), now.Sub(p.quietSince).Round(time.Millisecond))
	}
	return nil
}

// tellWhatIsAwaited says what does not go on: records that are in a log and do not come,
// and the partition that holds the watermark because it has brought nothing, or nothing for
// a while.
func (r *reader) tellWhatIsAwaited(ctx context.Context, now time.Time) {
	if now.Sub(r.watch.told) < tellEvery {
		return
	}
	holder := r.holder()
	for _, p := range r.parts {
		quiet := now.Sub(p.quietSince)
		if quiet < tellEvery || p.after.done() || p.after.Idle {
			continue
		}
		quiet = quiet.Round(time.Second)
		switch {
		case p.unread():
			log.Infof(ctx, "%s: nothing came for %s, though the log goes from offset %d to %d: held back by an open transaction, or its broker is slow", p.name(), quiet, p.after.Next, p.end)
		case p.after.MaxTime == event.NoTime:
			log.Infof(ctx, "%s: nothing came yet, for %s: it holds back the watermark, and with it every sample%s", p.name(), quiet, r.untilIdle())
		case p == holder:
			log.Infof(ctx, "%s: nothing came for %s: it holds back the watermark, and with it every sample, at %s%s",
				p.name(), quiet, eventTime(behind(p.after.MaxTime, r.outOfOrderness)).ToTime().Format(time.RFC3339), r.untilIdle())
		default:
			continue
		}
		r.watch.told = now
	}
}

// holder is the partition that holds the reader's watermark: of those that have brought
// something the one furthest behind; nil if there is none.
func (r *reader) holder() *partition {
	var holder *partition
	for _, p := range r.parts {
		if p.after.Idle || p.after.done() || p.after.MaxTime == event.NoTime {
			continue
		}
		if holder == nil || p.after.MaxTime < holder.after.MaxTime {
			holder = p
		}
	}
	return holder
}

// untilIdle says for how long a partition is waited for.
func (r *reader) untilIdle() string {
	if r.reading.IdleAfter == 0 {
		return ", for as long as nothing comes (idle_after would end that)"
	}
	return fmt.Sprintf(", until it is idle, after %s", r.reading.IdleAfter)
}

// lookForPartitions takes up partitions that were added to topics. They begin as idle ones:
// the watermark has gone on without them.
func (r *reader) lookForPartitions(ctx context.Context, out output) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	for i, t := range r.topics {
		l := r.links[t.Cluster]
		starts, err := l.admin.ListStartOffsets(ctx, t.Name)
		if err != nil && final(err) {
			return fmt.Errorf("%s: %w", l.cluster, err)
		}
		if err != nil {
			log.Warnf(ctx, "%s: waiting for an answer about new partitions of %s: %v", l.cluster, t.Name, err)
			continue
		}
		if starts[t.Name][-1].Err != nil {
			return fmt.Errorf("%s: topic %s: %w", l.cluster, t.Name, starts[t.Name][-1].Err)
		}
		var added []position
		for number, start := range starts[t.Name] {
			known := slices.ContainsFunc(r.parts, func(p *partition) bool {
				return int(p.after.Topic) == i && p.after.Partition == number
			})
			if known || start.Err != nil || number < 0 || int(number)%r.reading.Readers != r.index {
				continue
			}
			added = append(added, position{Topic: int32(i), Partition: number, Next: start.Offset, Stop: noStop, MaxTime: event.NoTime, Idle: true})
		}
		if len(added) == 0 {
			continue
		}
		log.Infof(ctx, "%s: topic %s has %d new partitions for reader %d", l.cluster, t.Name, len(added), r.index)
		if !out.claim(func(at *restriction) { at.add(added) }) {
			return errHandedOver
		}
		r.stale = true
	}
	return nil
}
