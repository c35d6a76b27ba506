package batch

import (
	"bytes"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/reading/readback"
	"tributary/transforms/account"
)

// hostileAvro is an Avro file by another writer, with what JSON lines cannot hold.
func hostileAvro(t *testing.T, path, idType string, ids []any) {
	t.Helper()
	codec, err := goavro.NewCodec(`{"type": "record", "name": "v", "fields": [
		{"name": "id", "type": ` + idType + `},
		{"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}},
		{"name": "note", "type": "string"},
		{"name": "raw", "type": "bytes"},
		{"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}},
		{"name": "score", "type": "float"}
	]}`)
	require.NoError(t, err)
	var file bytes.Buffer
	w, err := goavro.NewOCFWriter(goavro.OCFConfig{W: &file, Codec: codec})
	require.NoError(t, err)
	for i, id := range ids {
		text := "\xff\x00 \xed\xa0\x80"
		if i%2 == 1 {
			text = "sound"
		}
		record := map[string]any{
			"id": id, "ts": int64(1_767_261_600_000_000 + i*1_000_000), "note": text, "raw": []byte(text), "price": big.NewRat(int64(i)*100+5, 100), "score": float32(i) / 10,
		}
		require.NoError(t, w.Append([]any{record}))
	}
	write(t, path, file.String())
}

func TestOthersReadSamplesOfHostileAvro(t *testing.T) {
	sixteen := func(b byte) []byte { return bytes.Repeat([]byte{b}, 16) }
	for _, c := range []struct {
		name, idType string
		ids          []any
	}{
		{"strings", `"string"`, []any{"a", "b\x00", "\xff", "c\xed\xa0\x80", strings.Repeat("x", 100_000), "d"}},
		{"bytes", `"bytes"`, []any{[]byte("a"), []byte{0xff, 0}, []byte{}, sixteen(0xfe)}},
		{"fixed", `{"type": "fixed", "name": "f", "size": 16}`, []any{sixteen(0), sixteen(0xff), sixteen('a')}},
		{"uuids", `{"type": "fixed", "name": "f", "size": 16, "logicalType": "uuid"}`, []any{sixteen(0), sixteen(0xff), sixteen('a')}},
		{"longs", `"long"`, []any{int64(-1 << 63), int64(1<<63 - 1), int64(0)}},
		{"decimals", `{"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}`, []any{big.NewRat(1234, 100), big.NewRat(5, 1), big.NewRat(0, 1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			hostileAvro(t, filepath.Join(dir, "v.avro"), c.idType, c.ids)
			hostileAvro(t, filepath.Join(dir, "likes.avro"), c.idType, c.ids)
			text := `
views: {inputs: v.avro, id: id, time: ts}
engagements:
`
			for i, label := range []string{"first: note", "last: raw", "first: price", "sum: score"} {
				text += fmt.Sprintf("  k%d: {inputs: likes.avro, view: id, time: ts, window: 30m, label: {%s}}\n", i, label)
			}
			r := join(t, parse(t, dir, text+"outputs: {samples: out}\n"), Options{})
			assert.Equal(t, int(r.Accounts.Views.N[account.Samples]), readback.Check(t, filepath.Join(dir, "out")))
		})
	}
}
