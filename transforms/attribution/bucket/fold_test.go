package bucket

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/label"
)

// TestDecimalsAddUp: the sum of decimals of any scales is the double nearest to their exact
// sum, in any order.
func TestDecimalsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := NewJoiner(attributiontest.Params())
		exact := new(big.Rat)
		var credited []*Engagement
		for range rapid.IntRange(1, 20).Draw(t, "values") {
			n, scale := rapid.Int64().Draw(t, "unscaled"), rapid.Int64Range(0, 12).Draw(t, "scale")
			v := big.NewInt(n)
			exact.Add(exact, new(big.Rat).SetFrac(v, powerOfTen(scale)))
			bits := new(big.Int).Set(v)
			if n < 0 {
				bits.Add(bits, new(big.Int).Lsh(big.NewInt(1), 72))
			}
			credited = append(credited, &Engagement{Value: record.Value{Kind: record.Decimal, Int: scale, Text: bits.FillBytes(make([]byte, 9))}})
		}
		var l label.Totals
		require.False(t, j.fold(&l, &View{}, credited, nil))
		want, _ := exact.Float64()
		require.InDelta(t, want, l.Sum, 0)
	})
}
