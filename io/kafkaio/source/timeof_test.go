package source

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/record"
)

// TestTimeOfOlderRecords: the time is found by the name that an older schema has for it.
func TestTimeOfOlderRecords(t *testing.T) {
	older, err := avro.ParseSchema(`{"type":"record","name":"V","fields":[{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}]}`)
	require.NoError(t, err)
	at, err := newTimeOf(older, Field{Path: "ts", Others: []string{"when", "at"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, at.of([]byte{0xd0, 0x0f})) // 1000 us
	require.Equal(t, int64(record.NoTime), at.of(nil))
	_, err = newTimeOf(older, Field{Path: "ts"})
	require.ErrorContains(t, err, `no field "ts"`)
}
