package attribution

import (
	"bytes"
	"fmt"
	"maps"
	"math"

	"github.com/zeebo/xxh3"

	"tributary/io/record"
	"tributary/transforms/account"
)

// blockBytes is the size at which a block is emitted: large enough that what Beam
// takes for an element is nothing beside it, small enough that the blocks of all
// open buckets and shards fit in memory many times over.
const blockBytes = 64 << 10

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

	readers map[readerKey]*reader
	blocks  map[int64][]blockWriter // unfinished ones by bucket, then shard
	// stretches are accounts of what was read since the last flush, whole is what is of all.
	stretches map[stretch]*account.Sheet
	whole     *account.Sheet
	text      []byte // room for a view as JSON
	emit      func(shard, bucket int64, block []byte)
	reject    func(record.Rejected)
}

// stretch is a piece of a partition's log, within a chapter, as one input reads it.
type stretch struct {
	input, partition int32
	chapter          int64
}

type readerKey struct {
	input  int32
	schema uint64
}

// newPacker returns a packer that hands finished blocks to emit and refused records to
// reject. Blocks are the receiver's to keep; the bytes of a refused record are not.
func newPacker(p *Params, emit func(shard, bucket int64, block []byte), reject func(record.Rejected)) *packer {
	k := &packer{
		p: p, longest: p.longestWindow(), meaning: p.Meaning().Fingerprint(), reach: p.InputBounds(), emit: emit, reject: reject,
		readers: map[readerKey]*reader{}, blocks: map[int64][]blockWriter{},
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

func newSheet(p *Params) *account.Sheet {
	kinds := make([]string, len(p.Kinds))
	for i, k := range p.Kinds {
		kinds[i] = k.Name
	}
	l := account.New(kinds...)
	l.From, l.To = p.From, p.To
	return l
}

// add packs one batch. An error means a batch of an unknown input or schema; records of a
// schema that does not serve are malformed.
func (k *packer) add(b record.Batch) error {
	r, err := k.reader(b)
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
			if n = skip(r.extractor, rec); n < 0 {
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
		if r.schema != "" {
			rec = rec[:n] // a sample ends with its view: what stands behind is no part of it
		}
		k.addRecord(r, &c, rec)
	}
	return nil
}

// accountOf returns the account of the stretch that goes on with b.
func (k *packer) accountOf(b *record.Batch) *account.Sheet {
	key := stretch{b.Input, b.Partition, record.Chapter(b.Offset)}
	counted := k.stretches[key]
	if counted == nil {
		counted = newSheet(k.p)
		counted.Origin = account.Origin{
			Step: account.StepRead, Input: b.Input, Partition: b.Partition, First: b.Offset, Last: b.Offset,
			MaxTime: b.MaxTime, SecondTime: b.SecondTime, AfterIdle: b.AfterIdle,
		}
		k.stretches[key] = counted
	}
	counted.Origin.First = min(counted.Origin.First, b.Offset)
	return counted
}

// addUnreadable refuses a record that cannot be read as a whole. Its event time still moves
// the watermark if it can be read alone: sources read nothing else, and what is late must
// not hang on where they cut the log into batches.
func (k *packer) addUnreadable(r *reader, c *cursor, record []byte, why error) {
	t := r.timeAlone(record)
	c.pass(r, t)
	k.malformed(r, c, t, 1, record, why)
}

func (k *packer) reader(b record.Batch) (*reader, error) {
	key := readerKey{b.Input, b.Schema}
	if r, ok := k.readers[key]; ok {
		return r, nil
	}
	if b.Input < 0 || int(b.Input) >= len(k.p.Inputs) {
		return nil, fmt.Errorf("batch of input %d: there are %d", b.Input, len(k.p.Inputs))
	}
	schema, err := schemaOf(k.p, b.Schema, b.SchemaText)
	if err != nil {
		return nil, fmt.Errorf("input %d: %w", b.Input, err)
	}
	r, err := newReader(k.p, int(b.Input), schema)
	if err != nil {
		// A schema that turned up while the job runs: its records are bad, not the job.
		r = &reader{in: &k.p.Inputs[b.Input], schema: schema, unusable: err}
	}
	k.readers[key] = r
	return r, nil
}

// cursor is a place in a batch, with the clock of the partition before it, and the one by the log
// alone, which is another one after the partition was idle.
type cursor struct {
	batch  record.Batch
	offset int64
	clock  record.Clock
	log    record.Clock
	sheet  *account.Sheet // of the batch's stretch
	in     *account.Input // part of account, once it is needed
}

// pass moves the clocks over a record's event time.
func (c *cursor) pass(r *reader, t int64) {
	if !r.in.Ordered {
		return
	}
	c.clock.Add(t)
	if c.batch.AfterIdle {
		c.log.Add(t)
	}
}

// watermark is that of the partition before the record at the cursor, or record.NoTime. A clock
// that was raised does not hold back the one by the log.
func (k *packer) watermark(c *cursor) int64 {
	at := k.watermarkAt(c.clock)
	if c.batch.AfterIdle {
		at = max(at, k.watermarkAt(c.log))
	}
	return at
}

func (k *packer) watermarkAt(c record.Clock) int64 {
	reached := c.Time(k.p.MaxFutureSkew)
	if reached == record.NoTime {
		return record.NoTime
	}
	return reached - k.p.OutOfOrderness
}

// lateness is what makes a record late: the watermark before it, and the one by the log alone,
// which another reading goes by.
type lateness struct{ watermark, log int64 }

func (k *packer) lateness(c *cursor) lateness {
	l := lateness{watermark: k.watermark(c)}
	if l.log = l.watermark; c.batch.AfterIdle {
		l.log = k.watermarkAt(c.log)
	}
	return l
}

// passed tells whether the watermark has come to a time, and whether it has only because the
// partition had been idle.
func (l lateness) passed(t int64) (late, afterIdle bool) {
	late = l.watermark != record.NoTime && t <= l.watermark
	return late, late && (l.log == record.NoTime || t > l.log)
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

// countMissing counts the optional fields that an engagement does not have.
func (k *packer) countMissing(r *reader, c *cursor, g *Engagement, bad bool) {
	e := k.engagements(r, c)
	if r.eventID >= 0 && g.EventID == nil {
		e.N[account.WithoutID]++
	}
	if bad {
		e.N[account.BadValues]++
	} else if r.value >= 0 && g.Value.Kind == record.Null {
		e.N[account.WithoutValue]++
	}
}

// accounts tells whether this slice accounts for a record with event time t.
func (k *packer) accounts(c *cursor, t int64) bool {
	if t == record.NoTime {
		return !c.batch.Repeat
	}
	return k.own(t)
}

func (k *packer) own(t int64) bool { return k.p.From <= t && t < k.p.To }

func (k *packer) engagements(r *reader, c *cursor) *account.Engagements {
	return c.sheet.Engagements[k.p.Kinds[r.in.Kind].Name]
}

func (k *packer) addView(r *reader, c *cursor, rec, id []byte, t int64, by lateness) {
	own := k.own(t)
	if !own && (t < k.p.From-k.reach.ViewsBefore || t >= k.p.To+k.reach.ViewsAfter) {
		return
	}
	if late, afterIdle := by.passed(t + k.longest); late {
		if own {
			c.sheet.Views.N[account.Read]++
			c.sheet.Views.N[account.Late]++
			c.input(r).N[account.Read]++
			c.input(r).N[account.Late]++
			const why = "the view had closed: its time plus the longest window is not after the watermark"
			c.sheet.Views.AddReason(why, 1)
			if afterIdle {
				c.sheet.Views.N[account.LateAfterIdle]++
			}
			k.reject(c.late(record.ReasonLate, why, t, by, afterIdle, rec))
		}
		return
	}
	v := View{ID: id, Hash: hashID(id), Time: t, Partition: c.batch.Partition, Offset: c.offset, Payload: rec}
	if own {
		if r.resolution != nil {
			resolved, _, err := r.resolution.Append(nil, rec)
			if err != nil {
				k.malformed(r, c, t, 1, rec, err)
				return
			}
			v.Payload = resolved
		}
		if r.asJSON != nil {
			var err error
			if k.text, _, err = r.asJSON.Append(k.text[:0], v.Payload); err != nil {
				k.malformed(r, c, t, 1, rec, err)
				return
			}
		}
		c.sheet.Views.N[account.Read]++
		c.input(r).N[account.Read]++
		b := k.p.bucketOf(t)
		k.put(v.Hash, b, func(w *blockWriter) { w.view(&v, inside(&v)) })
	}
	k.addDedupMarkers(&v, own)
}

// addDedupMarkers tells the buckets after the view's own of it, as far as its duplicates may
// lie there, and its own bucket if the view is not of this slice.
func (k *packer) addDedupMarkers(v *View, own bool) {
	first, last := k.p.bucketOf(v.Time), min(k.p.bucketOf(min(v.Time+k.p.DedupWindow, record.MaxTime)), k.lastBucket)
	if own {
		first++
	}
	first = max(first, k.firstBucket)
	if first > last {
		return
	}
	stub := *v
	stub.DedupMarker, stub.PayloadHash = true, xxh3.Hash(v.Payload)
	for b := first; b <= last; b++ {
		k.put(stub.Hash, b, func(w *blockWriter) { w.view(&stub, -1) })
	}
}

// inside returns where the payload holds the id as it is, or -1. The id then need not
// be carried twice.
func inside(v *View) int {
	if at := bytes.Index(v.Payload, v.ID); at >= 0 {
		return at
	}
	return -1
}

func (k *packer) addEngagement(r *reader, c *cursor, rec []byte, g *Engagement, by lateness) {
	own := k.own(g.Time)
	if !own && (g.Time < k.p.From-k.reach.EngagementsBefore || g.Time >= k.p.To+k.reach.EngagementsAfter) {
		return
	}
	e := k.engagements(r, c)
	s := k.p.spanOf(g.Kind, g.Time, g.ViewTime)
	floor := int64(math.MinInt64)
	if by.watermark != record.NoTime {
		floor = by.watermark - k.longest
	}
	_, afterIdle := by.passed(s.countsTo + k.longest)
	if floor < s.countsTo {
		_, afterIdle = by.passed(s.countsFrom + k.longest)
	}
	if own && afterIdle && s.countsFrom <= s.countsTo {
		e.N[account.LateAfterIdle]++
	}
	if own {
		e.N[account.Read]++
		c.input(r).N[account.Read]++
	}
	switch {
	case s.countsFrom > s.countsTo:
		// By the view's time that it carries it cannot count, whether the view is there or not.
		if own {
			e.N[account.Outside]++
		}
		return
	case floor >= s.countsTo:
		if own {
			e.N[account.Late]++
			c.input(r).N[account.Late]++
			const why = "every view it may refer to had closed"
			e.AddReason(why, 1)
			k.reject(c.late(record.ReasonLate, why, g.Time, by, afterIdle, rec))
		}
		return
	case floor >= s.countsFrom && own:
		e.N[account.PartlyLate]++
		k.reject(c.late(record.ReasonPartlyLate, "some views it may refer to had closed; it was joined with the others", g.Time, by, afterIdle, rec))
	}
	if floor >= min(s.foundFrom, s.countsFrom) {
		g.Floor = floor
	}
	g.Hash = hashID(g.ViewID)
	first, last := k.firstBucket, k.lastBucket
	if g.Time >= k.p.To {
		// Its outcome is told elsewhere and it makes no earlier one a duplicate: it matters
		// for the labels of this slice's views only.
		first, last = k.ownFirst, k.ownLast
	}
	first = max(first, k.p.bucketOf(max(s.foundFrom, floor+1)))
	last = min(last, k.p.bucketOf(s.shadowTo))
	for b := first; b <= last; b++ {
		k.put(g.Hash, b, func(w *blockWriter) { w.engagement(g) })
	}
}

// put appends a record to the block of its shard and bucket, if that is joined.
func (k *packer) put(hash uint64, bucket int64, appendTo func(*blockWriter)) {
	if k.p.open(bucket) {
		return
	}
	shards := k.blocks[bucket]
	if shards == nil {
		shards = make([]blockWriter, k.p.shardsOf(bucket))
		k.blocks[bucket] = shards
	}
	shard := int64(hash % uint64(len(shards)))
	w := &shards[shard]
	if len(w.block) == 0 {
		w.open(k.meaning, bucket, bucket*k.p.Bucket)
	}
	appendTo(w)
	if len(w.block) >= blockBytes {
		k.finish(shard, bucket, w.block)
		w.block = w.block[:0]
	}
}

// finish emits a copy: the buffer goes on being used.
func (k *packer) finish(shard, bucket int64, block []byte) {
	if k.p.Compress {
		block = compressed(block, k.meaning, bucket)
	} else {
		block = bytes.Clone(block)
	}
	k.whole.Bytes.Blocks += int64(len(block))
	k.emit(shard, bucket, block)
}

// flush emits all unfinished blocks, and with tell the accounts of what was added since the
// last flush: one for each stretch of a log, in its order, and one that is of no single stretch.
func (k *packer) flush(tell func(account.Sheet)) {
	for bucket, shards := range k.blocks {
		for shard := range shards {
			if block := shards[shard].block; len(block) > 0 {
				k.finish(int64(shard), bucket, block)
			}
		}
	}
	clear(k.blocks)
	for _, sheet := range account.EndChapters(maps.Values(k.stretches)) {
		tell(*sheet)
	}
	clear(k.stretches)
	tell(*k.whole)
	k.whole = newSheet(k.p)
}

// malformed refuses count records, of which the first begins record.
func (k *packer) malformed(r *reader, c *cursor, t, count int64, rec []byte, err error) {
	if !k.accounts(c, t) {
		return
	}
	c.sheet.AddDead(r.in.Name, k.p.KindName(r.in.Kind), err.Error(), count)
	k.reject(c.rejected(record.ReasonMalformed, err.Error(), t, k.watermark(c), count, rec))
}

// input is the account of the batch's input.
func (c *cursor) input(r *reader) *account.Input {
	if c.in == nil {
		c.in = c.sheet.InputOf(r.in.Name)
	}
	return c.in
}

func (c *cursor) late(reason record.Reason, why string, t int64, by lateness, afterIdle bool, record []byte) record.Rejected {
	r := c.rejected(reason, why, t, by.watermark, 1, record)
	r.AfterIdle = afterIdle
	return r
}

func (c *cursor) rejected(reason record.Reason, detail string, t, watermark, count int64, rec []byte) record.Rejected {
	return record.Rejected{
		Reason: reason, Detail: detail, Input: c.batch.Input, Partition: c.batch.Partition, Offset: c.offset,
		Count: count, EventTime: t, Watermark: watermark, Schema: c.batch.Schema, SchemaText: c.batch.SchemaText, Record: rec,
	}
}
