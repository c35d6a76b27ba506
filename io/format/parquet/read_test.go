package parquet

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/runners/devcluster/services"
)

// fileIn is a file in memory that counts the bytes that are read of it.
func fileIn(content []byte, read *int) *format.File {
	return &format.File{Path: "f.parquet", Size: int64(len(content)), Open: func(offset int64) (io.ReadCloser, error) {
		return io.NopCloser(counting{bytes.NewReader(content[min(offset, int64(len(content))):]), read}), nil
	}}
}

type counting struct {
	io.Reader

	read *int
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.read != nil {
		*c.read += n
	}
	return n, err
}

// jsonOf are the records of a file as JSON, a line each, and what is damaged in it.
func jsonOf(t testing.TB, f *format.File) (lines []string, schema string, bad []string, err error) {
	t.Helper()
	head, err := files{}.Head(f)
	if err != nil {
		return nil, "", nil, err
	}
	s, err := avro.ParseSchema(head.Schema)
	require.NoError(t, err, "%s", head.Schema)
	toJSON, err := avro.NewJSON(s)
	require.NoError(t, err)
	c, err := files{}.Chunks(f, format.Head{}, format.Place{})
	require.NoError(t, err)
	for {
		chunk, err := c.Next()
		if errors.Is(err, io.EOF) {
			return lines, head.Schema, bad, c.Close()
		}
		if err != nil {
			return lines, head.Schema, bad, err
		}
		records, err := chunk.Records(nil)
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		for range chunk.Count {
			text, n, err := toJSON.Append(nil, records)
			require.NoError(t, err)
			lines, records = append(lines, string(text)), records[n:]
		}
		require.Empty(t, records)
	}
}

// TestReadBack reads what the writer has written of every type: the same records, as JSON.
func TestReadBack(t *testing.T) {
	codec, err := goavro.NewCodec(physical())
	require.NoError(t, err)
	schema, err := avro.ParseSchema(everyType)
	require.NoError(t, err)
	toJSON, err := avro.NewJSON(schema)
	require.NoError(t, err)
	for _, name := range (files{}).Codecs() {
		var out bytes.Buffer
		w, err := begin(&out, format.WriteOptions{Codec: name, Schema: everyType}, 100<<10)
		require.NoError(t, err)
		var want []string
		for i := range 3000 {
			datum, _ := everyRecord(t, codec, i)
			require.NoError(t, w.Append(datum))
			text, _, err := toJSON.Append(nil, datum)
			require.NoError(t, err)
			n := int64(i*37-500) * 1_000_003
			encoded := func(short bool) string { return base64.StdEncoding.EncodeToString(decimalBytes(n, short)) }
			want = append(want, strings.Replace(string(text), `"price":"`+encoded(false), `"price":"`+encoded(true), 1)) // as few bytes as hold it
		}
		require.NoError(t, w.Close())
		got, _, bad, err := jsonOf(t, fileIn(out.Bytes(), nil))
		require.NoError(t, err)
		require.Empty(t, bad)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, want[i], got[i], "%s: record %d", name, i)
		}
	}
}

// TestReadOthers reads files of pyarrow and DuckDB, of every type that they have and that is read, in several layouts.
func TestReadOthers(t *testing.T) {
	python, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), string(python), "-c", othersWriter)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	want := strings.Split(strings.TrimSpace(string(said)), "\n")
	paths, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	require.NoError(t, err)
	require.Len(t, paths, 7)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		got, schema, bad, err := jsonOf(t, fileIn(content, nil))
		require.NoError(t, err)
		require.Empty(t, bad, path)
		require.Len(t, got, len(want))
		for i := range want {
			if want[i] != got[i] {
				require.JSONEq(t, want[i], got[i], "%s: row %d: %s", path, i, schema)
			}
		}
	}
}

