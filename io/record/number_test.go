package record

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		name string
		v    Value
		want float64
		ok   bool
	}{
		{"int", intOf(-3), -3, true},
		{"true", Value{Kind: Bool, Int: 1}, 1, true},
		{"false", Value{Kind: Bool}, 0, true},
		{"float", floatOf(2.5), 2.5, true},
		{"larger than a long", Value{Kind: Number, Text: []byte("18446744073709551616")}, 18446744073709551616, true},
		{"decimal", decimalOf(1275, 2), 12.75, true},
		{"negative decimal", decimalOf(-1275, 2), -12.75, true},
		{"decimal of one byte", Value{Kind: Decimal, Int: 1, Text: []byte{0xff}}, -0.1, true},
		{"decimal without bytes", Value{Kind: Decimal, Int: 1}, 0, true},
		{"decimal of a thousand bytes", Value{Kind: Decimal, Text: bytes.Repeat([]byte{1}, 1000)}, 0, false},
		{"number in text", textOf("-2.5e3"), -2500, true},
		{"with a plus", textOf("+7"), 7, true},
		{"without a digit before the point", textOf(".5"), 0.5, true},
		{"without one behind it", textOf("5."), 5, true},
		{"not a number", floatOf(math.NaN()), 0, false},
		{"infinity", floatOf(math.Inf(-1)), 0, false},
		{"infinity in text", textOf("Inf"), 0, false},
		{"NaN in text", textOf("NaN"), 0, false},
		{"a number too large, in text", textOf("1e400"), 0, false},
		{"a number too large, in JSON", Value{Kind: Float, Float: math.Inf(1), Text: []byte("1e400")}, 0, false},
		{"words", textOf("many"), 0, false},
		{"empty text", textOf(""), 0, false},
		{"a number with spaces", textOf(" 7.5"), 0, false},
		{"money", textOf("$9.99"), 0, false},
		{"thousands", textOf("1,234.50"), 0, false},
		{"decimal comma", textOf("12,75"), 0, false},
		{"hexadecimal", textOf("0x1p4"), 0, false},
		{"underscores", textOf("1_000"), 0, false},
		{"a point alone", textOf("."), 0, false},
		{"a sign alone", textOf("-"), 0, false},
		{"an exponent alone", textOf("e5"), 0, false},
		{"an exponent without digits", textOf("1e"), 0, false},
		{"percent", textOf("50%"), 0, false},
		{"bytes", Value{Kind: Bytes, Text: []byte("1")}, 0, false},
		{"uuid", Value{Kind: UUID, Text: make([]byte, 16)}, 0, false},
		{"null", Value{}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.v.Number()
			require.Equal(t, c.ok, ok)
			if ok {
				require.InDelta(t, c.want, got, 0)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		name string
		v    Value
		want Value
		ok   bool
	}{
		{"int", intOf(5), intOf(5), true},
		{"bool", Value{Kind: Bool, Int: 1}, Value{Kind: Bool, Int: 1}, true},
		{"text", textOf("a"), textOf("a"), true},
		{"text that is not UTF-8", textOf("\xff"), Value{}, false},
		{"float of JSON", jsonFloat("1.50"), floatOf(1.5), true},
		{"NaN", floatOf(math.NaN()), Value{}, false},
		{"decimal", decimalOf(1999, 2), floatOf(19.99), true},
		{"bytes", Value{Kind: Bytes, Text: []byte{7, 255}}, textOf("07ff"), true},
		{"uuid", Value{Kind: UUID, Int: 1, Text: []byte(someUUID)}, textOf(someUUID), true},
		{"2^64, which a double holds", Value{Kind: Number, Text: []byte("18446744073709551616")}, floatOf(18446744073709551616), true},
		{"2^64 - 1, which it does not", Value{Kind: Number, Text: []byte("18446744073709551615")}, Value{}, false},
		{"null", Value{}, Value{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.v.Plain()
			require.Equal(t, c.ok, ok)
			if ok {
				require.Equal(t, c.want, got)
			}
		})
	}
}

func TestAbsent(t *testing.T) {
	for _, v := range []Value{{}, textOf(""), {Kind: Bytes}, {Kind: UUID, Int: 1}} {
		require.True(t, v.Absent(), "%v", v)
	}
	for _, v := range []Value{intOf(0), {Kind: Bool}, floatOf(0), textOf(" "), {Kind: Decimal}} {
		require.False(t, v.Absent(), "%v", v)
	}
}

func TestValueString(t *testing.T) {
	for want, v := range map[string]Value{
		"null": {}, "true": {Kind: Bool, Int: 1}, "false": {Kind: Bool}, "-5": intOf(-5), "0.1": floatOf(0.1), "1e+21": floatOf(1e21),
		`"a\"b"`: textOf(`a"b`), "00ff": {Kind: Bytes, Text: []byte{0, 255}},
		"1.50": jsonFloat("1.50"), "0.2": {Kind: Float, Float: float64(float32(0.2)), Int: 32}, "99999999999999999999": {Kind: Number, Text: []byte("99999999999999999999")},
		"-0.05": decimalOf(-5, 2), "12.75": decimalOf(1275, 2), "7": decimalOf(7, 0), `"` + someUUID + `"`: {Kind: UUID, Int: 1, Text: []byte(someUUID)},
	} {
		require.Equal(t, want, v.String())
	}
	require.Less(t, len(textOf(string(bytes.Repeat([]byte("x"), 10_000))).String()), 200)
}

// TestDecimalsAreNumbersOfTheirText: a decimal and its text are one number.
func TestDecimalsAreNumbersOfTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := decimalOf(rapid.Int64().Draw(t, "unscaled"), rapid.Int64Range(0, 30).Draw(t, "scale"))
		got, ok := v.Number()
		require.True(t, ok)
		want, ok := textOf(v.String()).Number()
		require.True(t, ok)
		require.InDelta(t, want, got, 0)
	})
}

