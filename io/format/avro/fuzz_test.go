package avro

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// fuzzSchemas have every type; a fuzz target takes one by its first argument, or a
// schema of its own making if that parses.
var fuzzSchemas = []string{
	viewSchema, nodeSchema, everySchema,
	`{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":["null","string",{"type":"map","values":"R"}]}},{"name":"b","type":{"type":"array","items":"null"}}]}`,
}

func fuzzSchema(text string) *Schema {
	if len(text) == 1 {
		text = fuzzSchemas[int(text[0])%len(fuzzSchemas)]
	}
	s, err := ParseSchema(text)
	if err != nil {
		return nil
	}
	return s
}

// FuzzProjection: no bytes and no schema make a Projection panic, hang or run over the
// end; where it ends does not depend on what it reads; and JSON ends there too.
func FuzzProjection(f *testing.F) {
	for i := range fuzzSchemas {
		f.Add(string(rune(i)), bytes.Repeat([]byte{2, 0}, 40))
		f.Add(fuzzSchemas[i], bytes.Repeat([]byte{1, 4, 3}, 40))
	}
	f.Add("\x00", viewDatums(f, 1)[0])
	f.Fuzz(func(t *testing.T, schema string, datum []byte) {
		s := fuzzSchema(schema)
		if s == nil {
			return
		}
		paths := s.Paths()
		skip, err := Project(s, nil)
		require.NoError(t, err)
		read, err := Project(s, paths)
		require.NoError(t, err)
		n, err := skip.Extract(datum, nil)
		values := make([]record.Value, len(paths))
		m, readErr := read.Extract(datum, values)
		if readErr == nil { // which checks more
			require.NoError(t, err)
			require.Equal(t, n, m)
			require.LessOrEqual(t, n, len(datum))
		}
		w, err := NewJSON(s)
		require.NoError(t, err)
		if _, k, err := w.Append(nil, datum); err == nil {
			require.NoError(t, readErr)
			require.Equal(t, n, k)
		}
	})
}

// FuzzContainer: no file makes a Reader panic, hang or lose its place.
func FuzzContainer(f *testing.F) {
	s, datums := mustParse(f, viewSchema), viewDatums(f, 4)
	for _, codec := range Codecs {
		file := writeFile(f, s, WriterOptions{Codec: codec, BlockBytes: 200}, datums)
		f.Add(file)
		f.Add(append(bytes.Clone(file[:len(file)/2]), file[len(file)/2+7:]...))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		r.Limit(Limits{Records: 1 << 20})
		offset := r.Header().Size
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			size := b.Size
			if err != nil {
				var d *DamageError
				require.True(t, errors.As(err, &d), "%v", err)
				require.Equal(t, offset, d.Offset)
				size = d.Size
			} else {
				require.Equal(t, offset, b.Offset)
				if records, err := b.Records(nil); err == nil {
					require.LessOrEqual(t, len(records), 1<<20)
				}
			}
			require.Positive(t, size)
			offset += size
		}
		require.LessOrEqual(t, offset, int64(len(file)))
	})
}

// FuzzResolve: no pair of schemas makes Resolve panic, and what a Resolution writes is
// a record of the reader's schema.
func FuzzResolve(f *testing.F) {
	for _, w := range fuzzSchemas {
		for _, r := range fuzzSchemas {
			f.Add(w, r, bytes.Repeat([]byte{2, 0}, 40))
		}
	}
	f.Add(nodeSchema, `{"type":"record","name":"Node","fields":[{"name":"next","type":["Node","null"]},{"name":"id","type":"double"},{"name":"x","type":"R","default":1}]}`, []byte{2, 2, 4, 0})
	f.Add(rec(`"a":"int","b":"string"`), rec(`"b":"bytes","a":"float"`), []byte{2, 2, 65})
	f.Add(`["null","int",{"type":"enum","name":"E","symbols":["A"]}]`, `["double",{"type":"enum","name":"E","symbols":["B","A"]},"null"]`, []byte{2, 2})
	f.Fuzz(func(t *testing.T, writer, reader string, datum []byte) {
		w, r := fuzzSchema(writer), fuzzSchema(reader)
		if w == nil || r == nil {
			return
		}
		res, err := Resolve(w, r)
		if err != nil {
			return
		}
		out, n, err := res.Append(nil, datum)
		if err != nil {
			return
		}
		require.LessOrEqual(t, n, len(datum))
		whole, err := Project(r, nil)
		require.NoError(t, err)
		size, err := whole.Extract(out, nil)
		require.NoError(t, err)
		require.Equal(t, len(out), size)
	})
}
