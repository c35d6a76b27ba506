package bucket

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// TestPackedValues: what is packed comes back, each alone as all together, and comparing it is comparing its values.
func TestPackedValues(t *testing.T) {
	one := rapid.Custom(func(t *rapid.T) record.Value {
		return rapid.SampledFrom([]record.Value{
			{},
			{Kind: record.Bool},
			{Kind: record.Bool, Int: 1},
			{Kind: record.Int, Int: -5},
			{Kind: record.Int, Int: 1},
			{Kind: record.Float, Float: 0.5},
			{Kind: record.Float},
			{Kind: record.Float, Float: math.Copysign(0, -1)},
			{Kind: record.Decimal, Int: 2, Text: []byte{4, 210}},
			{Kind: record.String, Text: []byte("a")},
			{Kind: record.String, Text: []byte{254, 255}},
		}).Draw(t, "value")
	})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "labels")
		v, w := rapid.SliceOfN(one, n, n).Draw(t, "values"), rapid.SliceOfN(one, n, n).Draw(t, "others")
		g := Engagement{Value: Pack(v, nil)}
		require.Equal(t, v, unpack(nil, g.Value, n))
		for i := range v {
			require.Equal(t, v[i], valueOf(&g, i))
		}
		want := 0
		for i := 0; i < n && want == 0; i++ {
			want = compareValues(v[i], w[i])
		}
		require.Equal(t, want, compareValues(g.Value, Pack(w, nil)))
		require.Equal(t, make([]record.Value, n), unpack(nil, record.Value{}, n), "an engagement without values")
	})
	price := record.Value{Kind: record.Float, Float: 9.5}
	require.Len(t, Pack([]record.Value{price, price, price}, nil).Text, 1+8+1+1)
}
