package batch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/reading/readback"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
)

// TestSamplesAsParquet: the samples of a join as Parquet are those as Avro, row by row, as fastavro, pyarrow and DuckDB
// read them, in each codec; a second join writes the same bytes.
func TestSamplesAsParquet(t *testing.T) {
	c := generate.Default()
	c.Views, c.Partitions = 1000, 2
	dir, _ := made(t, c)
	asAvro := t.TempDir()
	join(t, to(loadSpec(t, dir), asAvro), Options{})
	for _, codec := range []string{"", ", codec: zstd", ", codec: snappy", ", codec: uncompressed"} {
		s := loadSpec(t, dir, "samples: out/samples", "samples: {path: out/samples, format: parquet"+codec+"}")
		out := t.TempDir()
		join(t, to(s, out), Options{})
		require.Equal(t, "1000 samples are equal\n", readback.Python(t, sameRows, nil, asAvro+"/samples", out+"/samples"), codec)
		require.Equal(t, contents(t, out+"/samples"), joinedSamples(t, to(s, t.TempDir())))
	}
}

// TestShapesAsParquet: so are samples whose columns are fields of the view, with the view or without.
func TestShapesAsParquet(t *testing.T) {
	c := generate.Default()
	c.Views, c.Partitions = 1000, 2
	dir, _ := made(t, c)
	for _, shape := range []string{"view: flat", "view: none, fields: [{user: user_id}, features]", "fields: [{user: user_id}, features]"} {
		asAvro, out := t.TempDir(), t.TempDir()
		shape = "sample: {" + shape + "}\noutputs:"
		join(t, to(loadSpec(t, dir, "outputs:", shape), asAvro), Options{})
		join(t, to(loadSpec(t, dir, "outputs:", shape, "samples: out/samples", "samples: {path: out/samples, format: parquet}"), out), Options{})
		require.Equal(t, "1000 samples are equal\n", readback.Python(t, sameRows, nil, asAvro+"/samples", out+"/samples"), shape)
	}
}

// TestCastsAsParquet: fields of JSON views without a schema can be columns of Parquet if they have types.
func TestCastsAsParquet(t *testing.T) {
	dir := shapeFiles(t)
	shape := "sample: {view: none, fields: [{cost: {field: price, type: double}}, {id: {field: user.id, type: long}}, {either: {field: user.either, type: string}}]}"
	asAvro, asParquet := shapeSpec(t, dir, "views.jsonl", shape), shapeSpec(t, dir, "views.jsonl", shape)
	join(t, asAvro, Options{})
	asParquet.Outputs.Samples.Format, asParquet.Outputs.Samples.Codec = spec.Format("parquet"), "zstd"
	join(t, asParquet, Options{})
	require.Equal(t, "60 samples are equal\n", readback.Python(t, sameRows, nil, asAvro.Outputs.Samples.Path, asParquet.Outputs.Samples.Path))

	untyped := shapeSpec(t, dir, "views.jsonl", "sample: {view: none, fields: [price]}")
	untyped.Outputs.Samples.Format, untyped.Outputs.Samples.Codec = spec.Format("parquet"), "zstd"
	_, err := Run(t.Context(), untyped, Options{})
	require.ErrorContains(t, err, "price")
}

func joinedSamples(t *testing.T, s *spec.Spec) map[string]string {
	join(t, s, Options{})
	return contents(t, s.Outputs.Samples.Path)
}

const sameRows = `
import glob, sys, datetime, fastavro, duckdb, pyarrow.parquet as pq
avro, parquet = sys.argv[1:]
files = sorted(glob.glob(avro + "/**/*.avro", recursive=True))
others = sorted(glob.glob(parquet + "/**/*.parquet", recursive=True))
assert files and [f[len(avro):-5] for f in files] == [f[len(parquet):-8] for f in others], (files, others)
def plain(v):
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list):
        if v and all(isinstance(x, tuple) for x in v): return plain(dict(v))
        return [plain(x) for x in v]
    if isinstance(v, datetime.datetime) and v.tzinfo: return v.astimezone(datetime.timezone.utc)
    return v
n = 0
db = duckdb.connect()
db.execute("set timezone = 'UTC'")
for a, p in zip(files, others):
    with open(a, "rb") as f: want = [plain(r) for r in fastavro.reader(f)]
    got = [plain(r) for r in pq.ParquetFile(p).read().to_pylist()]
    assert list(got[0]) == list(want[0]), (list(got[0]), list(want[0]))
    assert got == want, next((g, w) for g, w in zip(got, want) if g != w)
    rows = db.execute("select view_id, positive from read_parquet('" + p + "')").fetchall()
    assert rows == [(w["view_id"], w["positive"]) for w in want]
    n += len(want)
print(n, "samples are equal")
`

// TestSamplesNotAsParquet: samples for which Parquet has no columns are refused before anything is written.
func TestSamplesNotAsParquet(t *testing.T) {
	dir := t.TempDir()
	schema := strings.Replace(viewSchema, `["null","string"]`, `["null","string","long"]`, 1)
	newShop(9).write(t, dir, "jsonl")
	write(t, dir+"/view.avsc", schema)
	s := shopSpec(t, dir, "jsonl", ", schema: view.avsc", ", schema: like.avsc")
	s.Outputs.Samples.Format, s.Outputs.Samples.Codec = "parquet", "zstd"
	_, err := Run(t.Context(), s, Options{})
	require.ErrorContains(t, err, "outputs.samples: format: the samples cannot be written as parquet")
	require.ErrorContains(t, err, "view.note: Parquet has no column for a union of null, string, long: it may be of null and one other type")
	require.NoDirExists(t, s.Outputs.Samples.Path)
}
