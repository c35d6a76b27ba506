package avro

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/iotest"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// writeFile writes datums to a file in memory.
func writeFile(tb testing.TB, s *Schema, opt WriterOptions, datums [][]byte) []byte {
	tb.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, s, opt)
	require.NoError(tb, err)
	for _, d := range datums {
		require.NoError(tb, w.Append(d))
	}
	require.NoError(tb, w.Close())
	require.Equal(tb, int64(len(datums)), w.Count())
	require.Equal(tb, int64(file.Len()), w.Bytes())
	return file.Bytes()
}

// readAll reads to the end, past damage; it checks that offsets and sizes join up.
func readAll(tb testing.TB, r *Reader, offset int64) (records []byte, count int64, damage []*DamageError) {
	tb.Helper()
	for {
		b, err := r.Next()
		var d *DamageError
		switch {
		case errors.Is(err, io.EOF) && !errors.As(err, &d):
			return records, count, damage
		case errors.As(err, &d):
			require.Equal(tb, offset, d.Offset)
			offset += d.Size
			damage = append(damage, d)
			continue
		}
		require.NoError(tb, err)
		require.Equal(tb, offset, b.Offset)
		offset += b.Size
		out, err := b.Records(records)
		if errors.As(err, &d) {
			require.True(tb, d.AtLeast && d.Count == 0 || d.Count == b.Count, d)
			require.Equal(tb, b.Offset, d.Offset)
			damage = append(damage, d)
			continue
		}
		require.NoError(tb, err)
		records = out
		count += b.Count
	}
}

func joined(datums [][]byte) []byte { return bytes.Join(datums, nil) }

// TestFilesReadByOthers: goavro reads what we write, in every codec it knows. That fastavro
// reads all is shown where samples are written.
func TestFilesReadByOthers(t *testing.T) {
	s, datums := mustParse(t, viewSchema), viewDatums(t, 500)
	codec, err := goavro.NewCodec(viewSchema)
	require.NoError(t, err)
	for _, name := range Codecs {
		t.Run(name, func(t *testing.T) {
			file := writeFile(t, s, WriterOptions{Codec: name, BlockBytes: 8 << 10, Meta: map[string][]byte{"made.by": []byte("us")}}, datums)
			if name == CodecZstandard {
				return // unknown to goavro
			}
			g, err := goavro.NewOCFReader(bytes.NewReader(file))
			require.NoError(t, err)
			assert.Equal(t, []byte("us"), g.MetaData()["made.by"])
			for i, d := range datums {
				require.True(t, g.Scan(), "record %d", i)
				got, err := g.Read()
				require.NoError(t, err)
				again, err := codec.BinaryFromNative(nil, got)
				require.NoError(t, err)
				require.Equal(t, d, again)
			}
			require.False(t, g.Scan())
			require.NoError(t, g.Err())
		})
	}
}

// TestFilesWrittenByOthers: we read what goavro and fastavro write, however the bytes
// arrive.
func TestFilesWrittenByOthers(t *testing.T) {
	datums := viewDatums(t, 500)
	codec, err := goavro.NewCodec(viewSchema)
	require.NoError(t, err)
	check := func(t *testing.T, name string, file []byte) {
		for _, source := range []io.Reader{bytes.NewReader(file), iotest.OneByteReader(bytes.NewReader(file)), iotest.DataErrReader(bytes.NewReader(file))} {
			r, err := NewReader(source)
			require.NoError(t, err)
			assert.Equal(t, name, r.Header().Codec)
			assert.Equal(t, mustParse(t, viewSchema).ID(), r.Header().Schema.ID())
			records, count, damage := readAll(t, r, r.Header().Size)
			require.Empty(t, damage)
			require.Equal(t, int64(len(datums)), count)
			require.True(t, bytes.Equal(joined(datums), records))
			_, err = r.Next()
			require.ErrorIs(t, err, io.EOF)
		}
	}
	for _, name := range Codecs {
		if name == CodecZstandard {
			continue // unknown to goavro
		}
		t.Run("goavro/"+name, func(t *testing.T) {
			var file bytes.Buffer
			w, err := goavro.NewOCFWriter(goavro.OCFConfig{W: &file, Codec: codec, CompressionName: name})
			require.NoError(t, err)
			for i := 0; i < len(datums); i += 50 {
				var natives []any
				for _, d := range datums[i : i+50] {
					native, _, err := codec.NativeFromBinary(d)
					require.NoError(t, err)
					natives = append(natives, native)
				}
				require.NoError(t, w.Append(natives))
			}
			check(t, name, file.Bytes())
		})
	}
}

