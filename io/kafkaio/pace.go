package kafkaio

import "time"

// pace is how often a reader is called by timers: at every beat while it reads what comes in; more rarely while it is behind, or
// the runner calls it late, since fewer, longer calls bring larger blocks for the same records; and more rarely while nothing comes.
//
// Timers are due at multiples of the time between them: all readers are called together, and then all are silent, or the runner
// would not get to emit a watermark between their bundles.
type pace struct {
	// load and quiet are how many beats lie between two calls for either reason, as powers of two.
	load, quiet int
	// silent is how many calls in a row have brought nothing.
	silent int
	// due is when the call at hand was due, late whether it began long after that.
	due  time.Time
	late bool
}

// Bounds of a pace.
const (
	defaultBeat = 200 * time.Millisecond
	// most is eight beats: a call reads for a second then, and what comes is that late.
	most = 3
	// silentCalls without a record make it slower.
	silentCalls = 10
	// busyShare of the time between two calls may be used by them, in percent; the runner has the rest.
	busyShare = 75
)

// between is the time from one call to the next.
func (p *pace) between(beat time.Duration) time.Duration { return beat << max(p.load, p.quiet) }

// begins notes when a call begins.
func (p *pace) begins(now time.Time, beat time.Duration) {
	p.late = !p.due.IsZero() && now.Sub(p.due) > p.between(beat)/2
}

// called takes what a call has found: records, and whether it has left some.
func (p *pace) called(some, behind bool) {
	if behind || p.late {
		p.load = min(p.load+1, most)
	} else {
		p.load = max(p.load-1, 0)
	}
	if some {
		p.quiet, p.silent = 0, 0
	} else if p.silent++; p.silent == silentCalls {
		p.quiet, p.silent = min(p.quiet+1, most), 0
	}
}

// next is when the next call is due: not at once, or bundles would never end.
func (p *pace) next(now time.Time, beat time.Duration) time.Time {
	between := p.between(beat)
	p.due = now.Truncate(between).Add(between)
	if p.due.Sub(now) < between/8 {
		p.due = p.due.Add(between)
	}
	return p.due
}
