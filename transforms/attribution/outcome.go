package attribution

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"tributary/io/record"
	"tributary/io/wire"
	"tributary/transforms/account"
)

// Several buckets may know something of one engagement: the outcome of an engagement is
// the most that any of them saw. Each bucket writes down its partial outcomes, the owner bucket
// always, the others if they saw the view; the outcome merger brings them together by the
// engagement's place in the log.
//
//	partial outcomes = meaning (8 bytes) partial outcome*
//	partial outcome  = partition (uvarint) offset (uvarint) seen|flags (byte) kind (uvarint)
//	            [event time (varint) view id]    with partialRecord, at home if it saw nothing

// Flags beside the outcome in a partial outcome.
const (
	sightingHome = 1 << (iota + 4)
	sightingPartlyLate
	partialRecord
)

func appendPartial(dst []byte, p *Params, g *Engagement, s PartialOutcome) []byte {
	flags := byte(s.Outcome)
	if s.Owner {
		flags |= sightingHome
		if partlyLate(p, g) {
			flags |= sightingPartlyLate
		}
		if s.Outcome == OutcomeNone {
			flags |= partialRecord // of what may be an orphan
		}
	}
	dst = binary.AppendUvarint(dst, uint64(g.Partition))
	dst = binary.AppendUvarint(dst, uint64(g.Offset))
	dst = binary.AppendUvarint(append(dst, flags), uint64(g.Kind))
	if flags&partialRecord != 0 {
		dst = wire.AppendBytes(binary.AppendVarint(dst, g.Time), g.ViewID)
	}
	return dst
}

// place is where an engagement stands in the log.
type place struct {
	partition int32
	offset    int64
	kind      int
}

// outcomeMerger collects partial outcomes until all of an engagement are there.
type outcomeMerger struct {
	p       *Params
	meaning uint64
	seen    map[place]told
}

type told struct {
	home       bool
	partlyLate bool
	seen       Outcome
	time       int64
	id         []byte
}

func newOutcomeMerger(p *Params) *outcomeMerger {
	return &outcomeMerger{p: p, meaning: p.Meaning().Fingerprint(), seen: map[place]told{}}
}

func (t *outcomeMerger) add(partials []byte) error {
	d := wire.NewReader(partials)
	if meaning := d.Uint64(); !d.Short() && meaning != t.meaning {
		return fmt.Errorf("partial outcomes: %w", errMeaning)
	}
	for d.More() {
		at := place{partition: int32(d.Uvarint()), offset: int64(d.Uvarint())}
		flags := d.Byte()
		kind := d.Uvarint()
		if kind >= uint64(len(t.p.Kinds)) {
			return fmt.Errorf("partial outcomes: kind %d of %d", kind, len(t.p.Kinds))
		}
		at.kind = int(kind)
		s := t.seen[at]
		s.seen = max(s.seen, Outcome(flags&(sightingHome-1)))
		if flags&sightingHome != 0 {
			s.home, s.partlyLate = true, flags&sightingPartlyLate != 0
		}
		if flags&partialRecord != 0 {
			s.time, s.id = d.Varint(), d.Bytes()
		}
		t.seen[at] = s
	}
	if d.Short() {
		return fmt.Errorf("partial outcomes: %w", errShort)
	}
	return nil
}

// merge counts every engagement under its outcome, and hands orphans to reject if they are
// wanted, in no particular order.
func (t *outcomeMerger) merge(sheet *account.Sheet, reject func(record.Rejected)) {
	for at, s := range t.seen {
		if !s.home {
			continue // of an engagement whose outcome was final at home, or of another slice
		}
		e := sheet.Engagements[t.p.Kinds[at.kind].Name]
		if !countOutcome(e, s.seen, s.partlyLate) {
			continue
		}
		orphan := rejectOrphan(t.p, at, s.time, s.id)
		countOrphan(e, &orphan)
		if t.p.Orphans {
			reject(orphan)
		}
	}
	clear(t.seen)
}

// partlyLate tells whether views that g might count for had closed when it was read.
func partlyLate(p *Params, g *Engagement) bool {
	return g.Floor >= p.spanOf(g.Kind, g.Time, g.ViewTime).countsFrom
}

// quotedOfID bounds what is quoted of an id.
const quotedOfID = 200

// rejectOrphan describes an orphan by its place in the log and the id it names; the
// record itself did not travel.
func rejectOrphan(p *Params, at place, eventTime int64, viewID []byte) record.Rejected {
	input := slices.IndexFunc(p.Inputs, func(in Input) bool { return in.Kind == at.kind })
	return record.Rejected{
		Reason: record.ReasonOrphan, Detail: "no view with the id " + strconv.Quote(string(viewID[:min(len(viewID), quotedOfID)])) + " in reach",
		Input: int32(input), Partition: at.partition, Offset: at.offset, Count: 1, EventTime: eventTime, Watermark: record.NoTime,
		Record: viewID,
	}
}

// countOrphan counts why an engagement is an orphan.
func countOrphan(e *account.Engagements, orphan *record.Rejected) {
	e.AddReason(orphan.Detail, 1)
	if likeFloat.Match(orphan.Record) {
		e.N[account.OrphansLikeFloats]++
	}
}

// likeFloat is what whole numbers look like once a program has read them as floats.
var likeFloat = regexp.MustCompile(`^-?\d+\.0+$`)

// countOutcome counts one engagement and tells whether it is an orphan.
func countOutcome(e *account.Engagements, seen Outcome, partlyLate bool) (orphan bool) {
	switch {
	case seen == OutcomeMatched:
		e.N[account.Matched]++
	case seen == OutcomeOutside:
		e.N[account.Outside]++
	case seen == OutcomeDuplicate:
		e.N[account.Duplicates]++
	case partlyLate:
		e.N[account.Late]++
		e.AddReason("its view may be among those that had closed", 1)
	default:
		e.N[account.Orphans]++
		return true
	}
	return false
}
