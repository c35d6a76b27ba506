package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
)

// noWatermark is before the first; event times are not before 1970.
const noWatermark int64 = -1

// position is how far a partition is read.
type position struct {
	next, start, end int64
	// stable is up to where nothing is in an open transaction.
	stable int64
	// clock is that of its log, as far as entries of the time index and accounts say it.
	clock record.Clock
	// noted is when it was written last how far it is read.
	noted time.Time
	// begun says that something tells how far it is read; failed is why the brokers do not tell how far it goes.
	begun  bool
	failed error
}

// lag counts what is not read.
func (p *position) lag() int64 { return max(0, p.end-max(p.next, p.start)) }

// idle tells whether it holds no watermark back: all is read but for the marker of a transaction, and for long enough.
func (p *position) idle(now time.Time, after time.Duration) bool {
	return after > 0 && p.failed == nil && p.lag() <= 1 && now.Sub(p.noted) >= after
}

// partitions tell how far each is read, and the watermark.
func (w *Watch) partitions(ctx context.Context, read []stream.ReadTo, s *State) error {
	all, order, err := w.ends(ctx, s)
	if err != nil {
		return err
	}
	counted := map[cluster.Partition]bool{}
	for _, to := range read {
		p := all[to.Partition]
		if p == nil {
			continue // of a topic that is gone
		}
		if !counted[to.Partition] || to.Next < p.next { // the least far of several roles
			p.next = to.Next
		}
		counted[to.Partition], p.begun = true, true
		if to.Clock.Largest > p.clock.Largest {
			p.clock = to.Clock
		}
		if to.Written.After(p.noted) {
			p.noted = to.Written
		}
	}
	if err := w.noted(ctx, all, counted); err != nil {
		return err
	}
	return w.judge(s, all, order)
}

// noted adds what the time index has of partitions, counted those of which accounts say how far they are read: an entry says so of none, as
// one of several roles may be behind.
func (w *Watch) noted(ctx context.Context, all map[cluster.Partition]*position, counted map[cluster.Partition]bool) error {
	index := w.spec.Outputs.Topics.TimeIndex
	if index == "" {
		return nil
	}
	entries, err := timeindex.Read(ctx, job.Kafka(w.spec.Cluster(w.spec.OutputCluster())), index)
	if err != nil {
		return err
	}
	newest := map[cluster.Partition]timeindex.Entry{}
	for _, entry := range entries {
		if known, ok := newest[entry.Partition]; ok && known.Written > entry.Written {
			continue // an earlier reading may have been further
		} else if ok && known.Written == entry.Written && known.Offset > entry.Offset {
			continue
		}
		newest[entry.Partition] = entry
	}
	for name, entry := range newest {
		p := all[name]
		if p == nil {
			continue
		}
		p.begun = true
		if entry.Clock.Largest > p.clock.Largest {
			p.clock = entry.Clock
		}
		if !counted[name] {
			p.next = max(p.next, entry.Offset)
		}
		if at := time.UnixMilli(entry.Written); at.After(p.noted) {
			p.noted = at
		}
	}
	return nil
}

// judge finds the watermark, and what holds it. The error names partitions without a leader, of which the State does not tell all.
func (w *Watch) judge(s *State, all map[cluster.Partition]*position, order []cluster.Partition) error {
	now, r := s.At, rulesOf(w.spec)
	lowest, second, highest, unknown := noWatermark, noWatermark, noWatermark, 0
	marks := make([]int64, len(order))
	var failed error
	for i, name := range order {
		p := all[name]
		if p.failed != nil {
			failed = cmp.Or(failed, fmt.Errorf("partition %s has no leader: %w", name, p.failed))
		}
		idle := p.idle(now, r.idleTimeout)
		marks[i] = noWatermark
		if p.clock == record.NoClock {
			if !idle {
				unknown++
			}
			continue
		}
		s.newest = max(s.newest, p.clock.Time(r.leap))
		at := p.clock.Time(r.leap) - r.outOfOrderness
		marks[i], highest = at, max(highest, at)
		if idle {
			continue
		}
		if lowest == noWatermark || at < lowest {
			lowest, second = at, lowest
		} else if second == noWatermark || at < second {
			second = at
		}
	}
	for i, name := range order {
		p, idle := all[name], all[name].idle(now, r.idleTimeout)
		out := Partition{
			Cluster: name.Cluster, Topic: name.Topic, Partition: name.Partition, Start: p.start, End: p.end, Next: max(p.next, p.start), Idle: idle,
			Watermark: timeOf(marks[i]),
		}
		if p.failed == nil {
			lag := p.lag()
			out.Lag = &lag
			s.Lag += lag
		}
		if !p.noted.IsZero() {
			at := p.noted.UTC()
			out.Noted = &at
		}
		out.Holds = !idle && (marks[i] == noWatermark || unknown == 0 && marks[i] == lowest)
		out.Cause, out.Why = r.cause(p, idle, marks[i], highest, now)
		s.Partitions = append(s.Partitions, out)
	}
	slices.SortStableFunc(s.Partitions, worse)
	s.All = len(s.Partitions)
	if lowest == noWatermark { // all are idle
		lowest = highest
	}
	if unknown == 0 && lowest != noWatermark {
		s.Watermark = timeOf(lowest)
		behind := now.Sub(*s.Watermark).Seconds()
		s.Behind = &behind
	}
	if second == noWatermark { // all others are idle
		second = highest
	}
	s.hold(lowest, second, unknown)
	return failed
}

// hold names the partition that holds the watermark at lowest, which would else be at next.
func (s *State) hold(lowest, next int64, unknown int) {
	if len(s.Partitions) == 0 || !s.Partitions[0].Holds {
		return
	}
	p := &s.Partitions[0]
	s.Holder = &Holder{Partition: p.Name(), Cause: p.Cause, Why: p.Why}
	if unknown == 0 {
		by := float64(max(0, next-lowest)) / 1000
		s.Holder.By = &by
	}
}

// timeOf is a time in ms; nil for noWatermark.
func timeOf(ms int64) *time.Time {
	if ms == noWatermark {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}
