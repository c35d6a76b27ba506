package avro

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// at reads the field at path out of what goavro decoded, as a Projection would.
func at(t assert.TestingT, native any, typ *Type, path []string) record.Value {
	switch typ.Kind {
	case KindUnion:
		if native == nil {
			return record.Value{}
		}
		for name, v := range native.(map[string]any) {
			for _, b := range typ.Branches {
				if base, _, _ := strings.Cut(name, ".timestamp-"); branchName(b) == base {
					return at(t, v, b, path)
				}
			}
			assert.Fail(t, "no branch "+name)
		}
		return record.Value{}
	case KindRecord:
		for _, f := range typ.Fields {
			if len(path) > 0 && f.Name == path[0] {
				return at(t, native.(map[string]any)[f.Name], f.Type, path[1:])
			}
		}
		return record.Value{}
	default:
	}
	if len(path) > 0 {
		return record.Value{}
	}
	switch v := native.(type) {
	case nil:
		return record.Value{}
	case bool:
		if v {
			return record.Value{Kind: record.Bool, Int: 1}
		}
		return record.Value{Kind: record.Bool}
	case int32:
		return record.Value{Kind: record.Int, Int: int64(v)}
	case int64:
		return record.Value{Kind: record.Int, Int: v}
	case time.Time:
		return record.Value{Kind: record.Int, Int: v.UnixMilli()}
	case float32:
		return record.Value{Kind: record.Float, Float: float64(v), Int: 32}
	case float64:
		return record.Value{Kind: record.Float, Float: v}
	case string:
		return record.Value{Kind: record.String, Text: []byte(v)}
	case []byte:
		return record.Value{Kind: record.Bytes, Text: v}
	default:
		assert.Fail(t, "unexpected native", "%T", v)
		return record.Value{}
	}
}

// equalValues compares values; NaN equals NaN, no text equals nil.
func equalValues(want, got record.Value) bool {
	if math.IsNaN(want.Float) {
		return got.Kind == record.Float && math.IsNaN(got.Float)
	}
	return want.Kind == got.Kind && want.Int == got.Int && want.Float == got.Float && bytes.Equal(want.Text, got.Text)
}

// TestProjectionEqualsGoavro: whatever the schema, the datum and the fields chosen, a
// Projection finds what a full decoding by goavro finds, and the same end.
func TestProjectionEqualsGoavro(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawSchema(t)
		s, err := ParseSchema(text)
		require.NoError(t, err)
		codec, err := goavro.NewCodec(text)
		require.NoError(t, err)
		datum := drawDatum(t, nil, s.Type(), 0)
		native, rest, err := codec.NativeFromBinary(datum)
		require.NoError(t, err)
		require.Empty(t, rest)

		var paths []string
		for _, p := range s.Paths() {
			if rapid.Bool().Draw(t, p) {
				paths = append(paths, p)
			}
		}
		if len(paths) > 0 && rapid.Bool().Draw(t, "twice") {
			paths = append(paths, paths[0])
		}
		p, err := Project(s, paths)
		require.NoError(t, err)
		values := make([]record.Value, len(paths))
		for i := range values {
			values[i] = record.Value{Kind: record.Int, Int: 77} // left from the record before
		}
		followed := append(bytes.Clone(datum), 0xff, 0x01, 0x80)
		n, err := p.Extract(followed, values)
		require.NoError(t, err, text)
		require.Equal(t, len(datum), n, text)
		for i, path := range paths {
			want := at(t, native, s.Type(), strings.Split(path, "."))
			require.True(t, equalValues(want, values[i]), "%s of %s: got %s, want %s", path, text, values[i], want)
		}
		for cut := range len(datum) {
			_, err := p.Extract(datum[:cut], values)
			require.Error(t, err, "%d of %d bytes of %s", cut, len(datum), text)
		}
	})
}

func TestProjectionDoesNotAllocate(t *testing.T) {
	datum := viewDatums(t, 1)[0]
	p, err := Project(mustParse(t, viewSchema), []string{"view_id", "ts", "surface"})
	require.NoError(t, err)
	values := make([]record.Value, 3)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := p.Extract(datum, values); err != nil {
			t.Fatal(err)
		}
	}))
}

func varints(values ...int64) (out []byte) {
	for _, v := range values {
		out = binary.AppendVarint(out, v)
	}
	return out
}