// TestFilesWrittenByFastavro: in every codec, several blocks each; see testdata/fastavro.
func TestFilesWrittenByFastavro(t *testing.T) {
	for _, name := range Codecs {
		file, err := os.ReadFile("testdata/fastavro/" + name + ".avro")
		require.NoError(t, err)
		r, err := NewReader(iotest.HalfReader(bytes.NewReader(file)))
		require.NoError(t, err)
		assert.Equal(t, name, r.Header().Codec)
		assert.Equal(t, "fastavro", string(r.Header().Meta["made.by"]))
		records, count, damage := readAll(t, r, r.Header().Size)
		require.Empty(t, damage)
		require.EqualValues(t, 40, count)
		p, err := Project(r.Header().Schema, []string{"view_id", "ts"})
		require.NoError(t, err)
		values := make([]record.Value, 2)
		for i := range int64(40) {
			n, err := p.Extract(records, values)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("v%03d", i), string(values[0].Text))
			require.Equal(t, 1_700_000_000_000+i, values[1].Int)
			records = records[n:]
		}
		require.Empty(t, records)
	}
}

// TestWriterIsDeterministic: the same records give the same bytes, and another schema,
// codec or note another sync marker.
func TestWriterIsDeterministic(t *testing.T) {
	s, datums := mustParse(t, viewSchema), viewDatums(t, 3000)
	markers := map[[16]byte]string{}
	note := func(what string, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		require.NoError(t, err)
		require.Empty(t, markers[r.Header().Sync], what)
		markers[r.Header().Sync] = what
	}
	for _, codec := range Codecs {
		opt := WriterOptions{Codec: codec, BlockBytes: 16 << 10, Meta: map[string][]byte{"b": {1}, "a": {2}, "c": {3}}}
		first := writeFile(t, s, opt, datums)
		for range 5 {
			require.True(t, bytes.Equal(first, writeFile(t, s, opt, datums)), codec)
		}
		note(codec, first)
		opt.Meta = nil
		note(codec+" without meta", writeFile(t, s, opt, nil))
	}
	note("another schema", writeFile(t, mustParse(t, nodeSchema), WriterOptions{}, nil))
}

// TestSmallFiles: none, one and few records, in blocks that they just fill.
func TestSmallFiles(t *testing.T) {
	for _, codec := range Codecs {
		for n := range 5 {
			var datums [][]byte
			for i := range n {
				datums = append(datums, varints(int64(i)))
			}
			file := writeFile(t, mustParse(t, `"long"`), WriterOptions{Codec: codec, BlockBytes: 2}, datums)
			r, err := NewReader(bytes.NewReader(file))
			require.NoError(t, err)
			records, count, damage := readAll(t, r, r.Header().Size)
			require.Empty(t, damage)
			assert.Equal(t, int64(n), count)
			assert.Equal(t, string(joined(datums)), string(records))
		}
	}
}

func TestHeader(t *testing.T) {
	file := writeFile(t, mustParse(t, viewSchema), WriterOptions{Meta: map[string][]byte{"x": []byte("y")}}, viewDatums(t, 3))
	r, err := NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	h := r.Header()
	assert.Equal(t, map[string][]byte{"x": []byte("y")}, h.Meta)
	assert.Equal(t, h.Sync[:], file[h.Size-16:h.Size])
	assert.Equal(t, mustParse(t, viewSchema).String(), h.Schema.String())

	// A header in blocks with their sizes, and without a codec, as some writers have it.
	own := []byte(magic)
	entry := append(varints(int64(len(metaSchema))), metaSchema...)
	entry = append(append(entry, varints(6)...), `"long"`...)
	own = append(append(own, varints(-1, int64(len(entry)))...), entry...)
	own = append(own, 0)
	own = append(own, h.Sync[:]...)
	r, err = NewReader(bytes.NewReader(own))
	require.NoError(t, err)
	assert.Equal(t, CodecNull, r.Header().Codec)
	assert.Equal(t, KindLong, r.Header().Schema.Type().Kind)
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)

	for cut := range own {
		_, err := NewReader(bytes.NewReader(own[:cut]))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes", cut)
		require.NotErrorIs(t, err, io.EOF)
	}
}

