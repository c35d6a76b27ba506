package parquet

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/runners/devcluster/services"
)

const everyType = `{"type":"record","name":"sample","fields":[
	{"name":"z_first","type":"string"},
	{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},
	{"name":"raw","type":"bytes"},{"name":"fix","type":{"type":"fixed","name":"four","size":4}},
	{"name":"e","type":{"type":"enum","name":"place","symbols":["home","search"]}},
	{"name":"maybe","type":["null","string"]},{"name":"maybe_last","type":["long","null"]},
	{"name":"list","type":{"type":"array","items":["null","int"]}},
	{"name":"lists","type":["null",{"type":"array","items":{"type":"array","items":"string"}}]},
	{"name":"map","type":{"type":"map","values":["null","double"]}},
	{"name":"rec","type":["null",{"type":"record","name":"inner","fields":[{"name":"x","type":["null","int"]},{"name":"a","type":{"type":"array","items":
		{"type":"record","name":"item","fields":[{"name":"k","type":"string"},{"name":"v","type":["null","long"]}]}}}]}]},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"at_us","type":{"type":"long","logicalType":"timestamp-micros"}},
	{"name":"local","type":{"type":"long","logicalType":"local-timestamp-micros"}},
	{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"small","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
	{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}},
	{"name":"big","type":{"type":"bytes","logicalType":"decimal","precision":30,"scale":3}}]}`

// decimalBytes is n in two's complement, as eight bytes or as few as fit it.
func decimalBytes(n int64, short bool) []byte {
	raw := binary.BigEndian.AppendUint64(nil, uint64(n))
	for short && len(raw) > 1 && (raw[0] == 0 && raw[1] < 0x80 || raw[0] == 0xff && raw[1] >= 0x80) {
		raw = raw[1:]
	}
	return raw
}

func appendBytes(dst []byte, b []byte) []byte {
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}

// everyRecord encodes record i by goavro, with its decimals as raw bytes, and says it as JSON as pyarrow is to read it.
func everyRecord(t testing.TB, codec *goavro.Codec, i int) ([]byte, map[string]any) {
	t.Helper()
	n := int64(i*37 - 500)
	small, price, big := n, n*1_000_003, n*1_000_000_007
	native := map[string]any{
		"z_first": fmt.Sprintf("é%d", i), "b": i%2 == 0, "i": int32(n), "l": n << 33, "f": float32(n) / 4, "d": float64(n) / 8,
		"raw": bytes.Repeat([]byte{byte(i)}, i%5), "fix": []byte{1, 2, 3, byte(i)}, "e": []string{"home", "search"}[i%2],
		"at": 1_700_000_000_000 + n, "at_us": 1_700_000_000_000_000 + n, "local": 1_700_000_000_000_000 - n, "day": int32(i),
		"small": decimalBytes(small, true), "price": decimalBytes(price, i%2 == 0), "big": decimalBytes(big, true),
		"maybe": nil, "maybe_last": nil, "list": []any{}, "lists": nil, "map": map[string]any{}, "rec": nil,
	}
	want := map[string]any{}
	for k, v := range native {
		want[k] = v
	}
	want["raw"], want["fix"] = fmt.Sprintf("%x", native["raw"]), fmt.Sprintf("%x", native["fix"])
	want["small"], want["price"], want["big"] = small, price, big
	if i%3 > 0 {
		native["maybe"], want["maybe"] = map[string]any{"string": "some"}, "some"
		native["maybe_last"], want["maybe_last"] = map[string]any{"long": n}, n
		native["list"], want["list"] = []any{map[string]any{"int": int32(1)}, nil, map[string]any{"int": int32(i)}}, []any{1, nil, i}
		native["lists"] = map[string]any{"array": []any{[]any{"a", "b"}, []any{}, []any{"c"}}}
		want["lists"] = []any{[]any{"a", "b"}, []any{}, []any{"c"}}
		native["map"], want["map"] = map[string]any{"k": map[string]any{"double": 1.5}}, map[string]any{"k": 1.5}
	}
	switch i % 4 {
	case 1:
		native["lists"], want["lists"] = map[string]any{"array": []any{}}, []any{}
		native["map"], want["map"] = map[string]any{"none": nil}, map[string]any{"none": nil}
		native["rec"], want["rec"] = map[string]any{"inner": map[string]any{"x": nil, "a": []any{}}}, map[string]any{"x": nil, "a": []any{}}
	case 2:
		native["rec"] = map[string]any{"inner": map[string]any{"x": map[string]any{"int": int32(i)}, "a": []any{
			map[string]any{"k": "one", "v": nil}, map[string]any{"k": "two", "v": map[string]any{"long": n}},
		}}}
		want["rec"] = map[string]any{"x": i, "a": []any{map[string]any{"k": "one", "v": nil}, map[string]any{"k": "two", "v": n}}}
	}
	datum, err := codec.BinaryFromNative(nil, native)
	require.NoError(t, err)
	return datum, want
}

