package avro

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEachRow: what goavro tells of the records of a file is what a JSONWriter tells, in order.
func TestEachRow(t *testing.T) {
	s, datums := mustParse(t, viewSchema), viewDatums(t, 300)
	file := writeFile(t, s, WriterOptions{Codec: CodecZstandard, BlockBytes: 4 << 10}, datums)
	seen := 0
	got, err := EachRow(bytes.NewReader(file), func(record []byte, row json.RawMessage) error {
		require.Equal(t, datums[seen], record)
		require.JSONEq(t, jsonOf(t, s, record), string(row))
		seen++
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, s.ID(), got.ID())
	require.Len(t, datums, seen)

	enough := errors.New("enough")
	_, err = EachRow(bytes.NewReader(file), func([]byte, struct{}) error { return enough })
	require.ErrorIs(t, err, enough)
	_, err = EachRow(bytes.NewReader(file), func([]byte, []string) error { return nil })
	require.ErrorContains(t, err, "json: cannot unmarshal object")
	seen = 0
	_, err = EachRecord(bytes.NewReader(file), func(record, text []byte) error {
		require.Equal(t, datums[seen], record)
		require.Equal(t, jsonOf(t, s, record), string(text))
		seen++
		return nil
	})
	require.NoError(t, err)
	require.Len(t, datums, seen)

	file[len(file)/2] ^= 0xff
	_, err = EachRow(bytes.NewReader(file), func([]byte, struct{}) error { return nil })
	require.Error(t, err)
	seen = 0
	got, err = EachRecord(bytes.NewReader(file), func(_, _ []byte) error {
		seen++
		return nil
	})
	require.Error(t, err)
	require.Equal(t, s.ID(), got.ID())
	require.Greater(t, seen, 10, "those before the damage")
}
