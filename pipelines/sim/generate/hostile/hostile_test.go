package hostile

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
)

var base = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

// TestRecords: a seed gives the same records again, and there are many of each format.
func TestRecords(t *testing.T) {
	for _, f := range []Format{JSON, CSV, Avro, Registry} {
		for _, lines := range []bool{false, true} {
			o := Options{Format: f, Base: base, Large: 1 << 20, Lines: lines, SchemaID: 1}
			first, again := Records(7, o), Records(7, o)
			require.Equal(t, names(first), names(again), "%s", f)
			require.NotEqual(t, names(first), names(Records(8, o)))
			require.Greater(t, len(first), 50, "%s", f)
			for _, r := range first {
				require.NotEmpty(t, r.Name)
				if lines && (f == JSON || f == CSV) {
					require.NotContains(t, string(r.Value), "\n", r.Name)
					require.NotEmpty(t, r.Value, r.Name)
				}
			}
		}
	}
}

func names(all []Record) (out []string) {
	for _, r := range all {
		out = append(out, fmt.Sprint(r.Name, len(r.Value)))
	}
	return out
}

// TestGood: what is hostile differs from a good record in what it says and in nothing else.
func TestGood(t *testing.T) {
	schema, err := avro.ParseSchema(Schema)
	require.NoError(t, err)
	w, err := avro.NewJSON(schema)
	require.NoError(t, err)
	record := Good(Avro, 0, "v", base)
	text, n, err := w.Append(nil, record)
	require.NoError(t, err)
	require.Len(t, record, n)
	require.Contains(t, string(text), fmt.Sprintf(`{"id":"v","t":%d,"own":`, base.UnixMilli()))
	require.Equal(t, record, Good(Registry, 3, "v", base)[frameSize:])
}

// TestMix: good records stay in order, with hostile ones before, between and behind them.
func TestMix(t *testing.T) {
	var good [][]byte
	for i := range 20 {
		good = append(good, fmt.Append(nil, i))
	}
	bad := Records(1, Options{Format: JSON, Base: base, Large: 1000})
	mixed := Mix(3, good, bad)
	require.Len(t, mixed, len(good)+len(bad))
	next, between := 0, 0
	for _, r := range mixed {
		if r.Name == "good" {
			require.Equal(t, good[next], r.Value)
			next++
		} else if next > 0 && next < len(good) {
			between++
		}
	}
	require.Equal(t, len(good), next)
	require.NotEqual(t, "good", mixed[0].Name)
	require.NotEqual(t, "good", mixed[len(mixed)-1].Name)
	require.Positive(t, between)
}
