package iotest

import (
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
)

// arrival changes how the bytes of a file arrive.
type arrival = func(io.Reader) io.Reader

var arrivals = map[string]arrival{
	"a byte at a time": iotest.OneByteReader, "half of what is asked for": iotest.HalfReader, "with the end in the last read": iotest.DataErrReader,
}

func (h FormatHarness) bad(t *testing.T) {
	rows := rowsOf(3000)
	content, lost := h.Spoil(t, h.Write(t, rows))
	got := h.read(t, fileOf(content, nil), format.Place{})
	require.NoError(t, got.err)
	require.NotEmpty(t, got.bad)
	require.Len(t, got.rows, len(rows)-lost)
	told := int64(0)
	for _, bad := range got.bad {
		require.Error(t, bad.Err)
		require.NotEmpty(t, bad.Err.Error())
		told += bad.Count
		for i := bad.Index; i < bad.Index+bad.Count; i++ {
			require.NotContains(t, got.rows, rows[i], "record %d is good and bad", i)
		}
	}
	require.EqualValues(t, lost, told, "all that is lost is told")
	for i, row := range got.rows {
		require.Equal(t, rows[got.indexes[i]], row, "what is bad takes its index, and no other")
	}
}

// cutOff cuts a file at places all over it. What came before is kept, and a cut within a record told.
func (h FormatHarness) cutOff(t *testing.T) {
	rows := rowsOf(400)
	content := h.Write(t, rows)
	for cut := 1; cut < len(content); cut += 1 + len(content)/400 {
		got := h.read(t, fileOf(content[:cut], nil), format.Place{})
		require.LessOrEqual(t, len(got.rows), len(rows))
		told, sure := got.err != nil || len(got.bad) > 0, len(got.rows)
		if !told {
			require.True(t, h.Whole(content, cut), "a cut at byte %d is not told", cut)
			sure = max(0, sure-1) // the last row may be cut where it looks whole
		}
		require.Equal(t, rows[:sure], append([]Row{}, got.rows[:sure]...), "cut at byte %d", cut)
		for _, bad := range got.bad {
			require.True(t, bad.AtLeast, "cut at byte %d: how many are lost is not known", cut)
		}
	}
}

var errBroken = errors.New("the network is down")

// failing has reading fail at places all over the file: after what was read, and not as its end.
func (h FormatHarness) failing(t *testing.T) {
	rows := rowsOf(2000)
	content := h.Write(t, rows)
	for at := 0; at < len(content); at += 1 + len(content)/50 {
		got := h.read(t, fileOf(content, func(r io.Reader) io.Reader {
			return io.MultiReader(io.LimitReader(r, int64(at)), iotest.ErrReader(errBroken))
		}), format.Place{})
		require.ErrorIs(t, got.err, errBroken, "at byte %d", at)
		require.Empty(t, got.bad, "half a record before the error is none, at byte %d", at)
		require.Equal(t, rows[:len(got.rows)], append([]Row{}, got.rows...), "at byte %d", at)
	}
}
