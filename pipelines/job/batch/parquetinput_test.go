package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/pipelines/report"
	"tributary/runners/devcluster/services"
	"tributary/transforms/account"
)

// microsType is what DuckDB makes of all times with a zone.
const microsType = `{"type":"long","logicalType":"timestamp-micros"}`

const parquetSpec = `
views: {inputs: views/*.avro, id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 1m, label: {sum: amount}, where: {kind: like}}
outputs: {samples: out/samples}
`

// parquetOf writes the records of an Avro file as Parquet, under a name beside it.
func parquetOf(t testing.TB, path string) {
	t.Helper()
	in, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, in.Close()) }()
	r, err := avro.NewReader(in)
	require.NoError(t, err)
	writer, err := format.Get[format.Writer]("parquet")
	require.NoError(t, err)
	var out bytes.Buffer
	w, err := writer.Write(&out, format.WriteOptions{Codec: "zstd", Schema: r.Header().Schema.String()})
	require.NoError(t, err)
	codec, err := r.Header().Schema.Codec()
	require.NoError(t, err)
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		records, err := b.Records(nil)
		require.NoError(t, err)
		for len(records) > 0 {
			_, rest, err := codec.NativeFromBinary(records)
			require.NoError(t, err)
			require.NoError(t, w.Append(records[:len(records)-len(rest)]))
			records = rest
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(path[:len(path)-len(".avro")]+".parquet", out.Bytes(), 0o600))
}

// TestParquetAsAvro joins the same records as Avro, as Parquet of our own writer, of pyarrow and of DuckDB: the same samples.
func TestParquetAsAvro(t *testing.T) {
	python, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	dir := t.TempDir()
	view := recordSchema("row", `view_id "string"`, "ts "+microsType, `item "long"`, `price ["null","double"] null`, `tags {"type":"array","items":"string"}`)
	like := recordSchema("like", `view_id "string"`, "ts "+microsType, `amount "long"`, `kind "string"`, `wide "string"`)
	for file := range 3 {
		var views, likes []string
		for i := range 500 {
			id := file*500 + i
			price := "null"
			if i%3 > 0 {
				price = fmt.Sprintf("%d.5", i)
			}
			views = append(views, fmt.Sprintf(`{"view_id":"v%d","ts":%d,"item":%d,"price":%s,"tags":["a","t%d"]}`, id, 1767225600000000+id*1000_000, id, price, i%7))
			likes = append(likes, fmt.Sprintf(`{"view_id":"v%d","ts":%d,"amount":%d,"kind":%q,"wide":"%0*d"}`, id*2, 1767225600000000+id*2000_000+5000_000, i%5, []string{"like", "other"}[i%4/3], i%50, i))
		}
		writeAvro(t, fmt.Sprintf("%s/views/%d.avro", dir, file), view, 2000, views...)
		writeAvro(t, fmt.Sprintf("%s/likes/%d.avro", dir, file), like, 2000, likes...)
		for _, kind := range []string{"views", "likes"} {
			parquetOf(t, fmt.Sprintf("%s/%s/%d.avro", dir, kind, file))
		}
	}
	cmd := exec.CommandContext(t.Context(), string(python), "-c", `
import os, pyarrow.parquet as pq, duckdb
for kind in "views", "likes":
    for by in "arrow", "duck":
        os.makedirs(by + kind)
    for f in "012":
        t = pq.read_table(f"{kind}/{f}.parquet")
        pq.write_table(t, f"arrow{kind}/{f}.parquet", row_group_size=150)
        duckdb.sql(f"copy (select * from t) to 'duck{kind}/{f}.parquet' (format parquet)")
`)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	run := func(text, out string) ([]row, *report.Report) {
		write(t, dir+"/spec.yaml", text)
		s := loadSpec(t, dir, "out/samples", out)
		rep := join(t, s, Options{})
		return samplesBelow(t, filepath.Join(dir, out)), rep
	}
	want, _ := run(parquetSpec, "out/avro")
	require.Len(t, want, 1500)
	positive := 0
	for _, s := range want {
		if s.Positive {
			positive++
		}
	}
	require.Greater(t, positive, 300)
	for _, by := range []string{"", "arrow", "duck"} {
		got, _ := run(fmt.Sprintf(`
views: {inputs: %sviews/*.parquet, id: view_id, time: ts}
engagements:
  like: {inputs: %slikes/*.parquet, view: view_id, time: ts, window: 1m, label: {sum: amount}, where: {kind: like}}
outputs: {samples: out/samples}
`, by, by), "out/by"+by)
		require.Equal(t, len(want), len(got))
		for i := range want {
			require.Equal(t, want[i], got[i], by)
		}
	}
}

