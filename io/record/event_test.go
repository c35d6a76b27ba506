package record

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawBatch(t *rapid.T) Batch {
	b := Batch{
		Input:      rapid.Int32().Draw(t, "input"),
		Partition:  rapid.Int32().Draw(t, "partition"),
		Schema:     rapid.Uint64().Draw(t, "schema"),
		SchemaText: rapid.String().Draw(t, "schema text"),
		Offset:     rapid.Int64().Draw(t, "offset"),
		MaxTime:    rapid.OneOf(rapid.Just(int64(NoTime)), rapid.Int64Range(MinTime, MaxTime)).Draw(t, "max time"),
		Count:      rapid.Int32().Draw(t, "count"),
		Framed:     rapid.Bool().Draw(t, "framed"),
		Repeat:     rapid.Bool().Draw(t, "repeat"),
		AfterIdle:  rapid.Bool().Draw(t, "after idle"),
		Records:    rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "records"),
	}
	if b.AfterIdle {
		b.LogTime, b.LogSecond = rapid.Int64().Draw(t, "log time"), rapid.Int64().Draw(t, "log second")
	}
	return b
}

func drawRejected(t *rapid.T) Rejected {
	return Rejected{
		Reason:    rapid.SampledFrom([]Reason{ReasonLate, ReasonPartlyLate, ReasonMalformed, ReasonOrphan, ""}).Draw(t, "reason"),
		Detail:    rapid.String().Draw(t, "detail"),
		Input:     rapid.Int32().Draw(t, "input"),
		Partition: rapid.Int32().Draw(t, "partition"),
		Offset:    rapid.Int64().Draw(t, "offset"),
		Element:   rapid.Int32().Draw(t, "element"),
		Count:     rapid.Int64().Draw(t, "count"),
		EventTime: rapid.OneOf(rapid.Just(int64(NoTime)), rapid.Int64()).Draw(t, "event time"),
		AtLeast:   rapid.Bool().Draw(t, "at least"),
		AfterIdle: rapid.Bool().Draw(t, "after idle"),
		Watermark: rapid.OneOf(rapid.Just(int64(NoTime)), rapid.Int64()).Draw(t, "watermark"),
		Schema:    rapid.Uint64().Draw(t, "schema"),
		Record:    rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "record"),
	}
}

func TestCodersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBatch(t)
		batch, err := DecodeBatch(EncodeBatch(b))
		require.NoError(t, err)
		require.Equal(t, b, batch)
		r := drawRejected(t)
		rejected, err := DecodeRejected(EncodeRejected(r))
		require.NoError(t, err)
		require.Equal(t, r, rejected)
	})
}

// TestCodersRefuseWhatIsCut: every proper beginning of the fixed part is an error, never a
// panic and never a value.
func TestCodersRefuseWhatIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, r := drawBatch(t), drawRejected(t)
		b.Records, r.Record = nil, nil
		whole := EncodeBatch(b)
		for n := range whole {
			_, err := DecodeBatch(whole[:n])
			require.Error(t, err, "batch cut to %d of %d bytes", n, len(whole))
		}
		whole = EncodeRejected(r)
		for n := range whole {
			_, err := DecodeRejected(whole[:n])
			require.Error(t, err, "rejected record cut to %d of %d bytes", n, len(whole))
		}
	})
}

func FuzzCoders(f *testing.F) {
	f.Add(EncodeBatch(Batch{Input: 1, Offset: 7, MaxTime: NoTime, Count: 2, Framed: true, Records: []byte("records")}))
	f.Add(EncodeRejected(Rejected{Reason: ReasonLate, Detail: "why", Count: 1, EventTime: NoTime, Watermark: 5, Record: []byte("record")}))
	f.Add(bytes.Repeat([]byte{0xff}, 30))
	f.Fuzz(func(t *testing.T, buf []byte) {
		if b, err := DecodeBatch(buf); err == nil {
			again, err := DecodeBatch(EncodeBatch(b))
			require.NoError(t, err)
			require.Equal(t, b, again)
		}
		if r, err := DecodeRejected(buf); err == nil {
			again, err := DecodeRejected(EncodeRejected(r))
			require.NoError(t, err)
			require.Equal(t, r, again)
		}
	})
}

func TestFramedRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type record struct {
			distance int64
			bytes    []byte
		}
		var want, got []record
		var framed []byte
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			r := record{rapid.Int64Range(0, math.MaxInt64).Draw(t, "distance"), rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")}
			want = append(want, r)
			framed = AppendFramed(framed, r.distance, r.bytes)
		}
		for rest := framed; len(rest) > 0; {
			var r record
			var err error
			r.distance, r.bytes, rest, err = NextFramed(rest)
			require.NoError(t, err)
			got = append(got, r)
		}
		require.Equal(t, want, got)
	})
}

func TestNextFramedRefusesWhatIsCut(t *testing.T) {
	whole := AppendFramed(nil, 300, bytes.Repeat([]byte("x"), 200))
	for n := range whole {
		_, _, _, err := NextFramed(whole[:n])
		require.Error(t, err, "cut to %d of %d bytes", n, len(whole))
	}
	_, _, _, err := NextFramed(nil)
	require.EqualError(t, err, "framed records: offset: 0 bytes left")
	_, _, _, err = NextFramed([]byte{0, 9, 'a'})
	require.EqualError(t, err, "framed records: length 9 with 1 bytes left")
	// A length that does not fit an int must not become a negative one.
	_, _, _, err = NextFramed([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 'a'})
	require.Error(t, err)
}
