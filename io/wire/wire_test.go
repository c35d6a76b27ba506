package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRoundTrip: whatever is appended is read back; cut anywhere, it is short, and stays so.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var buf []byte
		var reads []func(*Reader) any
		var want []any
		add := func(v any, read func(*Reader) any) { want, reads = append(want, v), append(reads, read) }
		for range rapid.IntRange(1, 8).Draw(t, "values") {
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				v := rapid.Int64().Draw(t, "varint")
				buf = binary.AppendVarint(buf, v)
				add(v, func(r *Reader) any { return r.Varint() })
			case 1:
				v := rapid.Uint64().Draw(t, "uvarint")
				buf = binary.AppendUvarint(buf, v)
				add(v, func(r *Reader) any { return r.Uvarint() })
			case 2:
				v := rapid.Uint64().Draw(t, "uint64")
				buf = binary.LittleEndian.AppendUint64(buf, v)
				add(v, func(r *Reader) any { return r.Uint64() })
			case 3:
				v := rapid.String().Draw(t, "text")
				buf = AppendText(buf, v)
				add(v, func(r *Reader) any { return string(r.Bytes()) })
				buf = AppendBytes(buf, []byte(v))
				add(v, func(r *Reader) any { return string(r.Bytes()) })
			case 4:
				v := rapid.Bool().Draw(t, "bool")
				buf = AppendBool(buf, v)
				add(v, func(r *Reader) any { return r.Byte() == 1 })
			default:
				v := rapid.SliceOfN(rapid.Byte(), 3, 3).Draw(t, "three bytes")
				buf = append(buf, v...)
				add(v, func(r *Reader) any { return bytes.Clone(r.Take(3)) })
			}
		}
		r := NewReader(append(buf, "rest"...))
		for i, read := range reads {
			require.Equal(t, want[i], read(&r))
		}
		require.False(t, r.Short())
		require.True(t, r.More())
		require.Equal(t, "rest", string(r.Rest()))
		r = NewReader(buf[:rapid.IntRange(0, len(buf)-1).Draw(t, "cut")])
		for _, read := range reads {
			read(&r)
		}
		require.True(t, r.Short())
		require.False(t, r.More())
		require.Zero(t, r.Varint())
		require.Nil(t, r.Bytes())
	})
}

// TestHostile: lengths that are no lengths, and numbers that do not end.
func TestHostile(t *testing.T) {
	for name, buf := range map[string][]byte{
		"a length beyond the end": binary.AppendUvarint(nil, 5), "the largest length": binary.AppendUvarint(nil, math.MaxUint64),
		"a number of 77 bits": append(bytes.Repeat([]byte{0xff}, 10), 1), "nothing": nil,
	} {
		r := NewReader(buf)
		require.Nil(t, r.Bytes(), name)
		require.True(t, r.Short(), name)
	}
	r := NewReader([]byte{2, 'a', 'b', 'c'})
	b := r.Bytes()
	_ = append(b, 'x')
	require.Equal(t, "c", string(r.Rest()), "what follows is not written to")
	r.Fail()
	require.Empty(t, r.Rest())
}
