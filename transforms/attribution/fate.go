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

// Several buckets may know something of one engagement: the fate of an engagement is
// the most that any of them saw. Each bucket writes down its sightings, the home bucket
// always, the others if they saw the view; tally brings them together by the
// engagement's place in the log.
//
//	sightings = meaning (8 bytes) sighting*
//	sighting  = partition (uvarint) offset (uvarint) seen|flags (byte) kind (uvarint)
//	            [event time (varint) view id]    with sightingRecord, at home if it saw nothing

// Flags beside Seen in a sighting.
const (
	sightingHome = 1 << (iota + 4)
	sightingPartlyLate
	sightingRecord
)

func appendSighting(dst []byte, p *Params, g *Engagement, s Sighting) []byte {
	flags := byte(s.Seen)
	if s.Home {
		flags |= sightingHome
		if partlyLate(p, g) {
			flags |= sightingPartlyLate
		}
		if s.Seen == SeenNothing {
			flags |= sightingRecord // of what may be an orphan
		}
	}
	dst = binary.AppendUvarint(dst, uint64(g.Partition))
	dst = binary.AppendUvarint(dst, uint64(g.Offset))
	dst = binary.AppendUvarint(append(dst, flags), uint64(g.Kind))
	if flags&sightingRecord != 0 {
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

// tally collects sightings until all of an engagement are there.
type tally struct {
	p       *Params
	meaning uint64
	seen    map[place]told
}

type told struct {
	home       bool
	partlyLate bool
	seen       Seen
	time       int64
	id         []byte
}

func newTally(p *Params) *tally {
	return &tally{p: p, meaning: p.Meaning().Fingerprint(), seen: map[place]told{}}
}

func (t *tally) add(sightings []byte) error {
	d := wire.NewReader(sightings)
	if meaning := d.Uint64(); !d.Short() && meaning != t.meaning {
		return fmt.Errorf("sightings: %w", errMeaning)
	}
	for d.More() {
		at := place{partition: int32(d.Uvarint()), offset: int64(d.Uvarint())}
		flags := d.Byte()
		kind := d.Uvarint()
		if kind >= uint64(len(t.p.Kinds)) {
			return fmt.Errorf("sightings: kind %d of %d", kind, len(t.p.Kinds))
		}
		at.kind = int(kind)
		s := t.seen[at]
		s.seen = max(s.seen, Seen(flags&(sightingHome-1)))
		if flags&sightingHome != 0 {
			s.home, s.partlyLate = true, flags&sightingPartlyLate != 0
		}
		if flags&sightingRecord != 0 {
			s.time, s.id = d.Varint(), d.Bytes()
		}
		t.seen[at] = s
	}
	if d.Short() {
		return fmt.Errorf("sightings: %w", errShort)
	}
	return nil
}

// settle counts every engagement under its fate, and hands orphans to reject if they are
// wanted, in no particular order.
func (t *tally) settle(sheet *account.Sheet, reject func(record.Rejected)) {
	for at, s := range t.seen {
		if !s.home {
			continue // of an engagement whose fate was final at home, or of another slice
		}
		e := sheet.Engagements[t.p.Kinds[at.kind].Name]
		if !countFate(e, s.seen, s.partlyLate) {
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

// countFate counts one engagement and tells whether it is an orphan.
func countFate(e *account.Engagements, seen Seen, partlyLate bool) (orphan bool) {
	switch {
	case seen == SeenMatched:
		e.N[account.Matched]++
	case seen == SeenOutside:
		e.N[account.Outside]++
	case seen == SeenDuplicate:
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