func TestBadHeaders(t *testing.T) {
	meta := func(codec, schema string) []byte {
		out := []byte(magic)
		out = append(out, varints(2)...)
		for _, text := range []string{metaCodec, codec, metaSchema, schema} {
			out = append(append(out, varints(int64(len(text)))...), text...)
		}
		return append(append(out, 0), make([]byte, 16)...)
	}
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"another format", []byte(`{"a": 1}`), `not an Avro container file: it begins with "{\"a\""`},
		{"bzip2", meta("bzip2", `"long"`), `codec "bzip2" is not supported: it must be one of null, deflate, snappy, zstandard`},
		{"xz", meta("xz", `"long"`), `codec "xz" is not supported`},
		{"no schema", append(append([]byte(magic), 0), make([]byte, 16)...), "the header has no schema"},
		{"bad schema", meta("null", `"strng"`), `unknown type "strng"`},
		{"huge key", append([]byte(magic), varints(1, 1<<40)...), "the header takes more than 16 MiB"},
		{"negative key", append([]byte(magic), varints(1, -4)...), "a length is negative"},
		{"no number", append([]byte(magic), bytes.Repeat([]byte{0xff}, 30)...), "more than 64 bits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewReader(bytes.NewReader(tt.file))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestResumeReader: from every block boundary the rest of the file reads the same.
func TestResumeReader(t *testing.T) {
	file := writeFile(t, mustParse(t, viewSchema), WriterOptions{Codec: CodecSnappy, BlockBytes: 4 << 10}, viewDatums(t, 300))
	r, err := NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	h := r.Header()
	all, _, _ := readAll(t, r, h.Size)
	offset, rest := h.Size, all
	for offset < int64(len(file)) {
		resumed := ResumeReader(h, bytes.NewReader(file[offset:]), offset)
		records, _, damage := readAll(t, resumed, offset)
		require.Empty(t, damage)
		require.True(t, bytes.Equal(rest, records), "from byte %d", offset)
		b, err := ResumeReader(h, bytes.NewReader(file[offset:]), offset).Next()
		require.NoError(t, err)
		plain, err := b.Records(nil)
		require.NoError(t, err)
		rest = rest[len(plain):]
		offset += b.Size
	}
	require.Empty(t, rest)
}

// TestSkippingIsLazy: blocks that are not asked for are not decompressed: even those
// that cannot be are passed.
func TestSkippingIsLazy(t *testing.T) {
	file := container(t, CodecDeflate, rawBlock{5, []byte("no deflate data")}, rawBlock{1, deflated(t, varints(7))})
	r, err := NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	b, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, int64(5), b.Count)
	b, err = r.Next()
	require.NoError(t, err)
	records, err := b.Records([]byte("before"))
	require.NoError(t, err)
	assert.Equal(t, append([]byte("before"), varints(7)...), records)
}

// rawBlock is a block as a test wants it, sound or not.
type rawBlock struct {
	count int64
	data  []byte
}

// container makes a file of longs from blocks.
func container(tb testing.TB, codec string, blocks ...rawBlock) []byte {
	tb.Helper()
	h, err := newHeader(mustParse(tb, `"long"`), codec, nil)
	require.NoError(tb, err)
	file := h.appendHeader(nil)
	for _, b := range blocks {
		file = binary.AppendVarint(file, b.count)
		file = binary.AppendVarint(file, int64(len(b.data)))
		file = append(append(file, b.data...), h.Sync[:]...)
	}
	return file
}

func deflated(tb testing.TB, plain []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 6)
	require.NoError(tb, err)
	_, err = w.Write(plain)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return out.Bytes()
}

// TestEmptyBlocksAreSkipped: a block of no records is legal.
func TestEmptyBlocksAreSkipped(t *testing.T) {
	file := container(t, CodecNull, rawBlock{0, nil}, rawBlock{1, varints(3)}, rawBlock{0, nil})
	r, err := NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	b, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, int64(1), b.Count)
	_, err = r.Next()
	require.Equal(t, io.EOF, err)
}

func ExampleReader() {
	s, _ := ParseSchema(`{"type":"record","name":"View","fields":[{"name":"id","type":"string"}]}`)
	var file bytes.Buffer
	w, _ := NewWriter(&file, s, WriterOptions{Codec: CodecZstandard})
	_ = w.Append([]byte("\x04v1"))
	_ = w.Append([]byte("\x04v2"))
	_ = w.Close()

	r, _ := NewReader(&file)
	for {
		block, err := r.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		records, _ := block.Records(nil)
		fmt.Printf("%d records: %q\n", block.Count, records)
	}
	// Output:
	// 2 records: "\x04v1\x04v2"
	// EOF
}