// TestVarints: numbers of every length, in buffers that end with them and that do not.
func TestVarints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var run []byte
		var want []uint64
		for range rapid.IntRange(1, 12).Draw(t, "numbers") {
			v := rapid.Uint64().Draw(t, "bits") >> rapid.IntRange(0, 63).Draw(t, "shift")
			want = append(want, v)
			run = binary.AppendUvarint(run, v)
		}
		size := len(run)
		run = append(run, make([]byte, rapid.IntRange(0, 9).Draw(t, "after"))...)
		pos := 0
		for i, v := range want {
			require.Equal(t, size, skipVarints(run, pos, int64(len(want)-i)))
			var got uint64
			got, pos = uvarint(run, pos)
			require.Equal(t, v, got)
		}
		require.Equal(t, size, pos)
		for cut := range size {
			require.Equal(t, int(failShort), skipVarints(run[:cut], 0, int64(len(want))))
		}
	})
}

// TestHostileRecords: bytes that are no record give an error with the field's path, at
// once, whether the field is read or stepped over.
func TestHostileRecords(t *testing.T) {
	long := bytes.Repeat([]byte{0xff}, 11)
	tests := []struct {
		name, fieldType string
		datum           []byte
		want            string
	}{
		{"empty", `"long"`, nil, "decode x at byte 0: the record ends"},
		{"varint of 11 bytes", `"long"`, long, "more than 64 bits"},
		{"varint of 65 bits", `"long"`, append(bytes.Repeat([]byte{0xff}, 9), 2), "more than 64 bits"},
		{"int of 33 bits", `"int"`, varints(1 << 31), "more than 32 bits"},
		{"int of 33 bits below zero", `"int"`, varints(-1<<31 - 1), "more than 32 bits"},
		{"negative length", `"string"`, varints(-1), "a length is negative"},
		{"large negative length", `"bytes"`, varints(math.MinInt64), "a length is negative"},
		{"length beyond the end", `"string"`, append(varints(3), "ab"...), "ends in the middle"},
		{"huge length", `"bytes"`, varints(math.MaxInt64), "ends in the middle"},
		{"enum out of range", `{"type":"enum","name":"E","symbols":["A"]}`, varints(1), "no such symbol"},
		{"enum below zero", `{"type":"enum","name":"E","symbols":["A"]}`, varints(-1), "no such symbol"},
		{"union out of range", `["null","long"]`, varints(2), "no such type in the union"},
		{"union of three out of range", `["null","long","string"]`, varints(3), "no such type in the union"},
		{"huge union branch", `["null","long"]`, varints(1 << 40), "no such type in the union"},
		{"short fixed", `{"type":"fixed","name":"F","size":4}`, []byte{1, 2, 3}, "ends in the middle"},
		{"more floats than bytes", `{"type":"array","items":"float"}`, varints(math.MaxInt64), "more items than"},
		{"more longs than bytes", `{"type":"array","items":"long"}`, varints(1 << 40), "more items than"},
		{"more strings than bytes", `{"type":"array","items":"string"}`, varints(1 << 40), "more items than"},
		{"more entries than bytes", `{"type":"map","values":"null"}`, varints(1 << 40), "more items than"},
		{"block of a negative size", `{"type":"array","items":"long"}`, varints(-1, -5), "a length is negative"},
		{"block beyond the end", `{"type":"array","items":"long"}`, varints(-1, 5), "ends in the middle"},
		{"block of another size", `{"type":"array","items":"float"}`, cat(varints(-2, 4), make([]byte, 5)), "a block's length is not"},
		{"sized block of nothing", `{"type":"array","items":"null"}`, cat(varints(-2, 4), make([]byte, 5)), "a block's length is not"},
		{"least count", `{"type":"array","items":"long"}`, varints(math.MinInt64), "more items than"},
		{"array without an end", `{"type":"array","items":"long"}`, varints(1, 5), "ends in the middle"},
		{"wrong item", `{"type":"array","items":["null","string"]}`, varints(1, 7), "decode x[] at byte 1: there is no such type"},
		{"wrong value in a map", `{"type":"map","values":"int"}`, append(varints(1, 1), 'k', 0xff, 0xff, 0xff, 0xff, 0xff, 1), "decode x[] at byte 3: an int"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"x","type":`+tt.fieldType+`}]}`)
			for _, paths := range [][]string{nil, s.Paths()} {
				p, err := Project(s, paths)
				require.NoError(t, err)
				_, err = p.Extract(tt.datum, make([]record.Value, len(paths)))
				require.ErrorContains(t, err, tt.want)
				require.ErrorContains(t, err, "decode x")
				var decode *DecodeError
				require.ErrorAs(t, err, &decode)
			}
		})
	}
}

func TestBooleanIsChecked(t *testing.T) {
	p, err := Project(mustParse(t, `{"type":"record","name":"R","fields":[{"name":"x","type":"boolean"}]}`), []string{"x"})
	require.NoError(t, err)
	_, err = p.Extract([]byte{2}, make([]record.Value, 1))
	require.EqualError(t, err, "decode x at byte 0: a boolean is neither 0 nor 1")
}

const nodeSchema = `{"type":"record","name":"Node","fields":[{"name":"id","type":"long"},{"name":"next","type":["null","Node"]}]}`

// TestDeepRecursion: a chain within the limit is stepped over, a longer one refused
// with a path that is cut to a readable length.
func TestDeepRecursion(t *testing.T) {
	s := mustParse(t, nodeSchema)
	p, err := Project(s, []string{"id", "next.next.id"})
	require.NoError(t, err)
	chain := func(n int) []byte {
		return append(bytes.Repeat(varints(7, 1), n), varints(8, 0)...)
	}
	values := make([]record.Value, 2)
	n, err := p.Extract(chain(900), values)
	require.NoError(t, err)
	assert.Equal(t, len(chain(900)), n)
	assert.Equal(t, int64(7), values[1].Int)
	n, err = p.Extract(chain(1), values)
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	assert.Equal(t, record.Null, values[1].Kind)

	_, err = p.Extract(chain(1_000_000), values)
	require.ErrorContains(t, err, "records are nested over 1000 deep")
	require.ErrorContains(t, err, "next.next")
	assert.Less(t, len(err.Error()), 700)
}

// TestRecordInsideItself: a type without any finite value is refused by decoding, not
// by a crash.
func TestRecordInsideItself(t *testing.T) {
	p, err := Project(mustParse(t, `{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}`), nil)
	require.NoError(t, err)
	_, err = p.Extract(make([]byte, 100), nil)
	require.ErrorContains(t, err, "nested over")
}

// TestEmptyItems: items without bytes cost one step, and no more of them are taken than
// whoever reads the record will go through.
func TestEmptyItems(t *testing.T) {
	p, err := Project(mustParse(t, `{"type":"record","name":"R","fields":[{"name":"x","type":{"type":"array","items":"null"}}]}`), nil)
	require.NoError(t, err)
	datum := varints(maxEmpty, 0)
	n, err := p.Extract(datum, nil)
	require.NoError(t, err)
	assert.Equal(t, len(datum), n)
	_, err = p.Extract(varints(math.MaxInt64, 0), nil)
	require.EqualError(t, err, "decode x at byte 0: over 1048576 values that take no bytes")
}

// TestWhatIsSteppedOverIsSound: a field that nobody asks for is held to the same rules as one
// that is read: the record goes into a sample as it is, and who reads that reads all of it.
func TestWhatIsSteppedOverIsSound(t *testing.T) {
	sized := func(count, size int64, items ...byte) []byte {
		return append(varints(-count, size), append(items, 0)...)
	}
	for _, tt := range []struct {
		name, of string
		datum    []byte
		want     string // of the error; none for a sound datum
		skips    bool   // its end is known all the same
	}{
		{"a boolean", `"boolean"`, []byte{1}, "", false},
		{"a boolean of 2", `"boolean"`, []byte{2}, "decode x at byte 0: a boolean is neither 0 nor 1", true},
		{"a boolean that is not there", `"boolean"`, nil, "decode x at byte 0: the record ends in the middle of it", false},
		{"a boolean in a record", `{"type":"record","name":"In","fields":[{"name":"a","type":"double"},{"name":"b","type":"boolean"}]}`, []byte{0, 0, 0, 0, 0, 0, 0, 0, 255}, "decode x.b at byte 8: a boolean is neither 0 nor 1", true},
		{"a boolean in an array", `{"type":"array","items":"boolean"}`, []byte{4, 1, 3, 0}, "decode x[] at byte 2: a boolean is neither 0 nor 1", true},
		{"a boolean in a union", `["null","boolean"]`, []byte{2, 9}, "decode x at byte 1: a boolean is neither 0 nor 1", true},
		{"a block of strings with its size", `{"type":"array","items":"string"}`, sized(2, 3, 0, 2, 'a'), "", false},
		{"a block of strings of another size", `{"type":"array","items":"string"}`, sized(2, 4, 0, 2, 'a', 0), "decode x at byte 2: a block's length is not that of its items", true},
		{"a block of no strings", `{"type":"array","items":"string"}`, sized(2, 2, 0xff, 0xff), "decode x[] at byte 2: ", true},
		{"a block of longs with its size", `{"type":"array","items":"long"}`, sized(2, 3, 1, 0x80, 1), "", false},
		{"a block of longs of another size", `{"type":"array","items":"long"}`, sized(2, 2, 1, 0x80, 1), "decode x at byte 0: a block's length is not that of its items", false},
		{"a block of doubles of another size", `{"type":"array","items":"double"}`, sized(1, 7, make([]byte, 7)...), "decode x at byte 0: a block's length is not that of its items", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"x","type":`+tt.of+`}]}`)
			p, err := Project(s, nil)
			require.NoError(t, err)
			n, err := p.Extract(tt.datum, nil)
			w, jsonErr := NewJSON(s)
			require.NoError(t, jsonErr)
			_, _, jsonErr = w.Append(nil, tt.datum)
			if tt.want == "" {
				require.NoError(t, err)
				require.NoError(t, jsonErr)
				require.Equal(t, len(tt.datum), n)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.Error(t, jsonErr, "and it cannot be written as JSON")
			n, err = p.Skip(tt.datum)
			if tt.skips {
				require.NoError(t, err)
				require.Equal(t, len(tt.datum), n)
			} else {
				require.Error(t, err)
			}
		})
	}
}

