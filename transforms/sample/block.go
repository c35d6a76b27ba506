package sample

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"tributary/io/wire"
)

// A block of samples is a run of encoded samples of one (shard, bucket) in order of (view
// time, view ID), each behind its length, with a header before them. It is what the join
// emits and sinks receive; the blocks of a (shard, bucket) follow one another in Part, and
// the last one, which may be empty, says so.
//
//	block  = start (varint ms) shard (uvarint) part (uvarint) flags (byte) [corrections (uvarint)] sample*
//	sample = length (uvarint) encoded sample

// Block is such a run: an element, as its bytes.
type Block struct{ encoded []byte }

// EncodeBlock returns the bytes of a block.
func EncodeBlock(b Block) []byte { return b.encoded }

// DecodeBlock makes a block of its bytes, which it keeps.
func DecodeBlock(encoded []byte) (Block, error) { return Block{encoded}, nil }

// Header says what a block holds.
type Header struct {
	// Start is the event time at which the bucket starts (ms).
	Start int64
	Shard int64
	// Part numbers the blocks of the (shard, bucket) from 0; Last marks the last of them.
	Part int
	Last bool
	// Unchanged: these samples are what was said before, and are not to be given, but where others of the (shard, bucket) were
	// given already and are corrected. See rules.Params.Marked.
	Unchanged bool
	// Withdrawn: these samples, of weight 0, take back what earlier stages gave: of no use to whoever has no samples of those.
	Withdrawn bool
	// Corrections counts how often what the stage before gave of these views was corrected: the samples come behind that. It is the same
	// in all parts.
	Corrections int64
}

// Flags of a block.
const (
	flagLast = 1 << iota
	flagUnchanged
	flagCorrections
	flagWithdrawn
)

// headerRoom is what no header is longer than.
const headerRoom = 48

// NewBlock returns a block of samples, which it copies (see AppendTo).
func NewBlock(h Header, samples []byte) Block {
	dst := make([]byte, 0, headerRoom+len(samples))
	dst = binary.AppendVarint(dst, h.Start)
	dst = binary.AppendUvarint(dst, uint64(h.Shard))
	dst = binary.AppendUvarint(dst, uint64(h.Part))
	flags := byte(0)
	if h.Last {
		flags |= flagLast
	}
	if h.Unchanged {
		flags |= flagUnchanged
	}
	if h.Withdrawn {
		flags |= flagWithdrawn
	}
	if h.Corrections == 0 {
		return Block{append(append(dst, flags), samples...)}
	}
	dst = binary.AppendUvarint(append(dst, flags|flagCorrections), uint64(h.Corrections))
	return Block{append(dst, samples...)}
}

// Open splits a block into its header and its samples (see Next).
func (b Block) Open() (h Header, samples []byte, err error) {
	r := wire.NewReader(b.encoded)
	h = Header{Start: r.Varint(), Shard: int64(r.Uvarint()), Part: int(r.Uvarint())}
	flags := r.Byte()
	h.Last, h.Unchanged, h.Withdrawn = flags&flagLast != 0, flags&flagUnchanged != 0, flags&flagWithdrawn != 0
	if flags&flagCorrections != 0 {
		h.Corrections = int64(r.Uvarint())
	}
	if r.Short() {
		return Header{}, nil, fmt.Errorf("block of samples: %d bytes hold no header", len(b.encoded))
	}
	return h, r.Rest(), nil
}

// AppendTo appends an encoded sample to the samples of a block to be.
func AppendTo(samples, encoded []byte) []byte {
	return wire.AppendBytes(samples, encoded)
}

// Next splits the first encoded sample off the samples of a block. It and Key do without a wire.Reader,
// which would cost half as much again: 23 ns for 15, once for each sample that is merged.
func Next(samples []byte) (encoded, rest []byte, err error) {
	size, n := binary.Uvarint(samples)
	if n <= 0 || size > uint64(len(samples)-n) {
		return nil, nil, errors.New("block of samples: it ends within a sample")
	}
	return samples[n : n+int(size)], samples[n+int(size):], nil
}

