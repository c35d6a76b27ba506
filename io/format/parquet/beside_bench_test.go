package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/runners/devcluster/services"
)

// besideColumns is how many columns the file has that both read and write, besideRows how many rows: some 20 MB.
const (
	besideColumns = 24
	besideRows    = 200_000
)

// besideSchema has columns of longs, doubles, text of few and of many values, booleans and times, a third of which may be null.
func besideSchema() string {
	var fields []string
	for i := range besideColumns {
		typ := []string{`"long"`, `"double"`, `["null","string"]`, `"string"`, `["null","long"]`, `{"type":"long","logicalType":"timestamp-millis"}`}[i%6]
		fields = append(fields, fmt.Sprintf(`{"name":"c%02d","type":%s}`, i, typ))
	}
	return `{"type":"record","name":"row","fields":[` + strings.Join(fields, ",") + `]}`
}

// besideRecords are rows of that schema, encoded as Avro.
func besideRecords() (records [][]byte) {
	random := rand.New(rand.NewPCG(5, 6))
	optional := func(dst []byte, value func(dst []byte) []byte) []byte {
		if random.IntN(10) == 0 {
			return append(dst, 0)
		}
		return value(append(dst, 2))
	}
	for i := range int64(besideRows) {
		var row []byte
		for column := range besideColumns {
			switch column % 6 {
			case 0:
				row = binary.AppendVarint(row, random.Int64N(1_000_000))
			case 1:
				row = binary.LittleEndian.AppendUint64(row, math.Float64bits(random.Float64()*100))
			case 2:
				row = optional(row, func(dst []byte) []byte {
					return appendBytes(dst, strconv.AppendInt([]byte("group-"), random.Int64N(50), 10))
				})
			case 3:
				row = appendBytes(row, strconv.AppendInt([]byte("id-"), i*31+int64(column), 36))
			case 4:
				row = optional(row, func(dst []byte) []byte { return binary.AppendVarint(dst, random.Int64N(100)) })
			case 5:
				row = binary.AppendVarint(row, 1_767_225_600_000+i*7)
			}
		}
		records = append(records, row)
	}
	return records
}

// pyarrowSeconds has pyarrow read columns of a file, or write it anew, with one thread, and print how long one time takes: the median of seven.
const pyarrowSeconds = `
import sys, time, statistics, pyarrow as pa, pyarrow.parquet as pq
path, what, columns = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
pa.set_cpu_count(1)
table = pq.read_table(path)
def once():
    if what == "write":
        pq.write_table(table, path + ".pyarrow", compression="zstd")
    else:
        assert pq.read_table(path, columns=columns, use_threads=False).num_columns == len(columns)
took = []
for _ in range(8):
    begin = time.perf_counter()
    once()
    took.append(time.perf_counter() - begin)
print(statistics.median(took[1:]))
`

// BenchmarkBesidePyarrow reads all and two of the columns of a file, and writes it, as pyarrow does with one thread in the same run. Mvalues/s are columns of a
// million rows a second. What we read comes out as rows in Avro, and what we write comes so; pyarrow has columns on both sides.
func BenchmarkBesidePyarrow(b *testing.B) {
	python, err := services.Service{Name: "readers", Data: b.TempDir(), Log: os.Stderr}.Start(b.Context())
	require.NoError(b, err)
	records, path := besideRecords(), filepath.Join(b.TempDir(), "f.parquet")
	writeAll := func(out io.Writer) error {
		w, err := files{}.Write(out, format.WriteOptions{Codec: codecZstd, Schema: besideSchema()})
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := w.Append(r); err != nil {
				return err
			}
		}
		return w.Close()
	}
	var content bytes.Buffer
	require.NoError(b, writeAll(&content))
	require.NoError(b, os.WriteFile(path, content.Bytes(), 0o600))
	beside := func(b *testing.B, what string, columns []string, once func() error) {
		for b.Loop() {
			if err := once(); err != nil {
				b.Fatal(err)
			}
		}
		ours := b.Elapsed().Seconds() / float64(b.N)
		out, err := exec.CommandContext(b.Context(), string(python), "-c", pyarrowSeconds, path, what, strings.Join(columns, ",")).Output()
		require.NoError(b, err)
		theirs, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		require.NoError(b, err)
		values := float64(len(columns)*besideRows) / 1e6
		b.ReportMetric(values/ours, "Mvalues/s")
		b.ReportMetric(values/theirs, "pyarrow-Mvalues/s")
		b.ReportMetric(theirs/ours, "of-pyarrow")
		if what == "write" || len(columns) == besideColumns {
			b.ReportMetric(float64(content.Len())/1e6/ours, "MB/s")
		}
	}
	var names []string
	for i := range besideColumns {
		names = append(names, fmt.Sprintf("c%02d", i))
	}
	for _, columns := range [][]string{names, {"c00", "c03"}} {
		b.Run(fmt.Sprintf("read %d of %d columns", len(columns), besideColumns), func(b *testing.B) {
			beside(b, "read", columns, func() error { return readColumns(path, columns) })
		})
	}
	b.Run(fmt.Sprintf("write %d columns", besideColumns), func(b *testing.B) {
		beside(b, "write", names, func() error {
			out, err := os.Create(path + ".ours")
			if err != nil {
				return err
			}
			return errors.Join(writeAll(out), out.Close())
		})
	})
}

// readColumns reads columns of all records of a file. The error says that there are not as many as there should be.
func readColumns(path string, columns []string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f := &format.File{Path: path, Size: info.Size(), Fields: columns, Open: func(offset int64) (io.ReadCloser, error) {
		in, err := os.Open(path)
		if err == nil {
			_, err = in.Seek(offset, io.SeekStart)
		}
		return in, err
	}}
	head, err := files{}.Head(f)
	if err != nil {
		return err
	}
	chunks, err := files{}.Chunks(f, head, format.Place{})
	if err != nil {
		return err
	}
	count := int64(0)
	var room []byte
	for {
		chunk, err := chunks.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			room, err = chunk.Records(room[:0])
		}
		if err != nil {
			return errors.Join(err, chunks.Close())
		}
		count += chunk.Count
	}
	if count != besideRows {
		return fmt.Errorf("%d records, not %d", count, besideRows)
	}
	return chunks.Close()
}
