package source

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/format/avro"
	"tributary/io/record"
)

// TestTimeOfOlderRecords: the time is found by the name that an older schema has for it.
func TestTimeOfOlderRecords(t *testing.T) {
	older, err := avro.ParseSchema(`{"type":"record","name":"V","fields":[{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}]}`)
	require.NoError(t, err)
	at, err := newTimeOf(older, Field{Path: "ts", Others: []string{"when", "at"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, at.of([]byte{0xd0, 0x0f}, &kgo.Record{})) // 1000 us
	require.Equal(t, int64(record.NoTime), at.of(nil, &kgo.Record{}))
	_, err = newTimeOf(older, Field{Path: "ts"})
	require.ErrorContains(t, err, `no field "ts"`)
}

// TestTimeOfAnyForm: the time that a reader moves by is the one that the join reads, by patterns, zones and local timestamps.
func TestTimeOfAnyForm(t *testing.T) {
	noon := time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	at, _, err := newTimeOfText(Field{Path: "at", Pattern: "%d/%m/%Y %H:%M", Zone: "Europe/Berlin"})
	require.NoError(t, err)
	require.Equal(t, noon, at.of([]byte(`{"at":"01/07/2026 14:00"}`), &kgo.Record{}))
	require.Equal(t, int64(record.NoTime), at.of([]byte(`{"at":"2026-07-01T12:00:00Z"}`), &kgo.Record{}))
	at, _, err = newTimeOfText(Field{Path: "at", Zone: "+02:00"})
	require.NoError(t, err)
	require.Equal(t, noon, at.of([]byte(`{"at":"2026-07-01 14:00"}`), &kgo.Record{}))
	schema, err := avro.ParseSchema(`{"type":"record","name":"V","fields":[{"name":"at","type":{"type":"long","logicalType":"local-timestamp-millis"}}]}`)
	require.NoError(t, err)
	at, err = newTimeOf(schema, Field{Path: "at", Zone: "Europe/Berlin"})
	require.NoError(t, err)
	require.Equal(t, noon, at.of(binary.AppendVarint(nil, noon+7_200_000), &kgo.Record{}))
	_, _, err = newTimeOfText(Field{Path: "at", Pattern: "%Q"})
	require.ErrorContains(t, err, "field at: pattern")
	_, err = newTimeOf(schema, Field{Path: "at", Zone: "Atlantis"})
	require.ErrorIs(t, err, record.ErrZone)
}