// physical is everyType without logical types: goavro takes what is stored.
func physical() string {
	var tree any
	if err := json.Unmarshal([]byte(everyType), &tree); err != nil {
		panic(err)
	}
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "logicalType")
			for _, below := range v {
				strip(below)
			}
		case []any:
			for _, below := range v {
				strip(below)
			}
		}
	}
	strip(tree)
	out, err := json.Marshal(tree)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// TestReadByOthers has pyarrow and DuckDB read files of every type, of several row groups, in each codec: the values, types, order of columns and
// statistics are those of the records.
func TestReadByOthers(t *testing.T) {
	python, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	codec, err := goavro.NewCodec(physical())
	require.NoError(t, err)
	const n = 6000
	for _, name := range (files{}).Codecs() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var out, again, want bytes.Buffer
			for _, to := range []*bytes.Buffer{&out, &again} {
				w, err := begin(to, format.WriteOptions{Codec: name, Schema: everyType}, 200<<10)
				require.NoError(t, err)
				want.Reset()
				for i := range n {
					datum, row := everyRecord(t, codec, i)
					require.NoError(t, w.Append(datum))
					require.NoError(t, json.NewEncoder(&want).Encode(row))
				}
				require.NoError(t, w.Close())
			}
			require.True(t, bytes.Equal(out.Bytes(), again.Bytes()), "the same records are the same bytes")
			path := filepath.Join(dir, "f.parquet")
			require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "want.jsonl"), want.Bytes(), 0o600))
			cmd := exec.CommandContext(t.Context(), string(python), "-c", reader, name)
			cmd.Dir = dir
			said, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Contains(t, string(said), "6000 rows equal")
		})
	}
}