// TestParquetFields: what samples do not hold of their views is not read, and engagements are read as far as the spec names them. The samples
// are those of the same records as Avro.
func TestParquetFields(t *testing.T) {
	dir := t.TempDir()
	view := recordSchema("row", `view_id "string"`, "ts "+stampType, `wide "bytes"`, `rec {"type":"record","name":"rec","fields":[{"name":"pos","type":"long"}]}`)
	like := recordSchema("like", `view_id "string"`, "ts "+stampType, `wide "bytes"`)
	var views, likes []string
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		wide := make([]byte, 300)
		for k := range wide {
			wide[k] = byte('a' + noise.IntN(26))
		}
		views = append(views, fmt.Sprintf(`{"view_id":"v%d","ts":%d,"wide":%q,"rec":{"pos":%d}}`, i, 1767225600000+i*100, wide, i))
		likes = append(likes, fmt.Sprintf(`{"view_id":"v%d","ts":%d,"wide":%q}`, i*3, 1767225600000+i*300+50, wide))
	}
	writeAvro(t, dir+"/views/0.avro", view, 4000, views...)
	writeAvro(t, dir+"/likes/0.avro", like, 4000, likes...)
	parquetOf(t, dir+"/views/0.avro")
	parquetOf(t, dir+"/likes/0.avro")
	write(t, dir+"/spec.yaml", `
views: {inputs: views/*.avro, id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 1m}
sample: {fields: [{pos: rec.pos}], view: none}
outputs: {samples: out/samples}
`)
	join(t, loadSpec(t, dir), Options{})
	rep := join(t, loadSpec(t, dir, ".avro", ".parquet", "out/samples", "out/parquet"), Options{})
	requireSameFiles(t, contents(t, dir+"/out/samples"), contents(t, dir+"/out/parquet"))
	read := int64(0)
	for _, kind := range []string{"views", "likes"} {
		stat, err := os.Stat(dir + "/" + kind + "/0.parquet")
		require.NoError(t, err)
		read += stat.Size()
	}
	require.Greater(t, read, int64(2*2000*150))
	require.Less(t, rep.Accounts.Bytes.In, read/5, "bytes of the columns that are read")
}

