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
	// endsEvery is how often the ends of logs are asked for when nothing comes.
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
	if (!some || r.reading.IdleAfter > 0) && now.Sub(r.watch.ends) >= endsEvery && !r.allDone() {
		r.watch.ends = now
		if err := r.lookAtEnds(ctx, now); err != nil {
			return err
		}
		if err := r.declareIdle(now, out); err != nil {
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
					return fmt.Errorf("%s: is no longer there", p.name())
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
func (r *reader) declareIdle(now time.Time, out output) error {
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
	}
	return nil
}

// tellWhatIsAwaited says what does not go on: records that are in a log and do not come,
// and partitions that hold the watermark because nothing was ever read from them.
func (r *reader) tellWhatIsAwaited(ctx context.Context, now time.Time) {
	if now.Sub(r.watch.told) < tellEvery {
		return
	}
	for _, p := range r.parts {
		quiet := now.Sub(p.quietSince)
		if quiet < tellEvery || p.after.done() || p.after.Idle {
			continue
		}
		switch {
		case p.after.Next < min(p.end, p.after.Stop):
			log.Infof(ctx, "%s: nothing came for %s, though the log goes from offset %d to %d: held back by an open transaction, or its broker is slow", p.name(), quiet.Round(time.Second), p.after.Next, p.end)
		case p.after.MaxTime == event.NoTime:
			log.Infof(ctx, "%s: nothing came yet, for %s: it holds back the watermark, and with it every sample", p.name(), quiet.Round(time.Second))
		default:
			continue
		}
		r.watch.told = now
	}
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