const reader = `
import json, sys, datetime, decimal, pyarrow as pa, pyarrow.parquet as pq, duckdb
f = pq.ParquetFile("f.parquet")
m = f.metadata
names = "z_first b i l f d raw fix e maybe maybe_last list lists map rec at at_us local day small price big".split()
assert f.schema_arrow.names == names, f.schema_arrow.names
types = {n: str(f.schema_arrow.field(n).type) for n in names}
assert types["at"] == "timestamp[ms, tz=UTC]" and types["at_us"] == "timestamp[us, tz=UTC]" and types["local"] == "timestamp[us]", types
assert types["day"] == "date32[day]" and types["e"] == "string" and types["fix"] == "fixed_size_binary[4]", types
for n, p, s in ("small", 9, 2), ("price", 18, 2), ("big", 30, 3):
    assert pa.types.is_decimal(f.schema_arrow.field(n).type) and f.schema_arrow.field(n).type.precision == p and f.schema_arrow.field(n).type.scale == s, types
assert not f.schema_arrow.field("i").nullable and f.schema_arrow.field("maybe").nullable
assert m.num_row_groups > 3, m
assert m.created_by.startswith("tributary"), m.created_by
rows = [json.loads(l) for l in open("want.jsonl")]
at = 0
for g in range(m.num_row_groups):
    part = rows[at:at + m.row_group(g).num_rows]
    at += len(part)
    for c in range(m.row_group(g).num_columns):
        col = m.row_group(g).column(c)
        assert col.compression == {"zstd": "ZSTD", "snappy": "SNAPPY", "uncompressed": "UNCOMPRESSED"}[sys.argv[1]], col
        if col.path_in_schema in ("i", "l", "d"):
            assert (col.statistics.min, col.statistics.max) == (min(r[col.path_in_schema] for r in part), max(r[col.path_in_schema] for r in part)), col
        if col.path_in_schema == "price":
            assert col.statistics.min.scaleb(2) == min(r["price"] for r in part), col.statistics
        if col.path_in_schema == "maybe":
            assert col.statistics.null_count == sum(r["maybe"] is None for r in part)
def plain(k, v):
    if v is None: return None
    if k in ("raw", "fix"): return v.hex()
    if k in ("small", "price"): return int(v.scaleb(2))
    if k == "big": return int(v.scaleb(3))
    if k == "at": return round((v - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))
    if k == "at_us": return (v - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
    if k == "local": return (v - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
    if k == "day": return (v - datetime.date(1970, 1, 1)).days
    if k == "map": return dict(v)
    return v
def check(got):
    assert len(got) == len(rows), len(got)
    for i, (g, w) in enumerate(zip(got, rows)):
        for k in names:
            assert plain(k, g[k]) == w[k], (i, k, g[k], w[k])
check(f.read().to_pylist())
db = duckdb.connect()
db.execute("set timezone = 'UTC'")
cols = [n for n in names if n not in ("at", "at_us")]
got = db.execute("select " + ", ".join('"%s"' % c for c in cols) + ", epoch_ms(\"at\"), epoch_us(at_us) from 'f.parquet'").fetchall()
assert len(got) == len(rows)
for i, (g, w) in enumerate(zip(got, rows)):
    assert g[-2:] == (w["at"], w["at_us"]), (i, g[-2:])
    for k, v in zip(cols, g):
        assert plain(k, v) == w[k], (i, k, v, w[k])
# By statistics: those of a column that is out of order would hide rows.
for k, scale in ("small", 100), ("price", 100), ("big", 1000):
    least = min(r[k] for r in rows)
    n, = db.execute(f"select count(*) from 'f.parquet' where {k} <= {least + 10000} / {scale}::decimal(30, 3)").fetchone()
    assert n == sum(r[k] <= least + 10000 for r in rows), (k, n)
print(len(rows), "rows equal")
`

// TestFits: what has no column is told before anything is written, all of it.
func TestFits(t *testing.T) {
	require.NoError(t, files{}.Fits(everyType))
	for field, want := range map[string]string{
		`["int","string"]`:        "x.y: Parquet has no column for a union of int, string: it may be of null and one other type",
		`["null","int","string"]`: "x.y: Parquet has no column for a union of null, int, string",
		`"null"`:                  "x.y: Parquet has no column for null alone",
		`["null","outer"]`:        "x.y: Parquet has no column for the record outer within itself",
		`{"type":"array","items":["int","string"]}`:   "x.y.list.element: Parquet has no column for a union",
		`{"type":"record","name":"none","fields":[]}`: "x.y: Parquet has no column for the record none, which has no fields",
	} {
		schema := `{"type":"record","name":"outer","fields":[{"name":"x","type":{"type":"record","name":"in","fields":[{"name":"y","type":` + field + `},{"name":"also","type":"null"}]}}]}`
		err := files{}.Fits(schema)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "x.also: ")
		var out bytes.Buffer
		_, err = files{}.Write(&out, format.WriteOptions{Codec: codecZstd, Schema: schema})
		require.ErrorContains(t, err, want)
		require.Zero(t, out.Len())
	}
	require.Error(t, files{}.Fits(`"string"`))
	_, err := files{}.Write(&bytes.Buffer{}, format.WriteOptions{Codec: "gzip", Schema: everyType})
	require.ErrorContains(t, err, `codec "gzip" is not supported: it must be one of zstd, snappy, uncompressed`)
}

