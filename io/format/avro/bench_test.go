package avro

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

const viewSchema = `{"type":"record","name":"View","fields":[
	{"name":"view_id","type":"string"},{"name":"user_id","type":"long"},{"name":"post_id","type":"long"},
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"surface","type":"string"},{"name":"pos","type":"int"},
	{"name":"features","type":{"type":"array","items":"float"}}]}`

// viewDatums makes n views like those of the project's other measurements: about 115
// bytes each, 16 features of two decimals, Zipf-distributed users and posts.
func viewDatums(tb testing.TB, n int) [][]byte {
	tb.Helper()
	codec, err := goavro.NewCodec(viewSchema)
	require.NoError(tb, err)
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.1, 10, 1_000_000)
	surfaces := []string{"home", "video", "profile", "search"}
	out := make([][]byte, n)
	for i := range out {
		features := make([]any, 16)
		for j := range features {
			features[j] = float32(math.Round(r.Float64()*100) / 100)
		}
		out[i], err = codec.BinaryFromNative(nil, map[string]any{
			"view_id": fmt.Sprintf("%08x-%012d", r.Uint32(), i),
			"user_id": int64(z.Uint64()), "post_id": int64(z.Uint64()),
			"ts":      time.UnixMilli(1_700_000_000_000 + int64(i)),
			"surface": surfaces[r.IntN(4)], "pos": r.IntN(50), "features": features,
		})
		require.NoError(tb, err)
	}
	return out
}

