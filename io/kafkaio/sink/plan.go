package sink

import (
	"fmt"
	"math"

	"tributary/io/kafkaio/commitlog"
)

// decision is what becomes of one group.
type decision struct {
	group *group
	// version is the one that is written, or that was found if the group is skipped.
	version int32
	skip    bool
	// from is how many records of the version are written already.
	from int64
}

// plan is what becomes of some groups.
type plan struct {
	decisions []decision
	// drop are the IDs let go with this transaction, ascending; truncatedBefore is the one after it.
	drop            []int64
	truncatedBefore int64
}

// newPlan decides about groups, in their order: a group that is complete, or committed with the
// same digest, is skipped, another digest is written as the next version, the rest as
// version 1, without its spare parts. Of a group that is written in part, and begins with that part, the rest is written.
// The commit log stays as it is.
func newPlan(l *commitlog.Log, groups []*group, keep int) (*plan, error) {
	p := &plan{}
	planned := map[int64]commitlog.Entry{}
	oldest := int64(math.MaxInt64)
	for _, g := range groups {
		if l.Committed(g.id) {
			p.decisions = append(p.decisions, decision{group: g, version: max(l.Entries[g.id].Version, 1), skip: true})
			continue
		}
		if g.id < l.TruncatedBefore {
			return nil, fmt.Errorf("group %d: %w (from %d on): keep more groups, or start from a later place in the log", g.id, commitlog.ErrExpired, l.TruncatedBefore)
		}
		known, ok := planned[g.id]
		if !ok {
			known = l.Entries[g.id]
		}
		if known.Version > 1 {
			g.correct()
		}
		if known.Partial {
			same, err := g.begins(known)
			if err != nil {
				return nil, err
			}
			if same {
				planned[g.id] = g.entry(known.Version)
				p.decisions = append(p.decisions, decision{group: g, version: known.Version, from: known.Records})
				oldest = min(oldest, g.id)
				continue
			}
		} else if known.Version > 0 && known == g.entry(known.Version) {
			p.decisions = append(p.decisions, decision{group: g, version: known.Version, skip: true})
			continue
		}
		version := known.Version + 1
		if version > 1 {
			g.correct()
		}
		planned[g.id] = g.entry(version)
		p.decisions = append(p.decisions, decision{group: g, version: version})
		oldest = min(oldest, g.id)
	}
	p.drop, p.truncatedBefore = l.Compact(planned, oldest, keep)
	return p, nil
}

// written are the entries of a plan that was committed.
func (p *plan) written() map[int64]commitlog.Entry {
	entries := map[int64]commitlog.Entry{}
	for _, d := range p.decisions {
		if !d.skip {
			entries[d.group.id] = d.group.entry(d.version)
		}
	}
	return entries
}

// step is what follows an attempt to commit.
type step int

const (
	// stepAgain: open a new producer, read the commit log, decide again. It is right whether
	// the attempt was committed, aborted, or nobody knows.
	stepAgain step = iota
	// stepYield: another writer has taken the shard over, or the broker gave up on the
	// transaction; only the runner can know who is meant to go on.
	stepYield
	// stepFail: trying again cannot help.
	stepFail
)

// maxAttempts bounds what one bundle tries; after that the runner tries the bundle again.
const maxAttempts = 5

// next is the step after attempt number n (from 1) ended with err.
func next(err error, n int) step {
	switch s := classify(err); {
	case s == stepAgain && n >= maxAttempts:
		return stepFail
	default:
		return s
	}
}
