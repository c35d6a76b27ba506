package avro

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// split gives the cells of an encoded record as text by name.
func split(t *testing.T, schema string, datum []byte) (names []string, cells map[string]string, all []Cell) {
	t.Helper()
	s, err := ParseSchema(schema)
	require.NoError(t, err)
	c, err := NewColumns(s)
	require.NoError(t, err)
	for cut := range datum {
		_, _, err := c.Split(nil, datum[:cut])
		var decode *DecodeError
		require.ErrorAs(t, err, &decode, "cut at %d", cut)
	}
	all, n, err := c.Split(nil, append(datum, 0xff))
	require.NoError(t, err)
	require.Len(t, datum, n)
	cells = map[string]string{}
	for i, column := range c.All() {
		names = append(names, column.Name)
		if all[i].Type != nil {
			cells[column.Name] = string(all[i].AppendText(nil))
		} else {
			require.True(t, column.Nullable, column.Name)
		}
	}
	return names, cells, all
}

func TestColumns(t *testing.T) {
	const schema = `{"type":"record","name":"r","fields":[
		{"name":"a","type":"int"},
		{"name":"b","type":["null",{"type":"record","name":"b","fields":[
			{"name":"c","type":"boolean"},
			{"name":"self","type":["null","node"]},
			{"name":"list","type":{"type":"array","items":"float"}}]}]},
		{"name":"choice","type":["null","long",{"type":"record","name":"x","fields":[{"name":"y","type":"string"}]}]},
		{"name":"raw","type":"bytes"},
		{"name":"none","type":"null"},
		{"name":"empty","type":{"type":"record","name":"e","fields":[]}}
	]}`
	node := `{"type":"record","name":"node","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","node"]}]}`
	whole := `{"type":"record","name":"top","fields":[{"name":"n","type":` + node + `},{"name":"r","type":` + schema + `}]}`
	names, cells, all := split(t, whole, []byte("\x02\x02\x04\x00"+ // n: 1, another: 2, null
		"\x09\x02\x01\x00\x04\x00\x00\x00\x3f\x00\x00\x00\x40\x00"+ // -5, a record: true, null, 0.5 and 2
		"\x04\x02t\x02\xff")) // a record: "t", a byte
	require.Equal(t, []string{"n", "r.a", "r.b.c", "r.b.self", "r.b.list", "r.choice", "r.raw", "r.none", "r.empty"}, names)
	require.Equal(t, map[string]string{
		"n": `{"v":1,"next":{"v":2,"next":null}}`, "r.a": "-5", "r.b.c": "true", "r.b.list": "[0.5,2]", "r.choice": `{"y":"t"}`, "r.raw": "/w==", "r.empty": "{}",
	}, cells)
	items, ok := all[4].Items(nil)
	require.True(t, ok)
	require.Len(t, items, 2)
	require.Equal(t, []float64{0.5, 2}, []float64{items[0].Float, items[1].Float})
	_, ok = all[5].Items(nil)
	require.False(t, ok)

	_, cells, _ = split(t, whole, []byte("\x02\x00\x00\x00\x02\x0e\x00")) // n: 1, null; 0, null, the long 7, no bytes
	require.Equal(t, map[string]string{"n": `{"v":1,"next":null}`, "r.a": "0", "r.choice": "7", "r.raw": "", "r.empty": "{}"}, cells)

	list, err := ParseSchema(`{"type":"array","items":"int"}`)
	require.NoError(t, err)
	_, err = NewColumns(list)
	require.EqualError(t, err, "a table wants records, not array")
}

func TestCellText(t *testing.T) {
	decimal := func(scale int) *Type { return &Type{Kind: KindBytes, Logical: "decimal", Scale: scale} }
	for _, c := range []struct {
		want string
		cell Cell
	}{
		{"", Cell{}},
		{"NaN", Cell{Type: &Type{Kind: KindDouble}, Float: math.NaN()}},
		{"Infinity", Cell{Type: &Type{Kind: KindDouble}, Float: math.Inf(1)}},
		{"-Infinity", Cell{Type: &Type{Kind: KindFloat}, Float: math.Inf(-1)}},
		{"0.1", Cell{Type: &Type{Kind: KindFloat}, Float: float64(float32(0.1))}},
		{"-0.05", Cell{Type: decimal(2), Text: []byte{0xfb}}},
		{"12.34", Cell{Type: decimal(2), Text: []byte{0x04, 0xd2}}},
		{"1234", Cell{Type: decimal(0), Text: []byte{0x04, 0xd2}}},
		{"0.00", Cell{Type: decimal(2)}},
		{"7e-5000", Cell{Type: decimal(5000), Text: []byte{7}}},
		{"00000000-0000-0000-0000-0000000000ff", Cell{Type: &Type{Kind: KindFixed, Size: 16, Logical: "uuid"}, Text: append(make([]byte, 15), 0xff)}},
	} {
		require.Equal(t, c.want, string(c.cell.AppendText(nil)))
	}
}

// TestColumnsOfLists: arrays of scalars are read in blocks with and without their size, and no count or size is believed.
func TestColumnsOfLists(t *testing.T) {
	s, err := ParseSchema(`{"type":"record","name":"r","fields":[{"name":"list","type":["null",{"type":"array","items":"int"}]},
		{"name":"nothing","type":{"type":"array","items":{"type":"fixed","name":"f","size":0}}}]}`)
	require.NoError(t, err)
	c, err := NewColumns(s)
	require.NoError(t, err)
	cells, n, err := c.Split(nil, []byte("\x02\x04\x02\x04\x03\x04\x06\x01\x00\x04\x00more")) // 1 and 2; 2 bytes: 3, -1; twice nothing
	require.NoError(t, err)
	require.Equal(t, 11, n)
	require.Equal(t, "[1,2,3,-1]", string(cells[0].AppendText(nil)))
	items, ok := cells[0].Items(nil)
	require.True(t, ok)
	var got []int64
	for _, item := range items {
		got = append(got, item.Int)
	}
	require.Equal(t, []int64{1, 2, 3, -1}, got)
	require.Equal(t, `["",""]`, string(cells[1].AppendText(nil)))
	_, ok = cells[1].Items(nil)
	require.False(t, ok)

	for datum, want := range map[string]string{
		"\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02": "decode list[] at byte 1: " + failCount.String(),
		"\x02\x03\x06\x02\x04\x06\x00\x00":                 "decode list[] at byte 1: " + failBlock.String(),
		"\x02\x02\xff\xff\xff\xff\x7f\x00\x00":             "decode list[] at byte 1: " + failInt.String(),
		"\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00": "decode nothing[] at byte 11: " + failMany.String(),
		"\x04": "decode list at byte 0: " + failUnion.String(),
	} {
		_, _, err := c.Split(nil, []byte(datum))
		require.EqualError(t, err, want)
	}
}
