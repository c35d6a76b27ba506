package bucket

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strconv"

	"tributary/io/record"
)

// A sum of values is the exact sum, rounded to a double once: so it depends neither on their
// order nor on how it was come by, and a value can be taken out of it again.
type valueSum struct {
	doubles  doubleSum
	decimals decimalSum
}

func (s *valueSum) reset() {
	s.doubles.reset()
	s.decimals.reset()
}

// add adds a value, or takes it out where sign is -1. What is no number adds nothing.
func (s *valueSum) add(v record.Value, sign int64) {
	if v.Kind == record.Decimal {
		s.decimals.add(v, sign)
	} else if f, ok := doubleOf(v); ok {
		s.doubles.add(f, sign)
	}
}

// doubleOf is the number that a value is. A decimal is here only to be summed.
func doubleOf(v record.Value) (f float64, ok bool) {
	if v.Kind == record.Decimal {
		return 0, false
	}
	return v.Number()
}

// double is the sum. Beyond the largest double it is that one, and not exact.
func (s *valueSum) double() (f float64, beyond bool) {
	f = s.doubles.double()
	if s.decimals.any {
		f += s.decimals.double()
	}
	if math.IsInf(f, 0) {
		return math.Copysign(math.MaxFloat64, f), true
	}
	return f, false
}

// doubleSum adds doubles exactly: a fixed-point number that reaches from the smallest double to
// beyond the largest, in limbs that stand 32 bits apart and take carries in their upper halves.
type doubleSum struct {
	limbs [doubleLimbs]int64
	// low and high are the limbs that are used, [low, high).
	low, high int
	adds      int
}

const (
	// doubleLimbs hold 2^-1074 to 2^1024, and 40 bits for how many there are.
	doubleLimbs = (1074 + 1024 + 40 + 31) / 32
	smallestBit = -1074
	// carryEvery is how many additions the upper half of a limb takes.
	carryEvery = 1 << 29
)

func (s *doubleSum) reset() {
	if s.high > 0 {
		clear(s.limbs[s.low:s.high])
	}
	s.low, s.high, s.adds = doubleLimbs, 0, 0
}

func (s *doubleSum) add(f float64, sign int64) {
	if f == 0 {
		return
	}
	b := math.Float64bits(f)
	mantissa, exponent := b&(1<<52-1), int(b>>52&0x7ff)
	if exponent == 0 {
		exponent = 1
	} else {
		mantissa |= 1 << 52
	}
	if f < 0 {
		sign = -sign
	}
	if s.adds++; s.adds == carryEvery {
		s.carry()
	}
	at, shift := (exponent-1)/32, uint(exponent-1)%32
	upper, lower := bits.Mul64(mantissa, 1<<shift)
	s.limbs[at] += sign * int64(lower&math.MaxUint32)
	s.limbs[at+1] += sign * int64(lower>>32)
	s.limbs[at+2] += sign * int64(upper)
	s.low, s.high = min(s.low, at), max(s.high, at+3)
}

// carry brings every limb but the last into [0, 2^32).
func (s *doubleSum) carry() {
	s.adds = 0
	for i := s.low; i < doubleLimbs-1; i++ {
		if s.limbs[i] == 0 {
			continue
		}
		up := s.limbs[i] >> 32
		s.limbs[i] -= up << 32
		s.limbs[i+1] += up
		if up != 0 {
			s.high = max(s.high, i+2)
		}
	}
}

// double is the double nearest to the sum; infinite beyond the largest.
func (s *doubleSum) double() float64 {
	if s.high == 0 {
		return 0
	}
	s.carry()
	negative := s.limbs[doubleLimbs-1] < 0
	bytes := make([]byte, 0, 4*doubleLimbs)
	carry := int64(1)
	for i := range doubleLimbs {
		limb := s.limbs[i]
		if negative { // two's complement
			limb = ^limb&math.MaxUint32 + carry
			carry = limb >> 32
		}
		bytes = append(bytes, byte(limb), byte(limb>>8), byte(limb>>16), byte(limb>>24))
	}
	slices.Reverse(bytes)
	whole := new(big.Int).SetBytes(bytes)
	if whole.Sign() == 0 {
		return 0
	}
	if negative {
		whole.Neg(whole)
	}
	exact := new(big.Float).SetInt(whole)
	f, _ := exact.SetMantExp(exact, smallestBit).Float64()
	return f
}

// decimalSum adds decimals of any scales exactly.
type decimalSum struct {
	any      bool
	unscaled big.Int
	scale    int64
}

func (d *decimalSum) reset() { d.any = false }

func (d *decimalSum) add(v record.Value, sign int64) {
	n := v.Unscaled()
	if sign < 0 {
		n.Neg(n)
	}
	if !d.any {
		d.any, d.scale = true, v.Int
		d.unscaled.Set(n)
		return
	}
	if v.Int > d.scale {
		d.unscaled.Mul(&d.unscaled, powerOfTen(v.Int-d.scale))
		d.scale = v.Int
	} else if v.Int < d.scale {
		n.Mul(n, powerOfTen(d.scale-v.Int))
	}
	d.unscaled.Add(&d.unscaled, n)
}

// double is the double nearest to the sum; infinite beyond the largest.
func (d *decimalSum) double() float64 {
	text := append(d.unscaled.Append(nil, 10), 'e')
	f, _ := strconv.ParseFloat(string(strconv.AppendInt(text, -d.scale, 10)), 64) // beyond the range it is infinite
	return f
}

func powerOfTen(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }
