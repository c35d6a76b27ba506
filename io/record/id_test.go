package record

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func jsonFloat(text string) Value {
	var f float64
	if _, err := fmt.Sscan(text, &f); err != nil {
		panic(err)
	}
	return Value{Kind: Float, Float: f, Text: []byte(text)}
}

func decimalOf(unscaled int64, scale int64) Value {
	n := big.NewInt(unscaled)
	if unscaled < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return Value{Kind: Decimal, Int: scale, Text: n.FillBytes(make([]byte, 16))}
}

const someUUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

func TestAppendID(t *testing.T) {
	raw := []byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	for _, c := range []struct {
		name string
		v    Value
		want string
		err  string
	}{
		{"text", textOf("v1"), "v1", ""},
		{"text with spaces is as it is", textOf(" v1 "), " v1 ", ""},
		{"text with NUL is as it is", textOf("v\x001"), "v\x001", ""},
		{"text that is not UTF-8", textOf("v\xff"), "", "it is not UTF-8"},
		{"empty text", textOf(""), "", "expected text or an integer"},

		{"number", intOf(42), "42", ""},
		{"the same number as text", textOf("42"), "42", ""},
		{"negative", intOf(-7), "-7", ""},
		{"nought", intOf(0), "0", ""},
		{"largest", intOf(math.MaxInt64), "9223372036854775807", ""},
		{"unsigned, larger than a long", Value{Kind: Number, Text: []byte("18446744073709551615")}, "18446744073709551615", ""},
		{"with more digits than any id", Value{Kind: Number, Text: []byte(strings.Repeat("9", 100))}, "", "more than 78 digits"},

		{"whole float in JSON", jsonFloat("123.0"), "123", ""},
		{"with an exponent", jsonFloat("1.23e2"), "123", ""},
		{"with zeros at its end", jsonFloat("1e3"), "1000", ""},
		{"beyond 2^53, exact by its digits", jsonFloat("9007199254740993.0"), "9007199254740993", ""},
		{"minus nought", jsonFloat("-0.0"), "0", ""},
		{"with a fraction", jsonFloat("1.5"), "", "it is not a whole number"},
		{"with a fraction that a double does not hold", jsonFloat("9007199254740993.5"), "", "it is not a whole number"},
		{"with an exponent that fills memory", Value{Kind: Float, Float: 1, Text: []byte("1e1000000000")}, "", "more than 78 digits"},
		{"double", floatOf(3), "3", ""},
		{"double with a fraction", floatOf(3.5), "", "it is not a whole number"},
		{"double at 2^53", floatOf(1 << 53), "9007199254740992", ""},
		{"double beyond 2^53", floatOf(1 << 54), "", "beyond 2^53"},
		{"not a number", floatOf(math.NaN()), "", "it is not a whole number"},
		{"infinity", floatOf(math.Inf(1)), "", "it is not a whole number"},

		{"decimal", decimalOf(4200, 2), "42", ""},
		{"negative decimal", decimalOf(-4200, 2), "-42", ""},
		{"decimal nought", decimalOf(0, 2), "0", ""},
		{"decimal of an unsigned number", Value{Kind: Decimal, Text: append([]byte{0}, 255, 255, 255, 255, 255, 255, 255, 255)}, "18446744073709551615", ""},
		{"decimal with a fraction", decimalOf(4205, 2), "", "it is not a whole number"},

		{"bytes", Value{Kind: Bytes, Text: []byte{0, 255}}, "00ff", ""},
		{"empty bytes", Value{Kind: Bytes}, "", "expected text or an integer"},
		{"uuid of a fixed", Value{Kind: UUID, Text: raw}, someUUID, ""},
		{"uuid of a string", Value{Kind: UUID, Int: 1, Text: []byte(someUUID)}, someUUID, ""},
		{"in capitals", Value{Kind: UUID, Int: 1, Text: []byte(strings.ToUpper(someUUID))}, someUUID, ""},
		{"without dashes", Value{Kind: UUID, Int: 1, Text: []byte(strings.ReplaceAll(someUUID, "-", ""))}, someUUID, ""},
		{"in braces", Value{Kind: UUID, Int: 1, Text: []byte("{" + someUUID + "}")}, someUUID, ""},
		{"as a URN", Value{Kind: UUID, Int: 1, Text: []byte("urn:uuid:" + someUUID)}, someUUID, ""},
		{"text of 16 characters is not taken for bytes", Value{Kind: UUID, Int: 1, Text: []byte("0123456789abcdef")}, "0123456789abcdef", ""},
		{"empty uuid", Value{Kind: UUID, Int: 1}, "", "expected text or an integer"},

		{"null", Value{}, "", "expected text or an integer"},
		{"bool", Value{Kind: Bool, Int: 1}, "", "expected text or an integer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.v.AppendID([]byte("before "))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.Equal(t, "before ", string(got))
				return
			}
			require.NoError(t, err)
			require.Equal(t, "before "+c.want, string(got))
		})
	}
}