// TestSchemaThatDoubles: 60 levels of two fields of the level below have 2^60 leaves;
// neither compiling nor stepping over may go through them.
func TestSchemaThatDoubles(t *testing.T) {
	for _, leaf := range []string{`"null"`, `"boolean"`, `"long"`} {
		def := leaf
		for level := range 60 {
			name := "L" + string(rune('A'+level/26)) + string(rune('A'+level%26))
			def = `{"type":"record","name":"` + name + `","fields":[{"name":"a","type":` + def + `},{"name":"b","type":"` + prior(level, leaf) + `"}]}`
		}
		s := mustParse(t, def)
		p, err := Project(s, []string{strings.Repeat("a.", 59) + "a"})
		require.NoError(t, err)
		_, err = p.Extract([]byte{1, 1, 1}, make([]record.Value, 1))
		if leaf == `"null"` {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "the record ends")
		}
		assert.LessOrEqual(t, len(s.Paths()), maxPaths)
	}
}

func prior(level int, leaf string) string {
	if level == 0 {
		return strings.Trim(leaf, `"`)
	}
	level--
	return "L" + string(rune('A'+level/26)) + string(rune('A'+level%26))
}

// TestUnionOfRecords: a path goes into each record of a union that has it; others give null.
func TestUnionOfRecords(t *testing.T) {
	s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"u","type":["null",
		{"type":"record","name":"A","fields":[{"name":"id","type":"long"},{"name":"x","type":"string"}]},
		{"type":"record","name":"B","fields":[{"name":"x","type":"string"},{"name":"id","type":"string"}]},
		"long"]},{"name":"after","type":"long"}]}`)
	p, err := Project(s, []string{"u.id", "after", "u.x"})
	require.NoError(t, err)
	for _, tt := range []struct {
		name  string
		datum []byte
		want  string
	}{
		{"null", varints(0, 5), "null 5 null"},
		{"A", append(append(varints(1, 9, 1), 'x'), varints(5)...), `9 5 "x"`},
		{"B", append(append(append(varints(2, 1), 'x'), append(varints(1), 'i')...), varints(5)...), `"i" 5 "x"`},
		{"long", varints(3, 4, 5), "null 5 null"},
	} {
		values := []record.Value{{Kind: record.Bool}, {Kind: record.Bool}, {Kind: record.Bool}}
		n, err := p.Extract(tt.datum, values)
		require.NoError(t, err, tt.name)
		assert.Equal(t, len(tt.datum), n, tt.name)
		assert.Equal(t, tt.want, values[0].String()+" "+values[1].String()+" "+values[2].String(), tt.name)
	}
}

func TestProjectUnknownFields(t *testing.T) {
	_, err := Project(mustParse(t, viewSchema), []string{"view", "features", "ts"})
	require.ErrorContains(t, err, `no field "view": the record has view_id`)
	require.ErrorContains(t, err, `field "features" is of type array, which is not a single value`)
	var unknown *UnknownFieldError
	require.ErrorAs(t, err, &unknown)
	p, err := Project(mustParse(t, viewSchema), []string{"ts"})
	require.NoError(t, err)
	_, err = p.Extract([]byte{0}, nil)
	require.EqualError(t, err, "extract 1 fields into 0 values")
}

// TestLogicalValues: decimals and UUIDs are read as what they are, on whatever type they stand,
// and what is marked as one and does not fit stays what it is stored as.
func TestLogicalValues(t *testing.T) {
	raw := bytes.Repeat([]byte{0xab}, 16)
	for _, c := range []struct {
		fieldType string
		datum     []byte
		want      record.Value
	}{
		{`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, append(varints(2), 0x04, 0xfb), record.Value{Kind: record.Decimal, Int: 2, Text: []byte{0x04, 0xfb}}},
		{`{"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4,"scale":3}`, []byte{0xff, 0xfe}, record.Value{Kind: record.Decimal, Int: 3, Text: []byte{0xff, 0xfe}}},
		{`["null",{"type":"bytes","logicalType":"decimal","precision":4}]`, append(varints(1, 1), 7), record.Value{Kind: record.Decimal, Text: []byte{7}}},
		{`{"type":"bytes","logicalType":"decimal","precision":99999,"scale":99999}`, append(varints(1), 7), record.Value{Kind: record.Bytes, Text: []byte{7}}},
		{`{"type":"bytes","logicalType":"decimal"}`, append(varints(1), 7), record.Value{Kind: record.Bytes, Text: []byte{7}}},
		{`{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}`, raw, record.Value{Kind: record.UUID, Text: raw}},
		{`{"type":"fixed","name":"F","size":3,"logicalType":"uuid"}`, raw[:3], record.Value{Kind: record.Bytes, Text: raw[:3]}},
		{`{"type":"string","logicalType":"uuid"}`, append(varints(2), "u1"...), record.Value{Kind: record.UUID, Int: 1, Text: []byte("u1")}},
		{`"float"`, float32s(0.5), record.Value{Kind: record.Float, Int: 32, Float: 0.5}},
	} {
		s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"x","type":`+c.fieldType+`}]}`)
		field, err := s.Lookup("x")
		require.NoError(t, err)
		require.Equal(t, c.want.Kind, field.Kind, c.fieldType)
		p, err := Project(s, []string{"x"})
		require.NoError(t, err)
		values := make([]record.Value, 1)
		n, err := p.Extract(c.datum, values)
		require.NoError(t, err, c.fieldType)
		require.Len(t, c.datum, n)
		require.Equal(t, c.want, values[0], c.fieldType)
	}
}

// TestEmptyArrayIsOneByte: what follows an array without items begins right behind it, be it a
// zero or the end of the record.
func TestEmptyArrayIsOneByte(t *testing.T) {
	for _, items := range []string{`"double"`, `"float"`, `{"type":"fixed","name":"f","size":3}`, `"long"`, `"string"`} {
		schema, err := ParseSchema(`{"type":"record","name":"r","fields":[
			{"name":"a","type":{"type":"array","items":` + items + `}},{"name":"n","type":"int"},{"name":"id","type":"string"}]}`)
		require.NoError(t, err)
		p, err := Project(schema, []string{"id"})
		require.NoError(t, err)
		rec := []byte{0, 0, 2, 'x'} // no item, 0, "x"
		values := make([]record.Value, 1)
		n, err := p.Extract(rec, values)
		require.NoError(t, err, items)
		require.Equal(t, len(rec), n, items)
		require.Equal(t, "x", string(values[0].Text), items)
	}
}

// TestArrayThatIsCut: a record that ends within an array is short, whatever its last byte is.
func TestArrayThatIsCut(t *testing.T) {
	schema, err := ParseSchema(`{"type":"record","name":"r","fields":[{"name":"id","type":"string"},{"name":"a","type":{"type":"array","items":"double"}}]}`)
	require.NoError(t, err)
	p, err := Project(schema, []string{"id"})
	require.NoError(t, err)
	rec := append([]byte{2, 'x', 2}, make([]byte, 9)...) // one item, and the end
	for cut := range rec {
		_, err := p.Extract(rec[:cut], make([]record.Value, 1))
		require.Error(t, err, "cut to %d of %d bytes", cut, len(rec))
	}
	n, err := p.Extract(rec, make([]record.Value, 1))
	require.NoError(t, err)
	require.Equal(t, len(rec), n)
}

// TestSkippedBooleanIsChecked: one that nobody asks for, too, is 0 or 1.
func TestSkippedBooleanIsChecked(t *testing.T) {
	schema, err := ParseSchema(`{"type":"record","name":"r","fields":[{"name":"b","type":"boolean"},{"name":"id","type":"string"}]}`)
	require.NoError(t, err)
	p, err := Project(schema, []string{"id"})
	require.NoError(t, err)
	for b, sound := range []bool{true, true, false} {
		_, err := p.Extract([]byte{byte(b), 2, 'x'}, make([]record.Value, 1))
		require.Equal(t, sound, err == nil, "%d: %v", b, err)
	}
}
