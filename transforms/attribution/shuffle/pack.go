// Package shuffle brings the records of batches into blocks, each of one (shard, bucket): the elements
// of the one GroupByKey of a join.
//
//	pack.go         a batch, record by record: lateness.go judges, rejects.go refuses, counts.go accounts
//	  views.go        to which buckets a view goes; engagements.go: and an engagement
//	  open.go         the blocks that are being filled
//	block.go        the encoding of a block; write.go, read.go, compress.go
package shuffle

import (
	"math"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// Packer sorts the records of batches into blocks by (shard, bucket). Records are
// judged late here, by their own partition's watermark, and nowhere else.
type Packer struct {
	p       *rules.Params
	longest int64
	meaning uint64
	bounds  rules.InputBounds
	// firstBucket and lastBucket bound the buckets of the interval with all that matters for
	// it, ownFirst and ownLast those of its own views.
	firstBucket, lastBucket, ownFirst, ownLast int64

	readers *decode.Readers
	blocks  map[int64][]blockWriter // unfinished ones by bucket, then shard
	recent  [16]recent              // of them, by the lowest bits of the bucket
	bucket  bucketSpan              // of the view before
	// ranges are accounts of what was read since the last flush, totals what is of all of it.
	ranges map[offsetRange]*account.Sheet
	totals *account.Sheet
	emit   func(shard, bucket int64, block Block)
	reject func(record.Rejected)
}

// NewPacker returns a Packer that hands finished blocks to emit and refused records to
// reject. Blocks are the receiver's to keep; the bytes of a refused record are not.
func NewPacker(p *rules.Params, emit func(shard, bucket int64, block Block), reject func(record.Rejected)) *Packer {
	k := &Packer{
		p: p, longest: p.LongestWindow(), meaning: p.Meaning().Fingerprint(), bounds: p.InputBounds(), emit: emit, reject: reject,
		readers: decode.NewReaders(p), blocks: map[int64][]blockWriter{},
		ranges: map[offsetRange]*account.Sheet{}, totals: p.NewSheet(),
		firstBucket: math.MinInt64, lastBucket: math.MaxInt64,
		ownFirst: math.MinInt64, ownLast: math.MaxInt64,
	}
	if p.From != math.MinInt64 {
		k.ownFirst, k.firstBucket = p.BucketOf(p.From), p.BucketOf(p.From-k.bounds.ViewsBefore)
	}
	if p.To != rules.NoLogEnd {
		k.ownLast, k.lastBucket = p.BucketOf(p.To-1), p.BucketOf(p.To+k.bounds.ViewsAfter)
	}
	return k
}

// Add packs one batch. An error means a batch of an unknown input or schema; records of a
// schema that does not serve are malformed.
func (k *Packer) Add(b record.Batch) error {
	r, err := k.readers.Of(&b)
	if err != nil {
		return err
	}
	c := cursor{batch: b, clock: b.Clock(), log: b.LogClock(), offset: b.Offset, sheet: k.accountOf(&b)}
	defer func() { c.sheet.Origin.Last = max(c.sheet.Origin.Last, c.offset) }()
	if !r.Input.Ordered {
		c.clock = record.NoClock
	}
	rest := b.Records
	if r.Unusable != nil && !b.Framed {
		k.malformed(r, &c, record.NoTime, int64(b.Count), rest, r.Unusable)
		return nil
	}
	for i := int32(0); i < b.Count; i++ {
		rec := rest
		if b.Framed {
			var distance int64
			if distance, rec, rest, err = record.NextFramed(rest); err != nil {
				k.malformed(r, &c, record.NoTime, int64(b.Count-i), rest, err)
				return nil
			}
			c.offset = b.Offset + distance
		} else {
			c.offset = b.Offset + int64(i)
		}
		if r.Unusable != nil {
			k.addUnreadable(r, &c, rec, r.Unusable)
			continue
		}
		n, err := r.Read(rec)
		if err != nil && !b.Framed {
			if n = r.Skip(rec); n < 0 {
				// Where the next record begins is not known either.
				k.malformed(r, &c, record.NoTime, int64(b.Count-i), rec, err)
				return nil
			}
		}
		if !b.Framed {
			rec, rest = rec[:n], rec[n:]
		}
		if err != nil {
			k.addUnreadable(r, &c, rec, err)
			continue
		}
		if !r.JSON() {
			rec = rec[:n] // a sample ends with its view: what stands behind is no part of it
		}
		k.addRecord(r, &c, rec)
	}
	return nil
}

// addRecord packs the record that r has just read.
func (k *Packer) addRecord(r *decode.Reader, c *cursor, rec []byte) {
	t, timeErr := r.Time()
	if timeErr != nil {
		t = record.NoTime
	}
	by := k.lateness(c)
	c.pass(r, t)
	if len(r.Input.Where) > 0 && !r.Matches() {
		if k.accounts(c, t) {
			k.engagements(r, c).N[account.Filtered]++
			c.input(r).N[account.Filtered]++
		}
		return
	}
	if timeErr != nil {
		k.malformed(r, c, t, 1, rec, timeErr)
		return
	}
	id, err := r.ID()
	if err != nil {
		k.malformed(r, c, t, 1, rec, err)
		return
	}
	if r.Input.Kind == rules.Views {
		k.addView(r, c, rec, id, t, by)
		return
	}
	g := bucket.Engagement{Kind: r.Input.Kind, ViewID: id, Time: t, Partition: c.batch.Partition, Offset: c.offset, ClosedThrough: record.NoTime}
	bad, err := r.Engagement(&g)
	if err == nil && bad != nil && !k.p.Kinds[g.Kind].SkipBadValues {
		err = bad
	}
	if err != nil {
		k.malformed(r, c, t, 1, rec, err)
		return
	}
	if k.own(t) {
		k.countMissing(r, c, &g, bad != nil)
	}
	k.addEngagement(r, c, rec, &g, by)
}