func TestEqualNumber(t *testing.T) {
	single := func(f float32) Value { return Value{Kind: Float, Int: 32, Float: float64(f)} }
	for _, c := range []struct {
		v    Value
		text string
		want bool
	}{
		{intOf(1000000), "1e6", true},
		{intOf(1000000), "1000000.0", true},
		{intOf(7), "7", true},
		{intOf(7), "7.5", false},
		{intOf(7), "seven", false},
		{floatOf(1234567), "1234567", true},
		{floatOf(0.1), "0.1", true},
		{floatOf(0.1), "0.10", true},
		{floatOf(0.1), "0.2", false},
		{single(0.1), "0.1", true},
		{single(0.1), "0.10000000149011612", true},
		{single(0.1), "0.2", false},
		{floatOf(1e300), "1e300", true},
		{floatOf(1 << 53), "9007199254740992", true},
		{floatOf(1 << 53), "9007199254740993", false},
		{floatOf(math.NaN()), "0", false},
		{jsonFloat("1e6"), "1000000", true},
		{jsonFloat("0.1"), "1e-1", true},
		{jsonFloat("9007199254740993.0"), "9007199254740992", false},
		{Value{Kind: Number, Text: []byte("18446744073709551615")}, "18446744073709551615", true},
		{Value{Kind: Number, Text: []byte("18446744073709551615")}, "18446744073709551616", false},
		{decimalOf(1275, 2), "12.75", true},
		{decimalOf(1200, 2), "12", true},
		{decimalOf(-1275, 2), "12.75", false},
		{textOf("1e6"), "1000000", true},
		{textOf("x"), "1", false},
		{Value{Kind: Bytes, Text: []byte("1")}, "1", false},
		{Value{}, "0", false},
	} {
		require.Equal(t, c.want, c.v.EqualNumber([]byte(c.text)), "%v and %s", c.v, c.text)
	}
}
