// Package shuffle brings the records of batches into blocks, each of one (shard, bucket): the elements
// of the one GroupByKey of a join.
//
//	pack.go         a batch, record by record: lateness.go judges, rejects.go refuses, counts.go accounts
//	  elements.go     the events of a record that holds a list of them
//	  views.go        to which buckets a view goes; engagements.go: and an engagement
//	  route.go        the buckets of a stage, and the blocks that are being filled; markers.go: what later buckets must know of views
//	  watch.go        what becomes of each event, for whoever asks
//	block.go        the encoding of a block; write.go, read.go, compress.go
package shuffle

import (
	"maps"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// Packer sorts the records of batches into blocks by (stage, shard, bucket). Records are
// judged late here, by their own partition's watermark, and nowhere else. Each is decoded once, for all stages.
type Packer struct {
	p      *rules.Params
	bounds rules.InputBounds
	// routes are those of the stages, in order: the last is that of the whole join, whose account is kept.
	routes []*route
	final  *route

	readers *decode.Readers
	// ranges are accounts of what was read since the last flush, totals what is of all of it.
	ranges map[offsetRange]*account.Sheet
	totals *account.Sheet
	reject func(record.Rejected)
	// watch is told of each event; nil for nobody.
	watch func(*Seen) bool
}

// NewPacker returns a Packer that hands finished blocks to emit and refused records to
// reject. Blocks are the receiver's to keep; the bytes of a refused record are not.
func NewPacker(p *rules.Params, emit func(at Place, block Block), reject func(record.Rejected)) *Packer {
	k := &Packer{
		p: p, bounds: p.InputBounds(), reject: reject,
		readers: decode.NewReaders(p),
		ranges:  map[offsetRange]*account.Sheet{}, totals: p.NewSheet(),
	}
	for stage := range p.StageCount() {
		k.routes = append(k.routes, newRoute(p.OfStage(stage), k.emitTo(emit)))
	}
	k.final = k.routes[len(k.routes)-1]
	return k
}

// emitTo counts the bytes of blocks on their way to emit.
func (k *Packer) emitTo(emit func(at Place, block Block)) func(Place, Block) {
	return func(at Place, block Block) {
		k.totals.Bytes.Blocks += int64(len(block.encoded))
		emit(at, block)
	}
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
	r.Beside(b.Beside())
	if r.Unusable != nil && !b.Framed {
		k.malformed(r, &c, record.NoTime, int64(b.Count), rest, r.Unusable)
		return nil
	}
	for i := int32(0); i < b.Count; i++ {
		rec := rest
		c.read = false
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
		if b.Own {
			var own []byte
			if own, rec, err = record.SplitOwned(rec); err != nil {
				k.malformed(r, &c, record.NoTime, int64(b.Count-i), rec, err)
				return nil
			}
			r.Beside(own)
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
		if r.Input.Each != "" {
			k.addElements(r, &c, rec)
			continue
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
	k.addEvent(r, c, rec, t, timeErr, by)
}

// addEvent packs the event that r has just read, unless its time could not be.
func (k *Packer) addEvent(r *decode.Reader, c *cursor, rec []byte, t int64, timeErr error, by lateness) {
	c.read = true
	if r.Input.Decides() {
		switch matches, err := r.Matches(); {
		case err != nil:
			k.malformed(r, c, t, 1, rec, err)
			return
		case !matches:
			k.filtered(r, c, t, rec)
			return
		}
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
		key, err := r.Key()
		if err != nil {
			k.malformed(r, c, t, 1, rec, err)
			return
		}
		k.addView(r, c, rec, id, key, t, by)
		return
	}
	g := bucket.Engagement{Kind: r.Input.Kind, ViewID: id, Time: t, Partition: c.batch.Partition, Element: c.element, Offset: c.offset, ClosedThrough: record.NoTime}
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

// Flush emits all unfinished blocks, and hands emit the accounts of what was added since the
// last flush: one for each offset range of a log, in its order, and one that is of no single range.
func (k *Packer) Flush(emit func(account.Sheet)) {
	for _, t := range k.routes {
		t.flush()
	}
	for _, sheet := range account.EndChapters(maps.Values(k.ranges)) {
		emit(*sheet)
	}
	clear(k.ranges)
	emit(*k.totals)
	k.totals = k.p.NewSheet()
}
