package live

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// Cause is why the watermark of a partition is where it is.
type Cause string

// Causes, the gravest first.
const (
	// Leaderless: no broker leads it, or the one that does is away.
	Leaderless Cause = "leaderless"
	// Hidden: an open transaction hides its records.
	Hidden Cause = "open_transaction"
	// Stalled: it has records, and none was read for a while.
	Stalled Cause = "stalled"
	// Unread: it has records, and none was ever read.
	Unread Cause = "not_begun"
	// Behind: it has records, and they are being read.
	Behind Cause = "behind"
	// NoRecords: none with a time came yet.
	NoRecords Cause = "no_records"
	// Unnoted: records were read, and their event times are not noted.
	Unnoted Cause = "not_noted"
	// OneAhead: its newest record is far ahead of all others.
	OneAhead Cause = "one_ahead"
	// Ahead: its clock is ahead of now.
	Ahead Cause = "ahead_of_time"
	// Quiet: all is read, and nothing came for a while.
	Quiet Cause = "quiet"
	// Current: all is read.
	Current Cause = "current"
	// Idle: all is read, and nothing came for so long that it holds nothing back.
	Idle Cause = "idle"
)

// Causes are all, the gravest first.
var Causes = []Cause{Leaderless, Hidden, Stalled, Unread, Behind, NoRecords, Unnoted, OneAhead, Ahead, Quiet, Current, Idle}

const (
	// stalledAfter is longer than bundles, checkpoints and transactions take, which say how far a partition is read.
	stalledAfter = 5 * time.Minute
	// quietAfter is after how long without a record the readers' logs say so.
	quietAfter = 30 * time.Second
	// aheadBy is how far apart clocks of machines may be.
	aheadBy = 5 * time.Second
)

// rules are those of a spec on event times.
type rules struct {
	idleTimeout, skew    time.Duration
	leap, outOfOrderness int64 // ms
}

func rulesOf(s *spec.Spec) rules {
	return rules{s.Stream.IdleTimeout, s.MaxFutureSkew(), s.MaxFutureSkew().Milliseconds(), s.OutOfOrderness.Milliseconds()}
}

// cause says why a partition is where it is, in words; mark is its watermark, highest the largest of all.
func (r *rules) cause(p *position, idle bool, mark, highest int64, now time.Time) (Cause, string) {
	lag := p.lag()
	wait := report.Number(lag, "record") + " " + plural(lag, "waits", "wait")
	quiet := now.Sub(p.noted)
	switch {
	case p.failed != nil:
		return Leaderless, "no broker leads it, or its leader does not answer, so that nobody can read it: " + shorten(cluster.OneLine(p.failed))
	case lag > 1 && p.stable < p.end && max(p.next, p.start) >= p.stable:
		return Hidden, fmt.Sprintf("an open transaction from offset %d on hides %s from readers of what is committed", p.stable, report.Number(p.end-p.stable, "record"))
	case lag > 1 && !p.begun:
		return Unread, wait + ", and none was read yet"
	case lag > 1 && quiet >= stalledAfter && p.noted.IsZero():
		return Stalled, wait + ", and none was read for long: does the job run?"
	case lag > 1 && quiet >= stalledAfter:
		return Stalled, fmt.Sprintf("%s, and none was read for %s: does the job run, and is its reader well?", wait, span(quiet))
	case lag > 1:
		return Behind, wait + " to be read" + r.apart(mark, highest)
	case idle:
		return Idle, "all is read, and nothing came for longer than stream.idle_timeout, " + span(r.idleTimeout) + ": it holds nothing back"
	case p.clock == record.NoClock && p.next > p.start:
		return Unnoted, "it was read, and no event time that it has come to is noted yet: readers note it with the records that follow, if any has a usable one"
	case p.clock == record.NoClock:
		return NoRecords, "no record came yet" + r.untilIdle()
	case p.clock.Time(r.leap) != p.clock.Largest:
		return OneAhead, fmt.Sprintf("its newest record, of %s, is %s ahead of all before it, and counts only when another one comes within stream.max_future_skew, %s, of it",
			time.UnixMilli(p.clock.Largest).UTC().Format(time.RFC3339), span(time.Duration(p.clock.Largest-p.clock.Second)*time.Millisecond), span(r.skew))
	case time.UnixMilli(p.clock.Largest).Sub(now) > aheadBy:
		return Ahead, fmt.Sprintf("its clock is %s ahead of now: records of the right time are late in it", span(time.UnixMilli(p.clock.Largest).Sub(now)))
	case p.noted.IsZero():
		return Quiet, "all is read, and nothing came for long" + r.untilIdle()
	case quiet >= quietAfter:
		return Quiet, "all is read, and nothing came for " + span(quiet) + r.untilIdle()
	}
	return Current, "all is read"
}

// apart says how far a partition is behind the newest one.
func (r *rules) apart(mark, highest int64) string {
	if mark == noWatermark || highest <= mark {
		return ""
	}
	return ", " + span(time.Duration(highest-mark)*time.Millisecond) + " behind the newest partition"
}

// untilIdle says for how long a partition is waited for.
func (r *rules) untilIdle() string {
	if r.idleTimeout == 0 {
		return ": it is waited for as long as nothing comes (stream.idle_timeout: never)"
	}
	return ": it is waited for until it is idle, after stream.idle_timeout, " + span(r.idleTimeout)
}

// worse orders partitions: those that hold the watermark first, then by cause, watermark and lag.
func worse(a, b Partition) int {
	mark := func(p *Partition) int64 {
		if p.Watermark == nil {
			return noWatermark
		}
		return p.Watermark.UnixMilli()
	}
	lag := func(p *Partition) int64 {
		if p.Lag == nil {
			return 0
		}
		return *p.Lag
	}
	holds := func(p *Partition) int {
		if p.Holds {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(holds(&a), holds(&b)), cmp.Compare(slices.Index(Causes, a.Cause), slices.Index(Causes, b.Cause)),
		cmp.Compare(mark(&a), mark(&b)), cmp.Compare(lag(&b), lag(&a)),
		cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition),
	)
}

// span writes a duration as exactly as one reads it: in two units, or to the millisecond.
func span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		d = d.Round(time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Minute)
	case d >= time.Second:
		d = d.Round(time.Second)
	}
	return report.Duration(d)
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