const othersWriter = `
import base64, datetime as dt, decimal, json, pyarrow as pa, pyarrow.parquet as pq, duckdb
n = 1200
rows = []
for i in range(n):
    rows.append(dict(
        id=f"é{i}", i8=i % 100 - 50, i32=i - 500, i64=(i - 500) << 33, u32=2147483647 - i, f=i / 4, d=i / 8 - 3, b=i % 2 == 0,
        opt=None if i % 3 == 0 else f"x{i % 7}", at=dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(microseconds=i * 1000001),
        day=dt.date(2026, 1, 1) + dt.timedelta(days=i), price=decimal.Decimal(i - 500).scaleb(-2), big=decimal.Decimal((i - 500) * 10**20 + 7).scaleb(-3),
        items=None if i % 5 == 0 else [None if k == 1 else k for k in range(i % 4)],
        rec=None if i % 4 == 0 else dict(x=i, tags=[f"t{k}" for k in range(i % 3)], deep=None if i % 7 == 0 else dict(y=i / 2)),
        recs=[dict(k=f"k{k}", v=None if k == 0 else k) for k in range(i % 3)]))
schema = pa.schema([("id", pa.string()), ("i8", pa.int8()), ("i32", pa.int32()), ("i64", pa.int64()), ("u32", pa.uint32()), ("f", pa.float32()), ("d", pa.float64()), ("b", pa.bool_()),
    ("opt", pa.string()), ("at", pa.timestamp("us", "UTC")), ("day", pa.date32()), ("price", pa.decimal128(9, 2)), ("big", pa.decimal128(30, 3)),
    ("items", pa.list_(pa.int32())), ("rec", pa.struct([("x", pa.int64()), ("tags", pa.list_(pa.string())), ("deep", pa.struct([("y", pa.float64())]))])),
    ("recs", pa.list_(pa.struct([("k", pa.string()), ("v", pa.int64())])))])
t = pa.Table.from_pylist(rows, schema)
pq.write_table(t, "a.parquet", row_group_size=500)
pq.write_table(t, "b.parquet", compression="zstd", use_dictionary=False, data_page_version="2.0", write_page_checksum=True)
pq.write_table(t, "c.parquet", compression="gzip", data_page_size=1000, store_decimal_as_integer=True, use_compliant_nested_type=False)
pq.write_table(t, "d.parquet", compression="none", write_statistics=False, use_byte_stream_split=["f", "d"], use_dictionary=["id", "opt"])
pq.write_table(t, "e.parquet", compression="brotli", column_encoding={"i64": "DELTA_BINARY_PACKED", "id": "DELTA_BYTE_ARRAY", "opt": "DELTA_LENGTH_BYTE_ARRAY"}, use_dictionary=False)
duckdb.sql("set timezone='UTC'")
duckdb.sql("copy (select * from t) to 'f.parquet' (format parquet, row_group_size 2048)")
duckdb.sql("copy (select * from t) to 'g.parquet' (format parquet, compression zstd, parquet_version v2)")
epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
def plain(v):
    if isinstance(v, dt.datetime): return (v - epoch) // dt.timedelta(microseconds=1)
    if isinstance(v, dt.date): return (v - epoch.date()).days
    if isinstance(v, decimal.Decimal):
        n = int(v.scaleb(-v.as_tuple().exponent))
        return base64.b64encode(n.to_bytes((n if n >= 0 else ~n).bit_length() // 8 + 1, "big", signed=True)).decode()
    return v
for r in rows:
    print(json.dumps({k: plain(v) for k, v in r.items()}, ensure_ascii=False, separators=(",", ":")))
`

