package jsontext

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/io/record"
)

// benchRecords are views of about 160 bytes as JSON lines, and the same as CSV.
func benchRecords(csv bool) []byte {
	var text bytes.Buffer
	if csv {
		text.WriteString("view_id,user_id,ts,item,score,title\n")
	}
	for i := range 20_000 {
		if csv {
			fmt.Fprintf(&text, "v%09d,%d,%d,item-%d,%f,\"A title, with \"\"quotes\"\" %d\"\n", i, i*7, 1767225600000+int64(i), i%100, float64(i)/7, i)
		} else {
			fmt.Fprintf(&text, `{"view_id":"v%09d","user":{"id":%d,"country":"de"},"ts":%d,"item":"item-%d","score":%f,"title":"A title with \"quotes\" %d"}`+"\n",
				i, i*7, 1767225600000+int64(i), i%100, float64(i)/7, i)
		}
	}
	return text.Bytes()
}

func benchLines() [][]byte { return bytes.Split(bytes.TrimSpace(benchRecords(false)), []byte("\n")) }

// BenchmarkValid compares our check of a line with gjson's, which is faster, but looks
// neither for UTF-8 nor at the depth: 16 MiB of "[" exhaust its stack.
func BenchmarkValid(b *testing.B) {
	lines := benchLines()
	for name, valid := range map[string]func([]byte) bool{
		"ours":  func(line []byte) bool { return CheckObject(line) == nil },
		"gjson": gjson.ValidBytes,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(lines[0])))
			for i := 0; b.Loop(); i++ {
				if !valid(lines[i%len(lines)]) {
					b.Fatal("not valid")
				}
			}
		})
	}
}

// BenchmarkExtractor compares one walk for all paths, which also checks the record,
// with gjson looking for each.
func BenchmarkExtractor(b *testing.B) {
	lines := benchLines()
	for _, paths := range [][]string{{"view_id", "ts"}, {"view_id", "user.id", "ts", "item", "score"}} {
		name := strconv.Itoa(len(paths))
		b.Run("ours/"+name, func(b *testing.B) {
			e, values := NewExtractor(paths), make([]record.Value, len(paths))
			b.SetBytes(int64(len(lines[0])))
			for i := 0; b.Loop(); i++ {
				if _, err := e.Extract(lines[i%len(lines)], values); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("gjson/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(lines[0])))
			for i := 0; b.Loop(); i++ {
				for _, path := range paths {
					if !gjson.GetBytes(lines[i%len(lines)], path).Exists() {
						b.Fatal("absent")
					}
				}
			}
		})
	}
}

// BenchmarkEncoder compares ways from JSON to Avro; an operation is one record.
func BenchmarkEncoder(b *testing.B) {
	lines := benchLines()
	schema := `{"type":"record","name":"view","fields":[{"name":"view_id","type":"string"},
		{"name":"user","type":{"type":"record","name":"user","fields":[{"name":"id","type":"long"},{"name":"country","type":["null","string"]}]}},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"item","type":"string"},
		{"name":"score","type":"double"},{"name":"title","type":"string"}]}`
	var out []byte
	b.Run("ours", func(b *testing.B) {
		e := encoder(b, schema, false)
		b.SetBytes(int64(len(lines[0])))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			var err error
			if out, err = e.Append(out[:0], lines[i%len(lines)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("goavro", func(b *testing.B) {
		codec, err := goavro.NewCodecForStandardJSON(schema)
		require.NoError(b, err)
		b.SetBytes(int64(len(lines[0])))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			native, _, err := codec.NativeFromTextual(lines[i%len(lines)])
			if err != nil {
				b.Fatal(err)
			}
			if out, err = codec.BinaryFromNative(out[:0], native); err != nil {
				b.Fatal(err)
			}
		}
	})
}