// BenchmarkProjection compares ways to read view_id and ts of a view; an operation is
// one record.
func BenchmarkProjection(b *testing.B) {
	datums := viewDatums(b, 1000)
	b.Run("ours", func(b *testing.B) {
		s := mustParse(b, viewSchema)
		p, err := Project(s, []string{"view_id", "ts"})
		require.NoError(b, err)
		values := make([]record.Value, 2)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := p.Extract(datums[i%len(datums)], values); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("checked", func(b *testing.B) {
		p, err := ProjectChecked(mustParse(b, viewSchema), []string{"view_id", "ts"})
		require.NoError(b, err)
		values := make([]record.Value, 2)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := p.Extract(datums[i%len(datums)], values); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("goavro", func(b *testing.B) {
		codec, err := goavro.NewCodec(viewSchema)
		require.NoError(b, err)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, _, err := codec.NativeFromBinary(datums[i%len(datums)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWrite compares writing a file; an operation is 10 000 views. We are given
// encoded records, which is what the join has; goavro takes nothing but values.
func BenchmarkWrite(b *testing.B) {
	datums := viewDatums(b, 10_000)
	total := 0
	for _, d := range datums {
		total += len(d)
	}
	s := mustParse(b, viewSchema)
	for _, codec := range Codecs {
		b.Run("ours/"+codec, func(b *testing.B) {
			b.SetBytes(int64(total))
			for b.Loop() {
				w, err := NewWriter(io.Discard, s, WriterOptions{Codec: codec})
				require.NoError(b, err)
				for _, d := range datums {
					if err := w.Append(d); err != nil {
						b.Fatal(err)
					}
				}
				require.NoError(b, w.Close())
				b.ReportMetric(float64(total)/float64(w.Bytes()), "ratio")
			}
		})
		if codec == CodecZstandard {
			continue // goavro cannot
		}
		b.Run("goavro/"+codec, func(b *testing.B) {
			c, err := goavro.NewCodec(viewSchema)
			require.NoError(b, err)
			natives := make([]any, len(datums))
			for i, d := range datums {
				natives[i], _, err = c.NativeFromBinary(d)
				require.NoError(b, err)
			}
			b.SetBytes(int64(total))
			for b.Loop() {
				w, err := goavro.NewOCFWriter(goavro.OCFConfig{W: io.Discard, Codec: c, CompressionName: codec})
				require.NoError(b, err)
				for i := 0; i < len(natives); i += 2000 {
					require.NoError(b, w.Append(natives[i:i+2000]))
				}
			}
		})
	}
}

// BenchmarkResolve compares rewriting a view for a reader with one field more, one less
// and a wider one; an operation is one record. goavro does not resolve: it decodes and encodes.
func BenchmarkResolve(b *testing.B) {
	const evolved = `{"type":"record","name":"View","fields":[
		{"name":"view_id","type":"string"},{"name":"user_id","type":"long"},{"name":"post_id","type":"long"},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"pos","type":"double"},{"name":"country","type":"string","default":""},
		{"name":"features","type":{"type":"array","items":"float"}}]}`
	datums := viewDatums(b, 1000)
	b.Run("ours", func(b *testing.B) {
		r, err := Resolve(mustParse(b, viewSchema), mustParse(b, evolved))
		require.NoError(b, err)
		var out []byte
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if out, _, err = r.Append(out[:0], datums[i%len(datums)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("goavro", func(b *testing.B) {
		writer, err := goavro.NewCodec(viewSchema)
		require.NoError(b, err)
		reader, err := goavro.NewCodec(evolved)
		require.NoError(b, err)
		var out []byte
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			native, _, err := writer.NativeFromBinary(datums[i%len(datums)])
			if err != nil {
				b.Fatal(err)
			}
			native.(map[string]any)["country"] = ""
			if out, err = reader.BinaryFromNative(out[:0], native); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkJSON compares writing a view as JSON; an operation is one record.
func BenchmarkJSON(b *testing.B) {
	datums := viewDatums(b, 1000)
	s := mustParse(b, viewSchema)
	var out []byte
	b.Run("ours", func(b *testing.B) {
		w, err := NewJSON(s)
		require.NoError(b, err)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if out, _, err = w.Append(out[:0], datums[i%len(datums)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("goavro", func(b *testing.B) {
		codec, err := s.Codec()
		require.NoError(b, err)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			native, _, err := codec.NativeFromBinary(datums[i%len(datums)])
			if err != nil {
				b.Fatal(err)
			}
			if out, err = codec.TextualFromNative(out[:0], native); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRead compares reading a file of 10 000 views and the fields view_id and ts
// of each; goavro decodes all.
func BenchmarkRead(b *testing.B) {
	datums := viewDatums(b, 10_000)
	s := mustParse(b, viewSchema)
	p, err := Project(s, []string{"view_id", "ts"})
	require.NoError(b, err)
	for _, codec := range Codecs {
		var file bytes.Buffer
		w, err := NewWriter(&file, s, WriterOptions{Codec: codec})
		require.NoError(b, err)
		for _, d := range datums {
			require.NoError(b, w.Append(d))
		}
		require.NoError(b, w.Close())
		b.Run("ours/"+codec, func(b *testing.B) {
			b.SetBytes(int64(file.Len()))
			var records []byte
			values := make([]record.Value, 2)
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(file.Bytes()))
				require.NoError(b, err)
				seen := 0
				for {
					block, err := r.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					require.NoError(b, err)
					records, err = block.Records(records[:0])
					require.NoError(b, err)
					for rest := records; len(rest) > 0; seen++ {
						n, err := p.Extract(rest, values)
						if err != nil {
							b.Fatal(err)
						}
						rest = rest[n:]
					}
				}
				require.Equal(b, len(datums), seen)
			}
		})
		if codec == CodecZstandard {
			continue // goavro cannot
		}
		b.Run("goavro/"+codec, func(b *testing.B) {
			b.SetBytes(int64(file.Len()))
			for b.Loop() {
				r, err := goavro.NewOCFReader(bytes.NewReader(file.Bytes()))
				require.NoError(b, err)
				seen := 0
				for ; r.Scan(); seen++ {
					if _, err := r.Read(); err != nil {
						b.Fatal(err)
					}
				}
				require.Equal(b, len(datums), seen)
			}
		})
	}
}