// TestProjection: of the wanted columns alone is anything read, and the rest is as in the whole file.
func TestProjection(t *testing.T) {
	const schema = `{"type":"record","name":"r","fields":[{"name":"id","type":"long"},{"name":"wide","type":"string"},{"name":"ts","type":"long"}]}`
	var out bytes.Buffer
	w, err := begin(&out, format.WriteOptions{Codec: codecUncompressed, Schema: schema}, 4<<20)
	require.NoError(t, err)
	for i := range 20000 {
		datum := appendBytes([]byte{2}, bytes.Repeat([]byte{byte('a' + i%26)}, 990+i%10))
		require.NoError(t, w.Append(append(datum, 4)))
	}
	require.NoError(t, w.Close())
	all, some := 0, 0
	lines, _, _, err := jsonOf(t, fileIn(out.Bytes(), &all))
	require.NoError(t, err)
	require.Len(t, lines, 20000)
	f := fileIn(out.Bytes(), &some)
	f.Fields = []string{"ts", "id", "absent"}
	lines, got, _, err := jsonOf(t, f)
	require.NoError(t, err)
	require.Len(t, lines, 20000)
	require.JSONEq(t, `{"type":"record","name":"row","fields":[{"name":"id","type":"long"},{"name":"ts","type":"long"}]}`, got)
	require.JSONEq(t, `{"id":1,"ts":2}`, lines[0])
	require.Greater(t, all, out.Len(), "the footer twice, and all columns")
	require.Less(t, some, 2*tailBytes+20000*16+1<<16, "of %d bytes", out.Len())
}

// TestHostile changes bytes of files at random: each is read, or refused, or some of its row groups are damaged, and nothing is thrown.
func TestHostile(t *testing.T) {
	codec, err := goavro.NewCodec(physical())
	require.NoError(t, err)
	var out bytes.Buffer
	w, err := begin(&out, format.WriteOptions{Codec: codecSnappy, Schema: everyType}, 4<<10)
	require.NoError(t, err)
	for i := range 100 {
		datum, _ := everyRecord(t, codec, i)
		require.NoError(t, w.Append(datum))
	}
	require.NoError(t, w.Close())
	whole := out.Bytes()
	random := rand.New(rand.NewPCG(1, 2))
	refused, damaged := 0, 0
	for range 1000 {
		content := bytes.Clone(whole)
		for range 1 + random.IntN(3) {
			content[random.IntN(len(content))] ^= byte(1 + random.IntN(255))
		}
		_, _, bad, err := jsonOf(t, fileIn(content, nil))
		switch {
		case err != nil:
			refused++
			require.ErrorContains(t, err, "f.parquet")
		case len(bad) > 0:
			damaged++
			require.Contains(t, bad[0], "row group at byte ")
		}
	}
	require.Greater(t, refused, 50)
	require.Greater(t, damaged, 50)
	for _, content := range []string{"", "PAR1", "PAR1PAR1", "PAR1\xff\xff\xff\xffPAR1", "PAR1\x00\x00\x00\x00PAR1", strings.Repeat("x", 100)} {
		_, err := files{}.Head(fileIn([]byte(content), nil))
		var other *format.OtherError
		require.ErrorAs(t, err, &other, "%q", content)
		require.ErrorContains(t, err, "f.parquet: not a Parquet file, or cut off: ")
	}
}

// TestRefused: what Avro has nothing for is told by its column, and the others are read.
func TestRefused(t *testing.T) {
	python, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "r.parquet")
	cmd := exec.CommandContext(t.Context(), string(python), "-c", `
import sys, duckdb
duckdb.sql("""copy (select 1::bigint as id, 2::ubigint as hash, interval 1 day as span, map {1: 2} as counts, map {'a': 2} as named,
	{'x': 1, 'y': [3::ubigint]} as rec, uuid '6bd00dea-97c6-4f39-a9b8-1d3a3fd63b40' as u, 3000000000::uinteger as n) to '`+path+`' (format parquet)""")`)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	head, err := files{}.Head(fileIn(content, nil))
	require.NoError(t, err)
	var told []string
	for _, r := range head.Refused {
		told = append(told, fmt.Sprintf("%s | %v", r.Field, r.Err))
	}
	require.Equal(t, []string{
		"hash | hash: a whole number of 64 bits without a sign (INT(64,false)) is not read",
		"span | span: INTERVAL is not read",
		"counts | counts: a map whose keys are not text is not read",
		"rec | rec.y.item: a whole number of 64 bits without a sign (INT(64,false)) is not read",
	}, told)
	lines, _, _, err := jsonOf(t, fileIn(content, nil))
	require.NoError(t, err)
	require.Equal(t, []string{`{"id":1,"named":{"a":2},"u":"a9AN6pfGTzmpuB06P9Y7QA==","n":3000000000}`}, lines, "16 bytes")
}
