package outcome

import (
	"encoding/binary"

	"tributary/io/wire"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// Several buckets may know something of one engagement: the outcome of an engagement is
// the most that any of them saw. Each bucket writes down its partial outcomes, the owner bucket
// always, the others if they saw the view; the outcome merger brings them together by the
// engagement's position in the log.
//
//	partial outcomes = meaning (8 bytes) partial outcome*
//	partial outcome  = partition (uvarint) offset (uvarint) outcome|flags (byte) kind and element (uvarint, as in a block)
//	            [event time (varint) view id]    with flagRecord, of the owner bucket if it saw nothing

// Flags beside the outcome in a partial outcome.
const (
	flagOwner = 1 << (iota + 4)
	flagPartlyLate
	flagRecord
)

// Partials are what a bucket knows of the engagements of one owner bucket: an element, as its bytes.
type Partials struct{ encoded []byte }

// EncodePartials returns the bytes of partial outcomes.
func EncodePartials(s Partials) []byte { return s.encoded }

// DecodePartials makes partial outcomes of their bytes, which they keep.
func DecodePartials(encoded []byte) (Partials, error) { return Partials{encoded}, nil }

// NewPartials begins the partial outcomes of a join of that meaning.
func NewPartials(meaning uint64) Partials {
	return Partials{binary.LittleEndian.AppendUint64(nil, meaning)}
}

// Append appends what a bucket knows of g, and returns all.
func (partials Partials) Append(p *rules.Params, g *bucket.Engagement, s bucket.PartialOutcome) Partials {
	flags := byte(s.Outcome)
	if s.Owner {
		flags |= flagOwner
		if partlyLate(p, g) {
			flags |= flagPartlyLate
		}
		if s.Outcome == bucket.OutcomeNone {
			flags |= flagRecord // of what may be an orphan
		}
	}
	dst := binary.AppendUvarint(partials.encoded, uint64(g.Partition))
	dst = binary.AppendUvarint(dst, uint64(g.Offset))
	dst = binary.AppendUvarint(append(dst, flags), g.KindAndElement())
	if flags&flagRecord != 0 {
		dst = wire.AppendBytes(binary.AppendVarint(dst, g.Time), g.ViewID)
	}
	return Partials{dst}
}

// partlyLate tells whether views that g might count for had closed when it was read.
func partlyLate(p *rules.Params, g *bucket.Engagement) bool {
	return g.ClosedThrough >= p.SpanOf(g.Kind, g.Time, g.ViewTime).CountsFrom
}
