package avro

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBadMarkers: whichever markers are damaged, only their blocks are lost, and how many
// records that makes is known as long as their headers lead from one to the next.
func TestBadMarkers(t *testing.T) {
	blocks := []rawBlock{{1, varints(1)}, {2, varints(2, 3)}, {3, varints(4, 5, 6)}, {4, varints(7, 8, 9, 10)}}
	whole := container(t, CodecNull, blocks...)
	ends := make([]int, len(blocks)) // of the blocks in the file
	for i := range blocks {
		ends[i] = len(container(t, CodecNull, blocks[:i+1]...))
	}
	for set := range 1 << len(blocks) {
		file := bytes.Clone(whole)
		var want []byte
		var lost []int64
		for i, b := range blocks {
			if set>>i&1 == 0 {
				want = append(want, b.data...)
				continue
			}
			file[ends[i]-1-i] ^= 1 // each in another way
			lost = append(lost, b.count)
		}
		r, err := NewReader(bytes.NewReader(file))
		require.NoError(t, err)
		records, _, damage := readAll(t, r, r.Header().Size)
		require.Equal(t, want, records, "%04b", set)
		require.Len(t, damage, len(lost), "%04b", set)
		for i, d := range damage {
			require.Equal(t, lost[i], d.Count)
			require.False(t, d.AtLeast)
		}
	}
	// The marker in the header is the damaged one: no block ends with it, however many.
	for range 2 * chained {
		blocks = append(blocks, rawBlock{1, varints(11)})
	}
	file := container(t, CodecNull, blocks...)
	file[len(container(t, CodecNull))-1] ^= 1
	r, err := NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	_, _, damage := readAll(t, r, r.Header().Size)
	require.Len(t, damage, len(blocks))
	for i, d := range damage {
		require.Equal(t, blocks[i].count, d.Count)
		require.False(t, d.AtLeast)
	}
}

// TestPadding: zeros behind the last block are no damage, however many; other bytes are,
// and nothing is known of them.
func TestPadding(t *testing.T) {
	file := container(t, CodecNull, rawBlock{2, varints(100, 200)})
	for _, n := range []int{1, 2, 3, syncSize + 1, syncSize + 2, syncSize + 3, 2 * (syncSize + 2), 512, firstBuffer - 1, firstBuffer, 3*firstBuffer + 1} {
		padded := append(bytes.Clone(file), make([]byte, n)...)
		r, err := NewReader(bytes.NewReader(padded))
		require.NoError(t, err)
		records, _, damage := readAll(t, r, r.Header().Size)
		require.Empty(t, damage, n)
		require.Equal(t, varints(100, 200), records)
		padded[len(padded)-1] = 1
		r, err = NewReader(bytes.NewReader(padded))
		require.NoError(t, err)
		_, _, damage = readAll(t, r, r.Header().Size)
		require.Len(t, damage, 1, n)
		require.Zero(t, damage[0].Count)
		require.ErrorContains(t, damage[0], "an unknown number of records")
	}
	// Zeros in the place of all blocks are what a crash leaves of a file.
	r, err := NewReader(bytes.NewReader(append(container(t, CodecNull), make([]byte, 4096)...)))
	require.NoError(t, err)
	_, _, damage := readAll(t, r, r.Header().Size)
	require.Len(t, damage, 1)
	require.True(t, damage[0].AtLeast)
}