// Merge calls each for every sample of the blocks in order of (view time, view ID),
// whatever the order of the blocks. The bytes given to each are valid for the call.
//
// Buckets follow one another in time and only blocks of one bucket interleave, so it
// costs a comparison or two for each sample and the logarithm of the shards.
func Merge(blocks []Block, each func(encoded []byte) error) error {
	sources := make([]Source, len(blocks))
	for i, b := range blocks {
		h, _, err := b.Open()
		if err != nil {
			return err
		}
		sources[i] = Source{h.Start, func() (Block, error) { return b, nil }}
	}
	return MergeSources(sources, each)
}

// Source is a block that is read when it is needed.
type Source struct {
	Start int64 // of its Header
	Load  func() (Block, error)
}

// MergeSources does what Merge does and has the blocks of one bucket in memory at a time.
func MergeSources(sources []Source, each func(encoded []byte) error) error {
	slices.SortStableFunc(sources, func(a, b Source) int { return cmp.Compare(a.Start, b.Start) })
	for len(sources) > 0 {
		end := 1
		for end < len(sources) && sources[end].Start == sources[0].Start {
			end++
		}
		runs, err := begin(sources[:end])
		if err != nil {
			return err
		}
		if err := mergeBucket(runs, each); err != nil {
			return err
		}
		sources = sources[end:]
	}
	return nil
}

// begin loads the blocks of a bucket; those without samples are left out.
func begin(sources []Source) (runHeap, error) {
	runs := make(runHeap, 0, len(sources))
	for _, s := range sources {
		block, err := s.Load()
		if err != nil {
			return nil, err
		}
		_, rest, err := block.Open()
		if err != nil {
			return nil, err
		}
		r := &run{rest: rest}
		ok, err := r.next()
		if err != nil {
			return nil, err
		}
		if ok {
			runs = append(runs, r)
		}
	}
	return runs, nil
}

func mergeBucket(runs runHeap, each func([]byte) error) error {
	for i := len(runs)/2 - 1; i >= 0; i-- {
		runs.down(i)
	}
	for len(runs) > 0 {
		first := runs[0]
		if err := each(first.encoded); err != nil {
			return err
		}
		ok, err := first.next()
		if err != nil {
			return err
		}
		if !ok {
			runs[0] = runs[len(runs)-1]
			runs = runs[:len(runs)-1]
		}
		runs.down(0)
	}
	return nil
}

// run is a block being read: its first sample not yet taken, with its key.
type run struct {
	rest    []byte
	encoded []byte
	time    int64
	id      []byte
}

func (r *run) next() (ok bool, err error) {
	if len(r.rest) == 0 {
		return false, nil
	}
	if r.encoded, r.rest, err = Next(r.rest); err != nil {
		return false, err
	}
	r.id, r.time, err = Key(r.encoded)
	return true, err
}

// Key reads the view ID and the view time (ms) of an encoded sample.
func Key(encoded []byte) (id []byte, viewTime int64, err error) {
	size, n := binary.Varint(encoded)
	if n <= 0 || size < 0 || size > int64(len(encoded)-n) {
		return nil, 0, fmt.Errorf("encoded sample of %d bytes: no view id", len(encoded))
	}
	id = encoded[n : n+int(size)]
	viewTime, m := binary.Varint(encoded[n+int(size):])
	if m <= 0 {
		return nil, 0, fmt.Errorf("encoded sample of %d bytes: no view time", len(encoded))
	}
	return id, viewTime, nil
}

// runHeap has the run with the first sample at its top. Every sample passes here: an interface would cost a call for
// each comparison.
type runHeap []*run

// down puts the run at i where it belongs among those below it.
func (h runHeap) down(i int) {
	for {
		least := 2*i + 1
		if least >= len(h) {
			return
		}
		if next := least + 1; next < len(h) && h[next].before(h[least]) {
			least = next
		}
		if !h[least].before(h[i]) {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

func (r *run) before(other *run) bool {
	if r.time != other.time {
		return r.time < other.time
	}
	return bytes.Compare(r.id, other.id) < 0
}
