package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

const (
	// endsEvery is how often the ends of logs are asked for, and so whether they are there. The
	// watermark moves no further than what was read when they were last known.
	endsEvery = 100 * time.Millisecond
	// askWithin bounds each question: a broker that is away must not hold up the bundle.
	askWithin = 2 * time.Second
	// quietStep is the most that two looks at the end of a log prove of the time between
	// them: a process that was stopped, or a broker that was away, saw nothing of it.
	quietStep = 10 * time.Second
)

// watch is when a reader last looked at what records do not tell.
type watch struct {
	ends, told time.Time
	// answered is when the clusters last answered.
	answered time.Time
	// allowed is the watermark that positions had reached when the ends of all logs were known
	// last, and that there are no partitions beside those that are read.
	allowed int64
}

// look finds out what no record tells: which partitions are idle, which are new, and
// whether the clusters answer at all. some says that records came in this call.
func (r *Reader) look(ctx context.Context, some bool, out Output) error {
	now := r.Now()
	if some {
		r.watch.answered = now
	}
	if now.Sub(r.watch.ends) >= endsEvery && !r.allDone() {
		r.watch.ends = now
		added, complete, err := r.lookAtEnds(ctx, now)
		if err != nil {
			return err
		}
		if err := r.wakeUnknown(out); err != nil {
			return err
		}
		if err := r.takeUp(ctx, added, out); err != nil {
			return err
		}
		if err := r.passGaps(ctx, now, out); err != nil {
			return err
		}
		if err := r.declareIdle(ctx, out); err != nil {
			return err
		}
		if complete && len(added) == 0 {
			at := Restriction{Watermark: r.watermark}
			for _, p := range r.parts {
				at.Partitions = append(at.Partitions, p.after)
			}
			r.watch.allowed = max(r.watch.allowed, at.reached(r.outOfOrderness, r.leap))
		}
	}
	r.tellWhatIsAwaited(ctx, now)
	return nil
}

// lookAtEnds asks the clusters how far their logs go, and returns the partitions that are
// new. It is complete if all have answered. That one does not answer is told in the log; that
// it refuses is an error.
func (r *Reader) lookAtEnds(ctx context.Context, now time.Time) (added []position, complete bool, err error) {
	complete = true
	for name, l := range r.links {
		ends, silent := l.ends(ctx, r.config.topicsOf(name))
		switch {
		case silent == nil:
			r.watch.answered = now
		case cluster.Permanent(silent):
			return nil, false, fmt.Errorf("%s: %w", l.cluster, silent)
		default: // some of its brokers may have answered
			complete = false
			log.Warnf(ctx, "%s: waiting for an answer, the last came %s ago: %v", l.cluster, now.Sub(r.watch.answered).Round(time.Second), silent)
		}
		for topic, parts := range l.parts {
			for number, p := range parts {
				end, ok := ends.Lookup(topic, number)
				if !ok && silent == nil { // where all have answered, it is gone
					end.Err = cmp.Or(ends[topic][-1].Err, fmt.Errorf("partition %d is not there", number))
					err = r.missing(ctx, l, topic, end.Err)
				} else if ok {
					err = r.heard(ctx, p, end, now)
				}
				if err != nil {
					return nil, false, err
				}
				if !ok || end.Err != nil {
					complete = false
					p.lost()
				}
			}
		}
		more, all := r.newPartitions(l, name, ends)
		added, complete = append(added, more...), complete && all
	}
	return added, complete, nil
}

// heard takes what a broker says of where the log of a partition ends.
func (r *Reader) heard(ctx context.Context, p *partition, end kadm.ListedOffset, now time.Time) error {
	switch {
	case end.Err == nil:
		delete(r.unknown, p.topic.Name)
		p.found(end.Offset, now, min(quietStep, r.config.IdleAfter/2))
	case cluster.Permanent(end.Err):
		return fmt.Errorf("%s: %w", p.name(), end.Err)
	default:
		log.Warnf(ctx, "%s: waiting for its broker: %v", p.name(), end.Err)
	}
	return nil
}

// ends asks where the logs of all partitions end that topics have now.
func (l *link) ends(ctx context.Context, topics []string) (kadm.ListedOffsets, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, topic := range topics {
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = &topic
		req.Topics = append(req.Topics, asked)
	}
	// What clients remember may be older than a partition.
	if _, err := l.client.RequestCachedMetadata(ctx, req, time.Nanosecond); err != nil {
		return nil, err
	}
	return l.admin.ListEndOffsets(ctx, topics...)
}

