package sink

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/commitlog"
)

func TestFraming(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytesOf := rapid.SliceOfN(rapid.Byte(), 0, 40)
		var framed []byte
		var want []kgo.Record
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			r := kgo.Record{Key: bytesOf.Draw(t, "key"), Value: bytesOf.Draw(t, "value")}
			stamp := rapid.Int64Range(-1, 1<<50).Draw(t, "timestamp")
			r.Offset = stamp
			want = append(want, r)
			framed = AppendRecord(framed, r.Key, r.Value, stamp)
		}
		g := Group{
			Shard: rapid.Int32().Draw(t, "shard"), ID: rapid.Int64().Draw(t, "id"), Part: rapid.Int32().Draw(t, "part"),
			Last: rapid.Bool().Draw(t, "last"), Records: framed,
		}
		got, err := decodeGroup(encodeGroup(g))
		require.NoError(t, err)
		require.True(t, bytes.Equal(g.Records, got.Records))
		got.Records, g.Records = nil, nil
		require.Equal(t, g, got)
		rest := framed
		for _, r := range want {
			var key, value []byte
			var stamp int64
			key, value, stamp, rest, err = nextRecord(rest)
			require.NoError(t, err)
			require.True(t, bytes.Equal(r.Key, key) && bytes.Equal(r.Value, value) && r.Offset == stamp)
		}
		require.Empty(t, rest)
		// Where the parts are cut does not show in the digest.
		whole, cut := &group{parts: [][]byte{framed}}, &group{}
		for rest := framed; len(rest) > 0; {
			_, _, _, after, err := nextRecord(rest)
			require.NoError(t, err)
			cut.parts = append(cut.parts, rest[:len(rest)-len(after)])
			rest = after
		}
		require.NoError(t, whole.seal())
		require.NoError(t, cut.seal())
		require.Equal(t, whole.digest, cut.digest)
		require.Equal(t, int64(len(want)), cut.records)
	})
}

func TestMessageCoder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.Byte(), 1, 20)
		m := Message{Key: some.Draw(t, "key"), Value: some.Draw(t, "value"), TimestampMs: rapid.Int64().Draw(t, "timestamp")}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			m.Headers = append(m.Headers, Header{Key: rapid.String().Draw(t, "name"), Value: some.Draw(t, "header")})
		}
		encoded := encodeMessage(m)
		got, err := decodeMessage(encoded)
		require.NoError(t, err)
		require.Equal(t, m, got)
		for n := range len(encoded) - len(m.Value) {
			_, err := decodeMessage(encoded[:n])
			require.Error(t, err)
		}
	})
}

// Bytes that are no frames, groups or commit log records are an error, never a panic.
func FuzzFrames(f *testing.F) {
	f.Add(AppendRecord(nil, []byte("key"), []byte("value"), 7))
	f.Add(encodeGroup(Group{Shard: 1, ID: 2, Records: []byte{1}}))
	f.Add((&commitlog.Record{Entry: commitlog.Entry{Version: 1, Records: 2, Digest: 3}, TruncatedBefore: commitlog.NoID, Job: "j"}).Value())
	f.Add((&commitlog.Record{Entry: commitlog.Entry{Version: 1, Records: 2, Partial: true}, Job: "j"}).Value())
	f.Fuzz(func(t *testing.T, b []byte) {
		g := &group{parts: [][]byte{b}}
		if g.seal() == nil {
			require.LessOrEqual(t, g.records, int64(len(b)))
		}
		if d, err := decodeGroup(b); err == nil {
			require.LessOrEqual(t, len(d.Records), len(b))
		}
		if m, err := decodeMessage(b); err == nil {
			require.LessOrEqual(t, len(m.Value), len(b))
		}
		if e, _, _, err := commitlog.ParseValue(b); err == nil {
			require.Equal(t, !e.Partial, b[0] == commitlog.Schema, "%+v", e)
		}
	})
}
