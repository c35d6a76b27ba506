package avro

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestDamage: each kind of damage to the second of three blocks is told, with what is
// known of it, and the third block is read.
func TestDamage(t *testing.T) {
	good := rawBlock{2, varints(1, 2)}
	stored := func(codec string, plain []byte) []byte {
		out, err := compress(nil, codec, plain)
		require.NoError(t, err)
		return out
	}
	snapped := stored(CodecSnappy, varints(5, 6, 7))
	zstd3 := stored(CodecZstandard, varints(5, 6, 7))
	flip := func(data []byte, i int) []byte {
		data = bytes.Clone(data)
		data[i] ^= 0x40
		return data
	}
	tests := []struct {
		name, codec string
		bad         rawBlock
		change      func(block []byte) []byte // of the bad block's bytes in the file
		count       int64                     // 0 if it is not known how many records are lost
		third       bool                      // the third block survives
		want        string
	}{
		{"bad sync marker", CodecNull, good, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, 2, true, "no sync marker follows"},
		{"size too large", CodecNull, good, func(b []byte) []byte { b[1] += 2; return b }, 0, true, "no sync marker follows"},
		{"size too small", CodecNull, good, func(b []byte) []byte { b[1] -= 2; return b }, 0, true, "its count of records is 2, in 1 bytes"},
		{"size negative", CodecNull, good, func(b []byte) []byte { b[1] = 1; return b }, 0, true, "its size is -1"},
		{"size over the limit", CodecNull, good, func(b []byte) []byte { return append([]byte{4}, append(varints(1<<40), b[2:]...)...) }, 0, true, "its size is 1099511627776"},
		{"size beyond the end", CodecNull, good, func(b []byte) []byte { return append([]byte{4}, append(varints(1<<20), b[2:]...)...) }, 0, true, "the file ends within it"},
		{"count negative", CodecNull, rawBlock{-2, varints(1, 2)}, nil, 0, true, "its count of records is -2"},
		{"count absurd", CodecNull, rawBlock{1 << 40, varints(1, 2)}, nil, 0, true, "its count of records is 1099511627776, in 2 bytes"},
		{"count absurd, compressed", CodecDeflate, rawBlock{1000, deflated(t, varints(1, 2))}, nil, 0, true, "its count of records is 1000, in 2 bytes"},
		{"count one too large, compressed", CodecDeflate, rawBlock{3, deflated(t, varints(1, 2))}, nil, 0, true, "its count of records is 3, in 2 bytes"},
		{"no header", CodecNull, good, func(b []byte) []byte { return append(bytes.Repeat([]byte{0xff}, 20), b...) }, 0, true, "not made of two numbers"},
		{"bytes lost", CodecNull, good, func(b []byte) []byte { return b[:1] }, 0, false, ""},
		{"deflate", CodecDeflate, rawBlock{3, []byte{0xff, 0xff, 1, 2, 3}}, nil, 3, true, "deflate: "},
		{"deflate cut short", CodecDeflate, rawBlock{3, deflated(t, bytes.Repeat([]byte{2, 4, 8}, 99))[:4]}, nil, 3, true, "deflate: "},
		{"deflate followed by more", CodecDeflate, rawBlock{2, append(deflated(t, varints(1, 2)), make([]byte, 99)...)}, nil, 2, true, "more than its data"},
		{"snappy checksum", CodecSnappy, rawBlock{3, flip(snapped, 6)}, nil, 3, true, "the checksum is"},
		{"snappy data", CodecSnappy, rawBlock{3, flip(snapped, 2)}, nil, 3, true, "the checksum is"},
		{"snappy without checksum", CodecSnappy, rawBlock{3, []byte{1}}, nil, 3, true, "the checksum is missing"},
		{"snappy length", CodecSnappy, rawBlock{3, append([]byte{0xff, 0xff, 0xff, 0x7f}, make([]byte, 20)...)}, nil, 3, true, "cannot hold"},
		{"zstandard", CodecZstandard, rawBlock{3, []byte("nothing of the kind")}, nil, 3, true, "zstandard: "},
		{"zstandard checksum", CodecZstandard, rawBlock{3, flip(zstd3, len(zstd3)-2)}, nil, 3, true, "zstandard: "},
		{"zstandard cut short", CodecZstandard, rawBlock{3, zstd3[:len(zstd3)-5]}, nil, 3, true, "zstandard: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, third := varints(11), varints(33)
			begin := container(t, tt.codec, rawBlock{1, stored(tt.codec, first)})
			head := len(container(t, tt.codec))
			bad := container(t, tt.codec, tt.bad)[head:]
			if tt.change != nil {
				bad = tt.change(bytes.Clone(bad))
			}
			end := container(t, tt.codec, rawBlock{1, stored(tt.codec, third)})[head:]
			file := append(append(bytes.Clone(begin), bad...), end...)

			r, err := NewReader(bytes.NewReader(file))
			require.NoError(t, err)
			records, _, damage := readAll(t, r, int64(head))
			want := bytes.Clone(first)
			if tt.third {
				want = append(want, third...)
			}
			assert.Equal(t, want, records)
			require.Len(t, damage, 1)
			assert.Equal(t, int64(len(begin)), damage[0].Offset)
			assert.Equal(t, tt.count, damage[0].Count)
			assert.Equal(t, tt.count == 0, damage[0].AtLeast)
			assert.ErrorContains(t, damage[0], tt.want)
			if tt.third {
				assert.Equal(t, int64(len(bad)), damage[0].Size)
			}
		})
	}
}