// TestWholeNumbersAreOneID: the ways to write a whole number give one id, and two numbers two.
func TestWholeNumbersAreOneID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-(1<<53), 1<<53).Draw(t, "n")
		digits := fmt.Sprint(n)
		for _, v := range []Value{
			intOf(n), floatOf(float64(n)), textOf(digits), jsonFloat(digits + ".0"), jsonFloat(digits + "0e-1"),
			decimalOf(n, 0), decimalOf(n*100, 2),
			{Kind: Number, Text: []byte(digits)},
		} {
			got, err := v.AppendID(nil)
			require.NoError(t, err)
			require.Equal(t, digits, string(got), "%v", v)
		}
	})
}

// TestUnscaled looks at both sides of the sign bit.
func TestUnscaled(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "\x7f": 127, "\x80": -128, "\xff": -1, "\x00\x80": 128, "\x80\x00": -32768} {
		require.Equal(t, want, Value{Kind: Decimal, Text: []byte(text)}.Unscaled().Int64(), "%x", text)
	}
}

func TestAppendIDParts(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []Value
		want   string
	}{
		{"texts", []Value{textOf("r1"), textOf("i7")}, "r1|i7"},
		{"numbers", []Value{intOf(7), textOf("x"), floatOf(9)}, "7|x|9"},
		{"a separator in a part", []Value{textOf("a|b"), textOf("c")}, `a\|b|c`},
		{"an escape in a part", []Value{textOf(`a\`), textOf(`\\`)}, `a\\|\\\\`},
		{"only what is escaped", []Value{textOf("|"), textOf("||")}, `\||\|\|`},
		{"bytes and uuid", []Value{{Kind: Bytes, Text: []byte{0xab, 1}}, {Kind: UUID, Int: 1, Text: []byte(strings.ToUpper(someUUID))}}, "ab01|" + someUUID},
	} {
		got, _, err := AppendIDParts([]byte("before|"), c.values)
		require.NoError(t, err, c.name)
		require.Equal(t, "before|"+c.want, string(got), c.name)
	}
	for i, v := range []Value{{}, textOf(""), textOf("\xff"), {Kind: Bool, Int: 1}, floatOf(0.5), {Kind: Bytes}} {
		for at := range 3 {
			values := []Value{textOf("a"), textOf("b"), textOf("c")}
			values[at] = v
			_, bad, err := AppendIDParts(nil, values)
			require.Error(t, err, i)
			require.Equal(t, at, bad, i)
		}
	}
}

// TestIDPartsAreInjective: as many parts of other texts never have the same text, nor have more or fewer, and the parts can be read from it.
func TestIDPartsAreInjective(t *testing.T) {
	part := rapid.StringMatching(`[a|\\]{1,4}`)
	parts := rapid.SliceOfN(rapid.OneOf(part, rapid.StringN(1, 5, -1)), 1, 4)
	text := func(t *rapid.T, parts []string) string {
		values := make([]Value, len(parts))
		for i, p := range parts {
			values[i] = textOf(p)
		}
		id, _, err := AppendIDParts(nil, values)
		require.NoError(t, err)
		return string(id)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		require.Equal(t, slices.Equal(a, b), text(t, a) == text(t, b), "%q and %q are both %q", a, b, text(t, a))

		read := []string{""}
		for rest := text(t, a); rest != ""; rest = rest[1:] {
			last := &read[len(read)-1]
			switch rest[0] {
			case '\\':
				rest = rest[1:]
				*last += rest[:1]
			case '|':
				read = append(read, "")
			default:
				*last += rest[:1]
			}
		}
		require.Equal(t, a, read)
	})
}
