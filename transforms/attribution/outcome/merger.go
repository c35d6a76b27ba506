// Package outcome brings together what several buckets know of one engagement, and counts what became
// of it.
//
//	partials.go  what a bucket writes down; merger.go: brings it together
//	count.go     counts an outcome, and refuses orphans
package outcome

import (
	"errors"
	"fmt"

	"tributary/io/record"
	"tributary/io/wire"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// errCut is what a list of partial outcomes ends with that has lost its end.
var errCut = errors.New("it ends within a record")

// recordID is the position of an engagement in the log, in the list of its record if that holds several, and its kind.
type recordID struct {
	partition int32
	element   int32
	offset    int64
	kind      int
}

// Merger collects partial outcomes until all of an engagement are there.
type Merger struct {
	p       *rules.Params
	meaning uint64
	known   map[recordID]known
}

type known struct {
	owned      bool
	partlyLate bool
	outcome    bucket.Outcome
	time       int64
	id         []byte
}

// NewMerger returns an empty Merger.
func NewMerger(p *rules.Params) *Merger {
	return &Merger{p: p, meaning: p.Meaning().Fingerprint(), known: map[recordID]known{}}
}

// Add adds the partial outcomes that one bucket wrote down. An error means bytes of another join, or damaged ones.
func (t *Merger) Add(partials Partials) error {
	d := wire.NewReader(partials.encoded)
	if meaning := d.Uint64(); !d.Short() && meaning != t.meaning {
		return fmt.Errorf("partial outcomes: %w", rules.ErrMeaning)
	}
	for d.More() {
		at := recordID{partition: int32(d.Uvarint()), offset: int64(d.Uvarint())}
		flags := d.Byte()
		kind, element := bucket.SplitKind(d.Uvarint())
		if kind >= len(t.p.Kinds) {
			return fmt.Errorf("partial outcomes: kind %d of %d", kind, len(t.p.Kinds))
		}
		at.kind, at.element = kind, element
		s := t.known[at]
		s.outcome = max(s.outcome, bucket.Outcome(flags&(flagOwner-1)))
		if flags&flagOwner != 0 {
			s.owned, s.partlyLate = true, flags&flagPartlyLate != 0
		}
		if flags&flagRecord != 0 {
			s.time, s.id = d.Varint(), d.Bytes()
		}
		t.known[at] = s
	}
	if d.Short() {
		return fmt.Errorf("partial outcomes: %w", errCut)
	}
	return nil
}

// Merge counts every engagement under its outcome, and hands orphans to reject if they are
// wanted, in no particular order.
func (t *Merger) Merge(sheet *account.Sheet, reject func(record.Rejected)) {
	for at, s := range t.known {
		if !s.owned {
			continue // of an engagement whose outcome was final in its owner bucket, or of another interval
		}
		if e := sheet.Engagements[t.p.Kinds[at.kind].Name]; countOutcome(e, s.outcome, s.partlyLate) {
			rejectOrphan(t.p, e, at, s.time, s.id, reject)
		}
	}
	clear(t.known)
}
