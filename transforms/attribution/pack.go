package attribution

import (
	"math"

	"tributary/io/record"
	"tributary/transforms/account"
)

// packer sorts the records of batches into blocks by (shard, bucket). Records are
// judged late here, by their own partition's watermark, and nowhere else.
type packer struct {
	p       *Params
	longest int64
	meaning uint64
	reach   InputBounds
	// firstBucket and lastBucket bound the buckets of the slice with all that matters for
	// it, ownFirst and ownLast those of its own views.
	firstBucket, lastBucket, ownFirst, ownLast int64

	readers *readers
	blocks  map[int64][]blockWriter // unfinished ones by bucket, then shard
	// stretches are accounts of what was read since the last flush, whole is what is of all.
	stretches map[stretch]*account.Sheet
	whole     *account.Sheet
	emit      func(shard, bucket int64, block []byte)
	reject    func(record.Rejected)
}

// newPacker returns a packer that hands finished blocks to emit and refused records to
// reject. Blocks are the receiver's to keep; the bytes of a refused record are not.
func newPacker(p *Params, emit func(shard, bucket int64, block []byte), reject func(record.Rejected)) *packer {
	k := &packer{
		p: p, longest: p.longestWindow(), meaning: p.Meaning().Fingerprint(), reach: p.InputBounds(), emit: emit, reject: reject,
		readers: newReaders(p), blocks: map[int64][]blockWriter{},
		stretches: map[stretch]*account.Sheet{}, whole: newSheet(p),
		firstBucket: math.MinInt64, lastBucket: math.MaxInt64,
		ownFirst: math.MinInt64, ownLast: math.MaxInt64,
	}
	if p.From != math.MinInt64 {
		k.ownFirst, k.firstBucket = p.bucketOf(p.From), p.bucketOf(p.From-k.reach.ViewsBefore)
	}
	if p.To != NoLogEnd {
		k.ownLast, k.lastBucket = p.bucketOf(p.To-1), p.bucketOf(p.To+k.reach.ViewsAfter)
	}
	return k
}

// add packs one batch. An error means a batch of an unknown input or schema; records of a
// schema that does not serve are malformed.
func (k *packer) add(b record.Batch) error {
	r, err := k.readers.of(&b)
	if err != nil {
		return err
	}
	c := cursor{batch: b, clock: b.Clock(), log: b.LogClock(), offset: b.Offset, sheet: k.accountOf(&b)}
	defer func() { c.sheet.Origin.Last = max(c.sheet.Origin.Last, c.offset) }()
	if !r.in.Ordered {
		c.clock = record.NoClock
	}
	rest := b.Records
	if r.unusable != nil && !b.Framed {
		k.malformed(r, &c, record.NoTime, int64(b.Count), rest, r.unusable)
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
		if r.unusable != nil {
			k.addUnreadable(r, &c, rec, r.unusable)
			continue
		}
		n, err := r.read(rec)
		if err != nil && !b.Framed {
			if n = r.skip(rec); n < 0 {
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
		if !r.json() {
			rec = rec[:n] // a sample ends with its view: what stands behind is no part of it
		}
		k.addRecord(r, &c, rec)
	}
	return nil
}

// addRecord packs the record that r has just read.
func (k *packer) addRecord(r *reader, c *cursor, rec []byte) {
	t, timeErr := r.time()
	if timeErr != nil {
		t = record.NoTime
	}
	by := k.lateness(c)
	c.pass(r, t)
	if len(r.in.Where) > 0 && !r.matches() {
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
	id, err := r.id()
	if err != nil {
		k.malformed(r, c, t, 1, rec, err)
		return
	}
	if r.in.Kind == Views {
		k.addView(r, c, rec, id, t, by)
		return
	}
	g := Engagement{Kind: r.in.Kind, ViewID: id, Time: t, Partition: c.batch.Partition, Offset: c.offset, Floor: record.NoTime}
	bad, err := r.engagement(&g)
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
