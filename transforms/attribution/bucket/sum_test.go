package bucket

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// drawDouble draws doubles of all sizes, the smallest and the largest among them.
func drawDouble(t *rapid.T) float64 {
	switch rapid.IntRange(0, 3).Draw(t, "sort") {
	case 0:
		return rapid.Float64().Draw(t, "any")
	case 1:
		return float64(rapid.Int64Range(-1000, 1000).Draw(t, "cents")) / 100
	case 2:
		return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64, 0x1p-1022, 1 << 53, 0x1p1023}).Draw(t, "edge")
	default:
		return math.Ldexp(rapid.Float64Range(-1, 1).Draw(t, "mantissa"), rapid.IntRange(-1080, 1023).Draw(t, "exponent"))
	}
}

// exactly is the double nearest to the exact sum.
func exactly(values []float64) float64 {
	sum := new(big.Float).SetPrec(4400)
	for _, v := range values {
		sum.Add(sum, new(big.Float).SetFloat64(v))
	}
	f, _ := sum.Float64()
	return f
}

func TestSumIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s valueSum
		for range 2 { // a sum is used again
			s.reset()
			var in []float64
			for range rapid.IntRange(0, 40).Draw(t, "steps") {
				if len(in) > 0 && rapid.IntRange(0, 2).Draw(t, "out") == 0 {
					s.add(record.Value{Kind: record.Float, Float: in[0]}, -1)
					in = in[1:]
				} else {
					v := drawDouble(t)
					s.add(record.Value{Kind: record.Float, Float: v}, 1)
					in = append(in, v)
				}
				want := exactly(in)
				got, beyond := s.double()
				require.Equal(t, math.IsInf(want, 0), beyond, in)
				if beyond {
					want = math.Copysign(math.MaxFloat64, want)
				}
				require.InDelta(t, want, got, 0, "%v", in)
			}
		}
	})
}

// TestSumOfVeryMany: limbs take their carries long before they are full.
func TestSumOfVeryMany(t *testing.T) {
	var s doubleSum
	s.reset()
	for i := range 1000 {
		s.adds = carryEvery - 2 // as if there had been that many
		s.add(math.MaxFloat64, 1)
		s.add(-math.MaxFloat64, 1)
		s.add(math.SmallestNonzeroFloat64, -1)
		require.InDelta(t, -math.SmallestNonzeroFloat64*float64(i+1), s.double(), 0)
	}
}
