package expression

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

func TestConditionHolds(t *testing.T) {
	text := func(s string) record.Value { return record.Value{Kind: record.String, Text: []byte(s)} }
	whole := func(n int64) record.Value { return record.Value{Kind: record.Int, Int: n} }
	float := func(f float64) record.Value { return record.Value{Kind: record.Float, Float: f} }
	flag := record.Value{Kind: record.Bool, Int: 1}
	const id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	for _, c := range []struct {
		value string
		typ   ConditionType
		v     record.Value
		want  bool
	}{
		{"like", TextCondition, text("like"), true},
		{"like", TextCondition, text("Like"), false},
		{"7", TextCondition, text("7"), true},
		{"7", TextCondition, text("7.0"), false},
		{"7", TextCondition, whole(7), true},
		{"7.0", TextCondition, float(7), true},
		{"true", TextCondition, flag, true},

		{"1000000", NumberCondition, whole(1000000), true},
		{"1e6", NumberCondition, whole(1000000), true},
		{"1000000", NumberCondition, float(1e6), true},
		{"1000000", NumberCondition, record.Value{Kind: record.Float, Float: 1e6, Text: []byte("1.0e6")}, true},
		{"0.1", NumberCondition, record.Value{Kind: record.Float, Int: 32, Float: float64(float32(0.1))}, true},
		{"12.5", NumberCondition, record.Value{Kind: record.Decimal, Int: 2, Text: []byte{0x04, 0xe2}}, true},
		{"12.5", NumberCondition, record.Value{Kind: record.Decimal, Int: 2, Text: []byte{0x04, 0xe3}}, false},
		{"1000000", NumberCondition, text("1000000.0"), true},
		{"1e6", NumberCondition, text("1000000"), true},
		{"0.5", NumberCondition, text("0.50"), true},
		{"-7", NumberCondition, text("-7.0"), true},
		{"7", NumberCondition, text("007"), false},
		{"7", NumberCondition, text("+7"), false},
		{"7", NumberCondition, text(" 7"), false},
		{"7", NumberCondition, text("seven"), false},
		{"1", NumberCondition, flag, false},

		{"true", BoolCondition, flag, true},
		{"false", BoolCondition, flag, false},
		{"true", BoolCondition, text("true"), true},
		{"true", BoolCondition, text("True"), true},
		{"true", BoolCondition, text("yes"), false},

		{"ab", TextCondition, record.Value{Kind: record.Bytes, Text: []byte("ab")}, true},
		{"00FF", TextCondition, record.Value{Kind: record.Bytes, Text: []byte{0, 255}}, true},
		{"6BA7B810-9DAD-11D1-80B4-00C04FD430C8", TextCondition, record.Value{Kind: record.UUID, Int: 1, Text: []byte(id)}, true},
		{"", TextCondition, record.Value{}, false},
		{"null", TextCondition, record.Value{}, false},
	} {
		condition := Condition{Field: "f", Value: c.value, Type: c.typ}
		require.Equal(t, c.want, condition.Holds(c.v), "%+v and %v", condition, c.v)
	}
}
