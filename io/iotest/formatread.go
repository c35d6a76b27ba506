package iotest

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
)

func (h FormatHarness) order(t *testing.T) {
	rows := rowsOf(5000)
	got := h.read(t, fileOf(h.Write(t, rows), nil), format.Place{})
	require.NoError(t, got.err)
	require.Empty(t, got.bad)
	require.Equal(t, rows, got.rows)
	for i, index := range got.indexes {
		require.EqualValues(t, i, index)
	}
	require.Greater(t, len(got.chunks), 3, "the rows are to lie in several chunks")
	for i, c := range got.chunks[1:] {
		before := got.chunks[i]
		require.Greater(t, c.Offset, before.Offset)
		require.Equal(t, before.Index+before.Count, c.Index)
		require.Positive(t, c.Size)
	}
}

func (h FormatHarness) resume(t *testing.T) {
	content, _ := h.Spoil(t, h.Write(t, rowsOf(5000)))
	f := fileOf(content, nil)
	all := h.read(t, f, format.Place{})
	require.NoError(t, all.err)
	for i, c := range all.chunks {
		if c.Offset == 0 {
			continue // that is the start
		}
		got := h.read(t, f, c.Place)
		require.NoError(t, got.err)
		require.Len(t, got.chunks, len(all.chunks)-i)
		for k, again := range got.chunks {
			want := all.chunks[i+k]
			require.Equal(t, want.Place, again.Place)
			require.Equal(t, want.Size, again.Size)
			require.Equal(t, want.Count, again.Count)
			require.Len(t, again.Bad, len(want.Bad))
			require.True(t, bytes.Equal(all.records[i+k], got.records[k]), "records of the chunk at %d", want.Offset)
		}
	}
}

func (h FormatHarness) arrival(t *testing.T) {
	content, _ := h.Spoil(t, h.Write(t, rowsOf(1000)))
	want := h.read(t, fileOf(content, nil), format.Place{})
	require.NoError(t, want.err)
	for name, arrive := range arrivals {
		got := h.read(t, fileOf(content, arrive), format.Place{})
		require.NoError(t, got.err, name)
		require.Equal(t, want.rows, got.rows, name)
		require.Equal(t, want.indexes, got.indexes, name)
		require.Len(t, got.bad, len(want.bad), name)
		for i, c := range got.chunks {
			require.Equal(t, want.chunks[i].Place, c.Place, "%s: where chunks begin must not depend on how much is read at once", name)
		}
	}
}

// empty reads a file without records, and one without bytes: that may be no file of the format.
func (h FormatHarness) empty(t *testing.T) {
	got := h.read(t, fileOf(h.Write(t, nil), nil), format.Place{})
	require.NoError(t, got.err)
	require.Empty(t, got.rows)
	require.Empty(t, got.bad)
	got = h.read(t, fileOf(nil, nil), format.Place{})
	require.Empty(t, got.rows)
	require.Empty(t, got.bad)
	if got.err != nil {
		var other *format.OtherError
		require.ErrorAs(t, got.err, &other)
	}
}

func (h FormatHarness) huge(t *testing.T) {
	rows := []Row{{0, "small"}, {1, strings.Repeat("a huge one ", 1<<20)}, {2, "small"}}
	for _, arrive := range []arrival{nil, iotest.HalfReader} {
		got := h.read(t, fileOf(h.Write(t, rows), arrive), format.Place{})
		require.NoError(t, got.err)
		require.Empty(t, got.bad)
		require.Len(t, got.rows, 3)
		for i, row := range got.rows {
			require.True(t, rows[i] == row, "row %d is another", i)
		}
	}
}