// TestBroken: a record that is none fails the file with the field's name, and a full disk is told.
func TestBroken(t *testing.T) {
	const schema = `{"type":"record","name":"r","fields":[{"name":"n","type":"int"},{"name":"t","type":"string"},{"name":"p","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}]}`
	good := appendBytes(appendBytes(binary.AppendVarint(nil, 5), []byte("text")), []byte{1})
	for want, datum := range map[string][]byte{
		"record 1 of a batch of 1: the record ends in the middle of it": good[:3],
		"record 1 of a batch of 1: 1 bytes follow the record":           append(bytes.Clone(good), 0),
		"n: 4294967296 is no int of 32 bits":                            binary.AppendVarint(nil, 1<<32),
		"p: the decimal 4294967296 has more digits":                     appendBytes(appendBytes(binary.AppendVarint(nil, 5), nil), []byte{1, 0, 0, 0, 0}),
		"p: a decimal of bytes 7fffffffffffffffff has more digits":      appendBytes(appendBytes(binary.AppendVarint(nil, 5), nil), []byte{127, 255, 255, 255, 255, 255, 255, 255, 255}),
		"t: a length is negative":                                       binary.AppendVarint(binary.AppendVarint(nil, 5), -1),
	} {
		w, err := files{}.Write(&bytes.Buffer{}, format.WriteOptions{Codec: codecZstd, Schema: schema})
		require.NoError(t, err)
		require.NoError(t, w.Append(datum))
		require.ErrorContains(t, w.Close(), want)
		require.ErrorContains(t, w.Append(good), want)
	}
	whole := &disk{room: 1 << 20}
	size := 0
	for _, room := range []int{1 << 20, 0, 100, -1} {
		d := &disk{room: room}
		if room < 0 {
			d.room = size - 1
		}
		w, err := files{}.Write(d, format.WriteOptions{Codec: codecZstd, Schema: schema})
		for i := 0; err == nil && i < 3000; i++ {
			err = w.Append(good)
		}
		if err == nil {
			err = w.Close()
		}
		if room == whole.room {
			require.NoError(t, err)
			require.NoError(t, w.Close())
			require.Error(t, w.Append(good))
			size = d.wrote
			continue
		}
		require.ErrorIs(t, err, errFull, room)
	}
}

var errFull = errors.New("the disk is full")

type disk struct{ room, wrote int }

func (d *disk) Write(p []byte) (int, error) {
	n := min(len(p), d.room-d.wrote)
	d.wrote += n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// TestRowGroups: a file without records is one, and a row group ends where its records reach its size.
func TestRowGroups(t *testing.T) {
	const schema = `{"type":"record","name":"r","fields":[{"name":"t","type":"string"}]}`
	text := appendBytes(nil, []byte(strings.Repeat("x", 998)))
	for n, want := range map[int]int{0: 0, 1: 1, 100: 1, 101: 2, 1000: 10} {
		var out bytes.Buffer
		w, err := begin(&out, format.WriteOptions{Codec: codecZstd, Schema: schema}, 100*len(text))
		require.NoError(t, err)
		for range n {
			require.NoError(t, w.Append(text))
		}
		require.NoError(t, w.Close())
		f, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
		require.NoError(t, err)
		require.EqualValues(t, n, f.NumRows())
		require.Len(t, f.RowGroups(), want, "%d records", n)
	}
}

// BenchmarkWrite writes samples of every type; an operation is one record.
func BenchmarkWrite(b *testing.B) {
	codec, err := goavro.NewCodec(physical())
	require.NoError(b, err)
	var datums [][]byte
	for i := range 1000 {
		datum, _ := everyRecord(b, codec, i)
		datums = append(datums, datum)
	}
	w, err := files{}.Write(&bytes.Buffer{}, format.WriteOptions{Codec: codecZstd, Schema: everyType})
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := w.Append(datums[i%len(datums)]); err != nil {
			b.Fatal(err)
		}
	}
}
