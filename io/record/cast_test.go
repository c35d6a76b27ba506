package record

import (
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// jsonNumber is a number as JSON has it.
func jsonNumber(text string) Value {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Value{Kind: Int, Int: n}
	}
	if _, ok := new(big.Int).SetString(text, 10); ok {
		return Value{Kind: Number, Text: []byte(text)}
	}
	f, _ := strconv.ParseFloat(text, 64)
	return Value{Kind: Float, Float: f, Text: []byte(text)}
}

func TestCasts(t *testing.T) {
	decimal := func(unscaled byte, scale int64) Value {
		return Value{Kind: Decimal, Text: []byte{unscaled}, Int: scale}
	}
	text := func(text string) Value { return Value{Kind: String, Text: []byte(text)} }
	const no = "-"
	for _, c := range []struct {
		name                       string
		v                          Value
		boolean, long, double, str string
	}{
		{"null", Value{}, no, no, no, no},
		{"true", Value{Kind: Bool, Int: 1}, "true", "1", "1", "true"},
		{"one", jsonNumber("1"), "true", "1", "1", "1"},
		{"a double that is nought", jsonNumber("0.0"), "false", "0", "0", "0.0"},
		{"a fraction", jsonNumber("0.1"), no, no, "0.1", "0.1"},
		{"more digits than a double has", jsonNumber("0.10000000000000000001"), no, no, no, "0.10000000000000000001"},
		{"as doubles are written", jsonNumber("0.30000000000000004"), no, no, "0.30000000000000004", "0.30000000000000004"},
		{"an exponent", jsonNumber("1.2e1"), no, "12", "12", "1.2e1"},
		{"a large one as it is written", jsonNumber("6.02214076e23"), no, no, "6.02214076e+23", "6.02214076e23"},
		{"too small", jsonNumber("1e-400"), no, no, no, "1e-400"},
		{"too large", jsonNumber("1e400"), no, no, no, "1e400"},
		{"beyond a long", jsonNumber("18446744073709551616"), no, no, "1.8446744073709552e+19", "18446744073709551616"},
		{"beyond a long and no double", jsonNumber("18446744073709551617"), no, no, no, "18446744073709551617"},
		{"a long that is no double", jsonNumber("9007199254740993"), no, "9007199254740993", no, "9007199254740993"},
		{"the largest long", jsonNumber("9223372036854775807"), no, "9223372036854775807", no, "9223372036854775807"},
		{"the smallest long", jsonNumber("-9223372036854775808"), no, "-9223372036854775808", "-9.223372036854775808e+18", "-9223372036854775808"},
		{"a long and a double whose text is another", jsonNumber("1152921504606846976"), no, "1152921504606846976", "1.152921504606846976e+18", "1152921504606846976"},
		{"the text of that double", jsonNumber("1152921504606847000"), no, "1152921504606847000", no, "1152921504606847000"},
		{"few digits and many zeros", jsonNumber("100000000000001000"), no, "100000000000001000", no, "100000000000001000"},
		{"that as text", text("100000000000001000"), no, "100000000000001000", no, "100000000000001000"},
		{"that with an exponent", jsonNumber("100000000000001e3"), no, "100000000000001000", "100000000000001000", "100000000000001e3"},
		{"text", text("a"), no, no, no, "a"},
		{"empty text", text(""), no, no, no, ""},
		{"text that is true", text("true"), "true", no, no, "true"},
		{"text that is a number", text("-1.50"), no, no, "-1.5", "-1.50"},
		{"text that is a whole number", text("007"), no, "7", "7", "007"},
		{"text that is no UTF-8", text("\xff"), no, no, no, no},
		{"money", text("$1"), no, no, no, "$1"},
		{"a decimal", decimal(150, 2), no, no, "-1.06", "-1.06"},
		{"a whole decimal", decimal(100, 2), "true", "1", "1", "1.00"},
		{"an Avro double", Value{Kind: Float, Float: 2.5}, no, no, "2.5", "2.5"},
		{"an Avro float", Value{Kind: Float, Float: float64(float32(0.1)), Int: 32}, no, no, "0.10000000149011612", "0.1"},
		{"a double beyond 2^53", Value{Kind: Float, Float: 1 << 60}, no, no, "1.152921504606846976e+18", "1.152921504606847e+18"},
		{"NaN", Value{Kind: Float, Float: math.NaN()}, no, no, "NaN", "NaN"},
		{"bytes", Value{Kind: Bytes, Text: []byte{0xab, 1}}, no, no, no, "ab01"},
		{"a uuid", Value{Kind: UUID, Text: make([]byte, 16)}, no, no, no, "00000000-0000-0000-0000-000000000000"},
	} {
		if b, ok := c.v.Boolean(); ok {
			require.Equal(t, c.boolean, strconv.FormatBool(b), c.name)
		} else {
			require.Equal(t, no, c.boolean, c.name)
		}
		if n, ok := c.v.Long(); ok {
			require.Equal(t, c.long, strconv.FormatInt(n, 10), c.name)
		} else {
			require.Equal(t, no, c.long, c.name)
		}
		if f, ok := c.v.Double(); ok {
			want, err := strconv.ParseFloat(c.double, 64)
			require.NoError(t, err, c.name)
			require.Equal(t, math.Float64bits(want), math.Float64bits(f), c.name)
		} else {
			require.Equal(t, no, c.double, c.name)
		}
		if text, ok := c.v.AppendText(nil); ok {
			require.Equal(t, c.str, string(text), c.name)
		} else {
			require.Equal(t, no, c.str, c.name)
		}
	}
}

// TestCastsLoseNothing holds casts of numbers in decimal against exact arithmetic.
func TestCastsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`),
			rapid.Map(rapid.Float64(), func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }),
			rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }),
		).Draw(t, "text")
		exact, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		for _, v := range []Value{jsonNumber(text), {Kind: String, Text: []byte(text)}} {
			n, long := v.Long()
			require.Equal(t, exact.IsInt() && exact.Num().IsInt64(), long, text)
			if long {
				require.Zero(t, exact.Cmp(new(big.Rat).SetInt64(n)))
			}
			f, double := v.Double()
			nearest, err := strconv.ParseFloat(text, 64)
			want := err == nil
			if want {
				_, whole := new(big.Int).SetString(text, 10)
				written, _ := new(big.Rat).SetString(strconv.FormatFloat(nearest, 'g', -1, 64))
				want = exact.Cmp(new(big.Rat).SetFloat64(nearest)) == 0 && exact.IsInt() || !whole && exact.Cmp(written) == 0
			}
			require.Equal(t, want, double, text)
			if double {
				require.Equal(t, nearest, f)
			}
			b, boolean := v.Boolean()
			require.Equal(t, long && (n == 0 || n == 1), boolean)
			require.Equal(t, boolean && n == 1, b)
			back, ok := v.AppendText(nil)
			require.True(t, ok)
			again, _ := new(big.Rat).SetString(string(back))
			require.Zero(t, exact.Cmp(again))
		}
	})
}