// TestMarkerAcrossReads: the marker behind a long damage is found wherever it falls in
// what is searched at a time.
func TestMarkerAcrossReads(t *testing.T) {
	head := len(container(t, CodecNull))
	for extra := -syncSize - 4; extra < 4; extra++ {
		junk := bytes.Repeat([]byte{0xff}, firstBuffer+extra)
		file := append(container(t, CodecNull), junk...)
		file = append(file, file[head-syncSize:head]...)
		file = append(file, container(t, CodecNull, rawBlock{1, varints(5)})[head:]...)
		// Reads of the size of what is searched, so that the search sees no more.
		r, err := NewReader(io.MultiReader(bytes.NewReader(file[:head]), &pieces{file[head:], firstBuffer}))
		require.NoError(t, err)
		records, _, damage := readAll(t, r, int64(head))
		require.Len(t, damage, 1)
		assert.Equal(t, varints(5), records)
		assert.Equal(t, int64(len(junk)+syncSize), damage[0].Size)
	}
}

// pieces reads rest in pieces of at most size bytes.
type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(buf []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(buf[:min(len(buf), p.size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// TestTruncatedFile: a file cut anywhere after its header gives the whole blocks before
// the cut, and says how many records were in the block that was cut.
func TestTruncatedFile(t *testing.T) {
	file := container(t, CodecNull, rawBlock{1, varints(100)}, rawBlock{2, varints(200, 300)})
	head := len(container(t, CodecNull))
	one := len(container(t, CodecNull, rawBlock{1, varints(100)}))
	for cut := head; cut < len(file); cut++ {
		r, err := NewReader(bytes.NewReader(file[:cut]))
		require.NoError(t, err)
		records, count, damage := readAll(t, r, int64(head))
		whole := 0
		if cut >= one {
			whole = 1
			require.Equal(t, varints(100), records)
		}
		require.Equal(t, int64(whole), count)
		if cut == head || cut == one {
			require.Empty(t, damage)
			continue
		}
		require.Len(t, damage, 1, "cut at %d", cut)
		require.ErrorIs(t, damage[0], io.ErrUnexpectedEOF)
		if start := []int{head, one}[whole]; cut >= start+2 {
			require.Equal(t, int64(whole+1), damage[0].Count)
			require.True(t, damage[0].AtLeast, "more may have followed")
			require.ErrorContains(t, damage[0], fmt.Sprintf("at least %d records", whole+1))
			require.Equal(t, int64(cut-start), damage[0].Size)
		}
	}
}

// TestBombs: blocks that would grow beyond the limit are refused without growing.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 4<<20)
	enc, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	snapped, err := snap(nil, zeros)
	require.NoError(t, err)
	claim := append(snappy.Encode(nil, nil)[:0], 0x80, 0x80, 0x80, 0x80, 0x04) // 1 GiB, and no data
	for _, tt := range []struct {
		codec string
		data  []byte
		want  string
	}{
		{CodecNull, zeros, "larger than the limit"},
		{CodecDeflate, deflated(t, zeros), "larger than the limit"},
		{CodecSnappy, snapped, "larger than the limit"},
		{CodecSnappy, append(claim, make([]byte, 8)...), ""},
		{CodecZstandard, enc.EncodeAll(zeros, nil), "larger than the limit"},
	} {
		r, err := NewReader(bytes.NewReader(container(t, tt.codec, rawBlock{1, tt.data}, rawBlock{1, varints(1)})))
		require.NoError(t, err)
		r.Limit(Limits{Records: 1 << 20})
		b, err := r.Next()
		require.NoError(t, err)
		dst, err := b.Records([]byte("x"))
		require.ErrorContains(t, err, tt.want)
		var d *DamageError
		require.ErrorAs(t, err, &d, tt.codec)
		assert.Equal(t, []byte("x"), dst)
		assert.Less(t, cap(dst), 8<<20)
	}
	r, err := NewReader(bytes.NewReader(container(t, CodecNull, rawBlock{1, zeros}, rawBlock{1, varints(9)})))
	require.NoError(t, err)
	r.Limit(Limits{Block: 1 << 20})
	records, _, damage := readAll(t, r, r.Header().Size)
	require.Len(t, damage, 1)
	assert.Equal(t, varints(9), records)
}

// TestAnyDamageIsContained: whatever bytes are overwritten, blocks that they do not
// touch, and whose sync markers before and behind stand, are read.
func TestAnyDamageIsContained(t *testing.T) {
	s, datums := mustParse(t, viewSchema), viewDatums(t, 400)
	for _, codec := range Codecs {
		file := writeFile(t, s, WriterOptions{Codec: codec, BlockBytes: 4 << 10}, datums)
		r, err := NewReader(bytes.NewReader(file))
		require.NoError(t, err)
		var blocks []Block
		var plain [][]byte
		sizes := map[int64]int64{}
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			records, err := b.Records(nil)
			require.NoError(t, err)
			blocks, plain = append(blocks, b), append(plain, records)
			sizes[b.Offset] = b.Size
		}
		rapid.Check(t, func(t *rapid.T) {
			start := rapid.IntRange(int(r.Header().Size), len(file)-1).Draw(t, "start")
			junk := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "junk")
			damaged := bytes.Clone(file)
			end := start + copy(damaged[start:], junk)
			again, err := NewReader(bytes.NewReader(damaged))
			require.NoError(t, err)
			got := map[int64][]byte{}
			swallowed := int64(0) // what ends before this was taken for part of a block
			for {
				b, err := again.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					require.ErrorAs(t, err, new(*DamageError))
					continue
				}
				records, err := b.Records(nil)
				if err == nil && sizes[b.Offset] == b.Size {
					got[b.Offset] = records
				} else {
					swallowed = b.Offset + b.Size
				}
			}
			for i, b := range blocks {
				// The marker before a block must stand too: without it, where the
				// block begins is not known for sure. Nor is it if a damaged size
				// happens to lead to the end of a later block.
				if b.Offset < swallowed {
					continue
				}
				if int(b.Offset)-syncSize >= end || int(b.Offset+b.Size) <= start {
					require.True(t, bytes.Equal(plain[i], got[b.Offset]), "%s: block at %d, junk at %d to %d", codec, b.Offset, start, end)
				}
			}
		})
	}
}
