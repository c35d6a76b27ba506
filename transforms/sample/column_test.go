package sample

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/label"
)

// TestColumnsOfOneKind: goavro reads several labels of a kind, each of its type, and the kind's one delay.
func TestColumnsOfOneKind(t *testing.T) {
	columns := []Column{
		{Kind: "buy", Name: "bought", Func: label.Binary},
		{Kind: "buy", Name: "value", Func: label.Sum},
		{Kind: "buy", Name: "coupon", Func: label.Last, Type: CastString},
		{Kind: "buy", Name: "pieces", Func: label.First, Type: CastLong},
		{Kind: "buy", Name: "price", Func: label.First, Type: CastDouble},
		{Kind: "buy", Name: "gift", Func: label.First, Type: CastBoolean},
		{Kind: "like", Func: label.Count},
	}
	for _, c := range columns[2:6] {
		require.Equal(t, []string{"null", string(c.Type)}, c.definition().Type)
	}
	in := func(branch string, v any) any { return map[string]any{branch: v} }
	e := Encoder{Columns: columns, JSONViews: true}
	labels := []label.Totals{
		{Count: 2, Delay: 7},
		{Count: 2, Delay: 7, Sum: 2.5},
		{Count: 2, Delay: 7, First: text("x"), Last: text("SUMMER")},
		{Count: 2, Delay: 7, First: record.Value{Kind: record.Int, Int: -3}},
		{Count: 2, Delay: 7, First: record.Value{Kind: record.Float, Float: 0.1}},
		{Count: 2, Delay: 7, First: record.Value{Kind: record.Bool, Int: 1}},
		{},
	}
	got := decode(t, columns, "", e.Append(nil, &Sample{Labels: labels}))
	require.Equal(t, map[string]any{
		"bought": int32(1), "value": 2.5, "coupon": in("string", "SUMMER"), "pieces": in("long", int64(-3)), "price": in("double", 0.1),
		"gift": in("boolean", true), "like": int64(0),
	}, got["labels"])
	require.Equal(t, map[string]any{"buy": in("long", int64(7)), "like": nil}, got["delay_ms"])

	none := decode(t, columns, "", e.Append(nil, &Sample{Labels: make([]label.Totals, len(columns))}))
	require.Equal(t, map[string]any{
		"bought": int32(0), "value": 0.0, "coupon": nil, "pieces": nil, "price": nil, "gift": nil, "like": int64(0),
	}, none["labels"])
	require.Equal(t, map[string]any{"buy": nil, "like": nil}, none["delay_ms"])
}

// TestCastValue: what a type takes of a value is what a column of the view takes of it.
func TestCastValue(t *testing.T) {
	values := []record.Value{
		text("12"), text("1.5"), text("true"), text("x"), text("\xff"),
		{Kind: record.Int, Int: 1},
		{Kind: record.Int, Int: 1<<62 + 1},
		{Kind: record.Bool, Int: 1},
		{Kind: record.Bool},
		{Kind: record.Float, Float: 2},
		{Kind: record.Float, Float: 2.5},
		{Kind: record.Decimal, Int: 2, Text: []byte{0x04, 0xe2}},
		{Kind: record.Bytes, Text: []byte{1, 255}},
		{Kind: record.Number, Text: []byte("18446744073709551616")},
	}
	for _, cast := range Casts {
		for _, v := range values {
			want, err := cast.append(nil, v)
			got, ok := cast.Value(v, []byte("before")[:0])
			require.Equal(t, err == nil, ok, "%v as %s", v, cast)
			if ok {
				again, err := cast.append(nil, got)
				require.NoError(t, err)
				require.Equal(t, want, again, "%v as %s", v, cast)
			}
		}
	}
}
