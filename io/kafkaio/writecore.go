package kafkaio

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrExpired is returned for a group so old that the ledger no longer says whether it was
// written: writing it might double it, skipping it might lose it.
var ErrExpired = errors.New("older than what the ledger keeps")

// noFloor is the floor of a ledger that has let nothing go.
const noFloor = math.MinInt64

// entry is what the ledger says of one group: its newest version.
type entry struct {
	version int32
	records int64
	digest  uint64
	// partial: that many records of the version are written, and their digest is this; the rest
	// is not.
	partial bool
}

// shardLedger is what one shard has committed. It holds at least the newest Writing.Keep
// groups by ID, and whenever a newest one is written at most an eighth more.
type shardLedger struct {
	entries map[int64]entry
	// floor: nothing is known of smaller IDs, they were let go.
	floor int64
	// head is nil if nothing was written to any shard; headed says that this one has it.
	head   *head
	headed bool
	// through is the largest ID up to which all groups of the job are known to be written,
	// if completes is set.
	through   int64
	completes bool
}

func newShardLedger() *shardLedger {
	return &shardLedger{entries: map[int64]entry{}, floor: noFloor, through: noFloor}
}

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
	// drop are the IDs let go with this transaction, ascending; floor is the one after it.
	drop  []int64
	floor int64
}

// plan decides about groups, in their order: a group that is settled, or committed with the
// same digest, is skipped, another digest is written as the next version, the rest as
// version 1. Of a group that is written in part, and begins with that part, the rest is written.
// The ledger stays as it is until apply.
func (l *shardLedger) plan(groups []*group, keep int) (*plan, error) {
	p := &plan{floor: l.floor}
	planned := map[int64]entry{}
	oldest := int64(math.MaxInt64)
	for _, g := range groups {
		if l.settled(g.id) {
			p.decisions = append(p.decisions, decision{group: g, version: max(l.entries[g.id].version, 1), skip: true})
			continue
		}
		if g.id < l.floor {
			return nil, fmt.Errorf("group %d: %w (from %d on): keep more groups, or start from a later place in the log", g.id, ErrExpired, l.floor)
		}
		known, ok := planned[g.id]
		if !ok {
			known = l.entries[g.id]
		}
		if known.partial {
			same, err := g.begins(known)
			if err != nil {
				return nil, err
			}
			if same {
				planned[g.id] = entry{version: known.version, records: g.records, digest: g.digest}
				p.decisions = append(p.decisions, decision{group: g, version: known.version, from: known.records})
				oldest = min(oldest, g.id)
				continue
			}
		} else if known.version > 0 && known.digest == g.digest && known.records == g.records {
			p.decisions = append(p.decisions, decision{group: g, version: known.version, skip: true})
			continue
		}
		version := known.version + 1
		planned[g.id] = entry{version: version, records: g.records, digest: g.digest}
		p.decisions = append(p.decisions, decision{group: g, version: version})
		oldest = min(oldest, g.id)
	}
	p.letGo(l, planned, oldest, keep)
	return p, nil
}

// settled says whether a group counts as written, whatever it holds now.
func (l *shardLedger) settled(id int64) bool {
	return l.head != nil && (id < l.head.Settled || slices.Contains(l.head.Kept, id))
}

// begun says whether anything of the shard was written, in whole or in part.
func (l *shardLedger) begun() bool { return len(l.entries) > 0 || l.floor != noFloor || l.completes }

// letGo chooses the entries beyond the newest keep, once there are an eighth too many: then
// the price of sorting is spread over many groups. What this transaction writes stays,
// whatever its age: the newest record of a ledger carries the floor and must outlive
// compaction. Counting IDs, rather than their distance from the largest, makes one ID
// in the far future cost one entry and not the whole ledger.
func (p *plan) letGo(l *shardLedger, planned map[int64]entry, oldest int64, keep int) {
	count := len(l.entries)
	for id := range planned {
		if _, ok := l.entries[id]; !ok {
			count++
		}
	}
	if len(planned) == 0 || count <= keep+keep/8 {
		return
	}
	ids := make([]int64, 0, count)
	for id := range l.entries {
		if id < oldest {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	p.drop = ids[:min(len(ids), count-keep)]
	if n := len(p.drop); n > 0 {
		p.floor = p.drop[n-1] + 1
	}
}

// apply takes over a plan that was committed.
func (l *shardLedger) apply(p *plan) {
	for _, d := range p.decisions {
		if !d.skip {
			l.entries[d.group.id] = entry{version: d.version, records: d.group.records, digest: d.group.digest}
		}
	}
	for _, id := range p.drop {
		delete(l.entries, id)
	}
	l.floor = p.floor
}

// step is what follows an attempt to commit.
type step int

const (
	// stepAgain: open a new producer, read the ledger, decide again. It is right whether
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
