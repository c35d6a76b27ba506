package shuffle

import (
	"bytes"
	"maps"

	"tributary/transforms/account"
)

// blockBytes is the size at which a block is emitted: large enough that what Beam
// takes for an element is nothing beside it, small enough that the blocks of all
// open buckets and shards fit in memory many times over.
const blockBytes = 64 << 10

// put appends a record to the block of its shard and bucket, if that is joined.
func (k *Packer) put(hash uint64, bucket int64, appendTo func(*blockWriter)) {
	if k.p.Open(bucket) {
		return
	}
	shards := k.shardsOf(bucket)
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

// recent is a bucket that was put into not long ago.
type recent struct {
	bucket int64
	shards []blockWriter
}

// shardsOf are the unfinished blocks of a bucket. The records of a log lie in a few buckets in turn: most need no
// look into the map.
func (k *Packer) shardsOf(bucket int64) []blockWriter {
	last := &k.recent[uint64(bucket)%uint64(len(k.recent))]
	if last.shards != nil && last.bucket == bucket {
		return last.shards
	}
	shards := k.blocks[bucket]
	if shards == nil {
		shards = make([]blockWriter, k.p.ShardsOf(bucket))
		k.blocks[bucket] = shards
	}
	*last = recent{bucket, shards}
	return shards
}

// finish emits a copy: the buffer goes on being used.
func (k *Packer) finish(shard, bucket int64, block []byte) {
	if k.p.Compress {
		block = compressed(block, k.meaning, bucket)
	} else {
		block = bytes.Clone(block)
	}
	k.totals.Bytes.Blocks += int64(len(block))
	k.emit(shard, bucket, Block{block})
}

// Flush emits all unfinished blocks, and hands emit the accounts of what was added since the
// last flush: one for each offset range of a log, in its order, and one that is of no single range.
func (k *Packer) Flush(emit func(account.Sheet)) {
	for bucket, shards := range k.blocks {
		for shard := range shards {
			if block := shards[shard].block; len(block) > 0 {
				k.finish(int64(shard), bucket, block)
			}
		}
	}
	clear(k.blocks)
	clear(k.recent[:])
	for _, sheet := range account.EndChapters(maps.Values(k.ranges)) {
		emit(*sheet)
	}
	clear(k.ranges)
	emit(*k.totals)
	k.totals = k.p.NewSheet()
}
