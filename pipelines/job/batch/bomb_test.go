package batch

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/iotest"
	enemy "tributary/pipelines/sim/generate/hostile"
	"tributary/transforms/account"
)

// filler writes so many bytes of one kind.
func filler(t *testing.T, w io.Writer, b byte, n int) {
	t.Helper()
	chunk := bytes.Repeat([]byte{b}, 1<<20)
	for ; n > 0; n -= len(chunk) {
		_, err := w.Write(chunk[:min(n, len(chunk))])
		require.NoError(t, err)
	}
}

// TestDecompressionBombs: what unpacks to hundreds of times its size is a dead letter with its
// place, without being held in memory, and what stands around it is read.
func TestDecompressionBombs(t *testing.T) {
	const large = 300 << 20
	good := func(f enemy.Format, i int) []byte {
		return enemy.Good(f, 0, "g"+string(rune('0'+i)), timeOf(begin).Add(time.Duration(i)*time.Second))
	}
	zipped := func(ending string, f enemy.Format, header, open, end string) string {
		var out bytes.Buffer
		w := iotest.Packer(t, ending, &out)
		text := func(parts ...string) {
			_, err := w.Write([]byte(strings.Join(parts, "")))
			require.NoError(t, err)
		}
		text(header, string(good(f, 0)), "\n", open)
		filler(t, w, 'x', large)
		text(end, "\n", string(good(f, 1)), "\n")
		require.NoError(t, w.Close())
		return out.String()
	}
	container := func() string {
		schema, err := avro.ParseSchema(enemy.Schema)
		require.NoError(t, err)
		var out bytes.Buffer
		w, err := avro.NewWriter(&out, schema, avro.WriterOptions{BlockBytes: 1, Codec: avro.CodecDeflate})
		require.NoError(t, err)
		for _, datum := range [][]byte{good(enemy.Avro, 0), make([]byte, large), good(enemy.Avro, 1)} {
			require.NoError(t, w.Append(datum))
		}
		require.NoError(t, w.Close())
		return out.String()
	}
	for _, test := range []struct {
		name, ending, content, place, detail string
	}{
		{"JSON", "jsonl.gz", zipped("jsonl.gz", enemy.JSON, "", `{"id":"`, `"}`), `"offset":1,`, "line 2: record is longer than 16777216 bytes"},
		{"JSON", "jsonl.zst", zipped("jsonl.zst", enemy.JSON, "", `{"id":"`, `"}`), `"offset":1,`, "line 2: record is longer than 16777216 bytes"},
		{"CSV", "csv.lz4", zipped("csv.lz4", enemy.CSV, enemy.Header, `"`, `",1,,,`), `"offset":1,`, "line 3: record is longer than 16777216 bytes"},
		{"CSV", "csv.gz", zipped("csv.gz", enemy.CSV, enemy.Header, `"`, `",1,,,`), `"offset":1,`, "line 3: record is longer than 16777216 bytes"},
		{"Avro", "avro", container(), `"offset":1`, "its records are larger than the limit"},
	} {
		t.Run(test.ending, func(t *testing.T) {
			require.Less(t, len(test.content), 2<<20)
			dir := t.TempDir()
			write(t, dir+"/views/a."+test.ending, test.content)
			format := enemy.Format(strings.ToLower(test.name))
			write(t, dir+"/likes/a."+test.ending, enemyFile(t, format, test.ending, nil))
			text := strings.NewReplacer("ENDING", test.ending, "ORDER", "file", "FORMAT", "json").Replace(enemySpec)
			s := parse(t, dir, text)
			r := join(t, s, Options{})
			require.EqualValues(t, 2, r.Accounts.Views.N[account.Samples])
			require.EqualValues(t, 1, r.Accounts.Views.N[account.Dead])
			dead := lines(t, s.Outputs.DeadLetters)
			require.Len(t, dead, 1)
			require.Contains(t, dead[0], test.detail)
			require.Contains(t, dead[0], test.place)
			require.Less(t, len(dead[0]), 2<<20)
		})
	}
}

// TestViewsOfOddValues: what Avro holds and JSON does not, in views of samples in every format.
func TestViewsOfOddValues(t *testing.T) {
	const schema = `{"type":"record","name":"V","fields":[{"name":"id","type":"string"},{"name":"t","type":"long"},{"name":"x","type":"double"},{"name":"y","type":"float"},{"name":"z","type":"bytes"}]}`
	parsed, err := avro.ParseSchema(schema)
	require.NoError(t, err)
	for _, format := range []string{"json", "avro"} {
		dir := t.TempDir()
		var out bytes.Buffer
		w, err := avro.NewWriter(&out, parsed, avro.WriterOptions{})
		require.NoError(t, err)
		for i, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)} {
			require.NoError(t, w.Append(oddView(i, x)))
		}
		require.NoError(t, w.Close())
		write(t, dir+"/views/a.avro", out.String())
		require.NoError(t, os.MkdirAll(dir+"/likes", 0o755))
		write(t, dir+"/likes/a.jsonl", "")
		s := parse(t, dir, strings.NewReplacer("likes/*.ENDING", "likes/*.jsonl", "ENDING", "avro", "ORDER", "file", "FORMAT", format).Replace(enemySpec))
		r := join(t, s, Options{})
		require.EqualValues(t, 6, r.Accounts.Views.N[account.Samples])
		require.Len(t, rowsBelow(t, s.Outputs.Samples.Path, format), 6)
	}
}

// oddView is a view of that schema.
func oddView(i int, x float64) []byte {
	datum := append([]byte{2}, byte('a'+i))
	datum = binary.AppendVarint(datum, begin+int64(i))
	datum = binary.LittleEndian.AppendUint64(datum, math.Float64bits(x))
	datum = binary.LittleEndian.AppendUint32(datum, math.Float32bits(float32(x)))
	return append(datum, 4, 0xff, 0)
}