// TestParquetRefused: a column that is read and cannot be is a problem with its file and name; one that is not read is none. So is a file
// that is cut off; a row group that is damaged is dead letters.
func TestParquetRefused(t *testing.T) {
	python, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/views", 0o700))
	require.NoError(t, os.MkdirAll(dir+"/likes", 0o700))
	cmd := exec.CommandContext(t.Context(), string(python), "-c", `
import duckdb
duckdb.sql("copy (select 'v' || i as view_id, make_timestamp(1767225600000000 + i * 1000) as ts, i::ubigint as odd from range(10000) r(i)) to 'views/0.parquet' (format parquet, row_group_size 2048)")
duckdb.sql("copy (select 'v' || i as view_id, make_timestamp(1767225601000000 + i * 1000) as ts, i::ubigint as odd, i::ubigint as amount from range(10000) r(i)) to 'likes/0.parquet' (format parquet)")
`)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	write(t, dir+"/spec.yaml", `
views: {inputs: views/*.parquet, id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.parquet, view: view_id, time: ts, window: 1m, label: {sum: amount}}
outputs: {samples: out/samples, dead_letters: out/dead}
`)
	list := refused(t, loadSpec(t, dir))
	require.Len(t, list, 2, "%v", list)
	require.Equal(t, "T1420", list[0].Code)
	require.Contains(t, list[0].Message, "views/0.parquet: column odd: a whole number of 64 bits without a sign")
	require.Equal(t, "T1420", list[1].Code)
	require.Contains(t, list[1].Message, "likes/0.parquet: column amount: ")

	none := []string{", label: {sum: amount}", "", "outputs:", "sample: {fields: [{the_id: view_id}], view: none}\noutputs:"}
	rep := join(t, loadSpec(t, dir, none...), Options{})
	require.EqualValues(t, 10000, rep.Accounts.Views.N[account.Samples])

	content, err := os.ReadFile(dir + "/views/0.parquet")
	require.NoError(t, err)
	for i := range 40 {
		content[60+i] ^= 0xff // in the first column of the first row group
	}
	write(t, dir+"/views/0.parquet", string(content))
	rep = join(t, loadSpec(t, dir, append(none, "out/samples", "out/damaged")...), Options{})
	require.EqualValues(t, 10000-2048, rep.Accounts.Views.N[account.Samples])
	require.Contains(t, lines(t, dir+"/out/dead")[0], "row group at byte 4: ")

	write(t, dir+"/views/0.parquet", string(content[:len(content)-9]))
	list = refused(t, loadSpec(t, dir, append(none, "out/samples", "out/cut")...))
	require.Equal(t, "T2008", list[0].Code)
	require.Contains(t, list[0].Message, "views/0.parquet: not a Parquet file, or cut off")
}

// TestParquetOfAllAges: a number became wider and a column that may be null was added; without a common schema it is a problem.
func TestParquetOfAllAges(t *testing.T) {
	dir := t.TempDir()
	spec := strings.ReplaceAll(strings.Replace(evolvedSpec, "views/*.avro", "views/*.parquet", 1), "likes/*.avro", "likes/*.parquet")
	writeAvro(t, dir+"/views/a.avro", recordSchema("View", `view_id "string"`, "ts "+stampType, `item "int"`), 1000, `{"view_id":"1","ts":1767225600000,"item":7}`)
	writeAvro(t, dir+"/views/b.avro", recordSchema("View", `item "long"`, `view_id "string"`, "ts "+stampType, `more ["null","string"] null`), 1000,
		`{"view_id":"2","ts":1767225601000,"item":8589934592,"more":"x"}`)
	likes(t, dir, "1")
	for _, path := range []string{"/views/a.avro", "/views/b.avro", "/likes/0.avro"} {
		parquetOf(t, dir+path)
	}
	write(t, dir+"/spec.yaml", spec)
	join(t, loadSpec(t, dir), Options{})
	var views []string
	for _, s := range samplesBelow(t, dir+"/out/samples") {
		views = append(views, string(s.View))
	}
	require.Equal(t, []string{`{"item":7,"view_id":"1","ts":1767225600000,"more":null}`, `{"item":8589934592,"view_id":"2","ts":1767225601000,"more":"x"}`}, views)

	writeAvro(t, dir+"/views/c.avro", recordSchema("View", `view_id "string"`, "ts "+stampType, `item "string"`), 1000, `{"view_id":"3","ts":1767225600000,"item":"seven"}`)
	parquetOf(t, dir+"/views/c.avro")
	list := refused(t, loadSpec(t, dir, "out/samples", "out/other"))
	require.Equal(t, "T2005", list[0].Code)
	require.Contains(t, list[0].Message, "a.parquet: incompatible schemas: item: writer has int, reader wants string")
}