// found notes where the log of a partition ends. What was there at the last look and has been
// read since proves that it was quiet meanwhile, for step at most.
func (p *partition) found(end int64, now time.Time, step time.Duration) {
	switch {
	case !p.known || p.after.Next < p.listed:
		p.quiet, p.timeless = 0, false
	default:
		p.quiet += min(now.Sub(p.looked), step)
	}
	p.end, p.listed, p.known, p.looked = end, end, true, now
}

// lost notes that it is not known where the log ends: the partition may be far from quiet.
func (p *partition) lost() { p.known, p.quiet = false, 0 }

// newPartitions returns the partitions of a cluster's topics that are this reader's and that
// it does not read yet; all is false if not all of them can be read yet.
func (r *Reader) newPartitions(l *link, of string, ends kadm.ListedOffsets) (added []position, all bool) {
	all = true
	if r.config.Stop.At != StopNever {
		return nil, true
	}
	for i, t := range r.topics {
		if t.Cluster != of {
			continue
		}
		for number, end := range ends[t.Name] {
			if number < 0 || int(number)%r.config.Readers != r.index || l.parts[t.Name][number] != nil {
				continue
			}
			if end.Err != nil {
				all = false
				continue
			}
			added = append(added, position{Topic: int32(i), Partition: number, Stop: noStop, Clock: record.NoClock})
		}
	}
	return added, all
}

// takeUp begins to read partitions that were added to topics, from their start. Until they
// have brought something, or are idle, they hold the watermark where it is; where that is
// counts as theirs, or what they bring could be too late for the runner and in time by their
// own logs.
func (r *Reader) takeUp(ctx context.Context, added []position, out Output) error {
	if len(added) == 0 {
		return nil
	}
	starts := map[int32]kadm.ListedOffsets{} // by topic
	for i := range added {
		p := &added[i]
		t := r.topics[p.Topic]
		l := r.links[t.Cluster]
		var err error
		if starts[p.Topic] == nil {
			ask, cancel := context.WithTimeout(ctx, askWithin)
			starts[p.Topic], err = l.admin.ListStartOffsets(ask, t.Name)
			cancel()
		}
		start, ok := starts[p.Topic].Lookup(t.Name, p.Partition)
		if err = cmp.Or(err, start.Err); err != nil || !ok {
			log.Warnf(ctx, "%s: waiting for where the new partition %d of %s begins: %v", l.cluster, p.Partition, t.Name, err)
			return nil // until the next look, for which the watermark waits
		}
		p.Next = start.Offset
		if r.watermark != record.NoTime {
			p.raise(r.watermark+r.outOfOrderness, r.leap)
		}
	}
	if !out.Claim(func(at *Restriction) { at.add(added) }) {
		return ErrHandedOver
	}
	for _, p := range added {
		t := r.topics[p.Topic]
		log.Infof(ctx, "%s: topic %s has the new partition %d, which reader %d reads", r.links[t.Cluster].cluster, t.Name, p.Partition, r.index)
	}
	r.stale = true
	return nil
}

// wakeUnknown ends that a partition is idle if it is not known where its log ends: what
// producers cannot write now may come later.
func (r *Reader) wakeUnknown(out Output) error {
	for _, p := range r.parts {
		if !p.after.Idle || p.known {
			continue
		}
		p.wake()
		after := p.after
		if !out.Claim(func(at *Restriction) { at.Partitions[at.find(after)] = after }) {
			return ErrHandedOver
		}
	}
	return nil
}

// declareIdle makes partitions idle that have brought nothing for long enough that could move
// the watermark, though all that their logs held was read.
func (r *Reader) declareIdle(ctx context.Context, out Output) error {
	if r.config.IdleAfter == 0 {
		return nil
	}
	for _, p := range r.parts {
		unread := p.after.Next < p.listed && !p.timeless
		if p.after.Idle || !p.known || unread || p.after.done() || p.quiet < r.config.IdleAfter {
			continue
		}
		if !out.Claim(func(at *Restriction) { at.Partitions[at.find(p.after)].Idle = true }) {
			return ErrHandedOver
		}
		p.after.Idle = true
		log.Infof(ctx, "%s: idle, without a record%s for %s: the watermark goes on without it, and what it brings from now on may be late", p.name(), p.timelessText(), p.quiet.Round(time.Millisecond))
	}
	return nil
}

func (p *partition) timelessText() string {
	if p.timeless {
		return " that has a usable event time"
	}
	return ""
}

// find returns the index of a partition.
func (r *Restriction) find(p position) int {
	return slices.IndexFunc(r.Partitions, func(o position) bool { return o.Topic == p.Topic && o.Partition == p.Partition })
}
