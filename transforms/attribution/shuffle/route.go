package shuffle

import (
	"math"
	"slices"

	"tributary/transforms/attribution/rules"
)

// Place is where a block goes.
type Place struct {
	Stage         int
	Shard, Bucket int64
}

// route is the way of records to the buckets of one stage.
type route struct {
	p       rules.Params // of the stage
	longest int64
	begins  int64 // see rules.Params.Begins
	shares  bool  // see rules.Params.Shares
	// sharesFirst: all engagements count for the first view.
	sharesFirst bool
	// windowAfter is rules.Params.WindowAfter, by kind.
	windowAfter []int64
	meaning     uint64
	// ahead is by how much the stages that it goes on from had closed further, at most.
	ahead int64
	// firstBucket and lastBucket bound the buckets of the interval with all that matters for
	// it, ownFirst and ownLast those of its own views.
	firstBucket, lastBucket, ownFirst, ownLast int64

	blocks map[int64][]blockWriter // unfinished ones by bucket, then shard
	recent [16]recent              // of them, by the lowest bits of the bucket
	// free are empty ones, whose buffers take freeBytes.
	free      [][]blockWriter
	freeBytes int
	bucket    bucketSpan // of the view before
	emit      func(Place, Block)
}

func newRoute(p rules.Params, emit func(Place, Block)) *route {
	t := &route{
		p: p, longest: p.LongestWindow(), begins: p.Begins(), shares: p.Shares(), meaning: p.Meaning().Fingerprint(), emit: emit, blocks: map[int64][]blockWriter{},
		firstBucket: math.MinInt64, lastBucket: math.MaxInt64, ownFirst: math.MinInt64, ownLast: math.MaxInt64,
	}
	t.sharesFirst = !slices.ContainsFunc(p.Kinds, func(k rules.Kind) bool { return k.Credit != rules.CreditFirst || k.Otherwise })
	for kind := range p.Kinds {
		t.windowAfter = append(t.windowAfter, p.WindowAfter(kind))
	}
	if before := p.SaidBefore(); len(before) > 0 {
		t.ahead = before[0].Ahead
	}
	bounds := p.InputBounds()
	if p.From != math.MinInt64 {
		t.ownFirst, t.firstBucket = p.BucketOf(p.From), p.BucketOf(p.From-bounds.ViewsBefore)
	}
	if p.To != rules.NoLogEnd {
		t.ownLast, t.lastBucket = p.BucketOf(p.To-1), p.BucketOf(p.To+bounds.ViewsAfter)
	}
	return t
}

// blockBytes is the size at which a block is emitted: large enough that what Beam
// takes for an element is nothing beside it, small enough that the blocks of all
// open buckets and shards fit in memory many times over.
const blockBytes = 64 << 10

// mostFree bounds the bytes of buffers that are kept from one bundle to the next.
const mostFree = 16 << 20

// room is what the buffers of some blocks take.
func room(shards []blockWriter) (n int) {
	for i := range shards {
		n += cap(shards[i].block) + cap(shards[i].markers) + cap(shards[i].noted)
	}
	return n
}

// put appends a record to the block of its shard and bucket, if that is joined.
func (t *route) put(hash uint64, bucket int64, appendTo func(*blockWriter)) {
	if t.p.Open(bucket) {
		return
	}
	t.append(int64(hash%uint64(len(t.shardsOf(bucket)))), bucket, appendTo)
}

// append appends to the block of a shard and bucket.
func (t *route) append(shard, bucket int64, appendTo func(*blockWriter)) {
	w := &t.shardsOf(bucket)[shard]
	if w.size() == 0 {
		w.open(t.meaning, bucket, bucket*t.p.Bucket)
	}
	appendTo(w)
	if w.size() >= blockBytes {
		t.finish(shard, bucket, w)
	}
}

// recent is a bucket that was put into not long ago.
type recent struct {
	bucket int64
	shards []blockWriter
}

// shardsOf are the unfinished blocks of a bucket. The records of a log lie in a few buckets in turn: most need no
// look into the map.
func (t *route) shardsOf(bucket int64) []blockWriter {
	last := &t.recent[uint64(bucket)%uint64(len(t.recent))]
	if last.shards != nil && last.bucket == bucket {
		return last.shards
	}
	shards := t.blocks[bucket]
	if shards == nil {
		if n := t.p.ShardsOf(bucket); n == t.p.Shards && len(t.free) > 0 {
			shards, t.free = t.free[len(t.free)-1], t.free[:len(t.free)-1]
			t.freeBytes -= room(shards)
		} else {
			shards = make([]blockWriter, n)
		}
		t.blocks[bucket] = shards
	}
	*last = recent{bucket, shards}
	return shards
}

// finish emits a copy: the buffers go on being used.
func (t *route) finish(shard, bucket int64, w *blockWriter) {
	t.emit(Place{t.p.Stage, shard, bucket}, Block{w.finished(t.p.Compress)})
	w.block, w.markers = w.block[:0], w.markers[:0]
}

// flush emits all unfinished blocks.
func (t *route) flush() {
	t.spreadAll()
	for bucket, shards := range t.blocks {
		for shard := range shards {
			if w := &shards[shard]; w.size() > 0 {
				t.finish(int64(shard), bucket, w)
			}
		}
		if n := room(shards); len(shards) == t.p.Shards && t.freeBytes+n <= mostFree {
			t.free, t.freeBytes = append(t.free, shards), t.freeBytes+n
		}
	}
	clear(t.blocks)
	clear(t.recent[:])
}

// bucketSpan is a bucket and its times: [from, to).
type bucketSpan struct{ index, from, to int64 }

// bucketOf is Params.BucketOf, and leaves the bucket at hand: that of the view before, mostly, which spares a
// division.
func (t *route) bucketOf(at int64) int64 {
	if at < t.bucket.from || at >= t.bucket.to {
		index := t.p.BucketOf(at)
		t.bucket = bucketSpan{index, index * t.p.Bucket, (index + 1) * t.p.Bucket}
	}
	return t.bucket.index
}
