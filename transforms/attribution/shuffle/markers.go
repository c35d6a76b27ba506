package shuffle

import (
	"encoding/binary"

	"tributary/io/record"
	"tributary/io/wire"
	"tributary/transforms/attribution/bucket"
)

// A view makes later ones with its id duplicates, so buckets after its own have to know of it. Those of an early stage are
// short, and it is marked in many of them: there it is a bucket.Marker, of ten bytes and not compressed, which are written once
// for all buckets that they go to.
//
//	markers = (source start (varint) length (uvarint) (hash (uint64) time (uvarint))*)*
//	             the start less that of the bucket, the time less the start

// markersBytes is the size at which the markers of a source go to where they are wanted.
const markersBytes = 16 << 10

// addMarkers marks a view of the bucket at hand in the buckets from first to last: all those after it, if it is of this interval.
func (t *route) addMarkers(v *bucket.View, own bool, first, last int64) {
	if !own {
		one := appendMarker(nil, v, t.bucket.from)
		for b := first; b <= last; b++ {
			t.put(v.Hash, b, func(w *blockWriter) { w.mark(t.bucket.from-b*t.p.Bucket, one) })
		}
		return
	}
	if t.p.Open(t.bucket.index) {
		return
	}
	shards := t.shardsOf(t.bucket.index)
	shard := v.Hash % uint64(len(shards))
	w := &shards[shard]
	if w.noted = appendMarker(w.noted, v, t.bucket.from); len(w.noted) >= markersBytes {
		t.spread(t.bucket.index, int64(shard), w)
	}
}

func appendMarker(to []byte, v *bucket.View, start int64) []byte {
	return binary.AppendUvarint(binary.LittleEndian.AppendUint64(to, v.Hash), uint64(v.Time-start))
}

// spread puts what was noted in the block of a bucket into all buckets that may hold duplicates of its views.
func (t *route) spread(bucket, shard int64, of *blockWriter) {
	markers := of.noted
	if len(markers) == 0 {
		return
	}
	of.noted = markers[:0]
	start, shards := bucket*t.p.Bucket, t.p.ShardsOf(bucket)
	last := min(t.p.BucketOf(min(start+t.p.Bucket-1+t.p.DedupWindow, record.MaxTime)), t.lastBucket)
	for b := max(bucket+1, t.firstBucket); b <= last && !t.p.Open(b); b++ {
		if t.p.ShardsOf(b) == shards {
			t.append(shard, b, func(w *blockWriter) { w.mark(start-b*t.p.Bucket, markers) })
			continue
		}
		for rest := markers; len(rest) > 0; {
			size := 8 + uvarintBytes(rest[8:])
			one := rest[:size]
			t.append(t.p.ShardOf(binary.LittleEndian.Uint64(one), b), b, func(w *blockWriter) { w.mark(start-b*t.p.Bucket, one) })
			rest = rest[size:]
		}
	}
}

// spreadAll does so with all that is noted.
func (t *route) spreadAll() {
	for bucket, shards := range t.blocks {
		for shard := range shards {
			t.spread(bucket, int64(shard), &shards[shard])
		}
	}
}

func uvarintBytes(encoded []byte) int {
	_, n := binary.Uvarint(encoded)
	return n
}

// mark appends markers of a source that begins so much before the bucket, or after.
func (w *blockWriter) mark(start int64, markers []byte) {
	w.markers = wire.AppendBytes(binary.AppendVarint(w.markers, start), markers)
}

// appendMarkers decodes the markers of a block of the bucket that begins at start.
func appendMarkers(to []bucket.Marker, encoded []byte, start int64) ([]bucket.Marker, error) {
	for r := wire.NewReader(encoded); r.More(); {
		from := start + r.Varint()
		of := wire.NewReader(r.Bytes())
		for of.More() {
			to = append(to, bucket.Marker{Hash: of.Uint64(), Time: from + int64(of.Uvarint())})
		}
		if r.Short() || of.Short() {
			return nil, errShort
		}
	}
	return to, nil
}
