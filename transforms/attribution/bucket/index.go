package bucket

import (
	"bytes"
	"iter"
	"math/bits"
	"slices"
)

// index finds view ids: a hash table with open addressing, which keeps its memory from
// one bucket to the next and costs one cache line for an id that is not there.
type index struct {
	slots   []int32 // position in entries + 1; 0 is free
	mask    uint64
	entries []entry
	// twins: two ids have one hash.
	twins bool
}

// entry is one view id, or one key: the views that bear it and the engagements that name it.
type entry struct {
	hash uint64
	id   []byte
	of   int32 // the entry of the key that the id is of, in an index of those
	// firstView and lastView are positions in the Joiner's order, keptView that of the
	// last view which is no duplicate; -1 if there is none. lastOwn is the last view of an id: lastView, but for keys.
	firstView, lastView, keptView, lastOwn int32
	// engagements is the first of a chain of engagements, or -1.
	engagements int32
	// keptHash is that of the kept view's payload, once a duplicate has asked for it.
	keptHash   uint64
	keptHashed bool
}

func (e *entry) keep(view int32) { e.keptView, e.keptHashed = view, false }

// reset empties the table and makes room for n ids.
func (x *index) reset(n int) {
	x.entries, x.twins = x.entries[:0], false
	x.resize(max(64, 1<<bits.Len(uint(n*3/2))))
}

func (x *index) resize(size int) {
	x.slots = slices.Grow(x.slots[:0], size)[:size]
	clear(x.slots)
	x.mask = uint64(size - 1)
	for i := range x.entries {
		slot := x.slot(x.entries[i].hash)
		for x.slots[slot] != 0 {
			slot = (slot + 1) & x.mask
		}
		x.slots[slot] = int32(i) + 1
	}
}

func (x *index) find(hash uint64, id []byte) (at int32, found bool) {
	at, _ = x.probe(hash, id, 0)
	return at, at >= 0
}

func (x *index) findOrInsert(hash uint64, id []byte, of int32) (at int32) {
	at, slot := x.probe(hash, id, of)
	if at >= 0 {
		return at
	}
	at = int32(len(x.entries))
	x.entries = append(x.entries, entry{hash: hash, id: id, of: of, firstView: -1, lastView: -1, keptView: -1, lastOwn: -1, engagements: -1})
	x.slots[slot] = at + 1
	if len(x.entries)*4 > len(x.slots)*3 {
		x.resize(2 * len(x.slots))
	}
	return at
}

// probe returns where id is, or -1 and the slot where it belongs.
func (x *index) probe(hash uint64, id []byte, of int32) (at int32, slot uint64) {
	for slot = x.slot(hash); x.slots[slot] != 0; slot = (slot + 1) & x.mask {
		at = x.slots[slot] - 1
		if e := &x.entries[at]; e.hash == hash {
			if e.of == of && bytes.Equal(e.id, id) {
				return at, slot
			}
			x.twins = x.twins || e.of == of
		}
	}
	return -1, slot
}

// ofHash gives the entries of a hash.
func (x *index) ofHash(hash uint64) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for slot := x.slot(hash); x.slots[slot] != 0; slot = (slot + 1) & x.mask {
			if at := x.slots[slot] - 1; x.entries[at].hash == hash && !yield(at) {
				return
			}
		}
	}
}

// slot takes the upper half of the hash: the ids of one shard agree in the lowest bits.
func (x *index) slot(hash uint64) uint64 { return hash >> 32 & x.mask }
