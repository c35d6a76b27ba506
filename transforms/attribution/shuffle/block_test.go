package shuffle

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

var (
	anyTime   = rapid.Int64Range(record.MinTime, record.MaxTime)
	orNoTime  = rapid.OneOf(rapid.Just(int64(record.NoTime)), anyTime)
	anyOffset = rapid.Int64Min(0)
	// Mostly 0, as in records that hold one event.
	anyElement = rapid.OneOf(rapid.Just(int32(0)), rapid.Int32Min(0))
	anyID      = rapid.SliceOfN(rapid.Byte(), 1, 20)
	anyBytes   = rapid.SliceOfN(rapid.Byte(), 0, 40)
)

func drawValue(t *rapid.T) record.Value {
	if rapid.IntRange(0, 5).Draw(t, "several values") == 0 {
		return bucket.Pack(rapid.SliceOfN(rapid.Custom(drawOne), 1, 3).Draw(t, "values"), nil)
	}
	return drawOne(t)
}

func drawOne(t *rapid.T) record.Value {
	switch kind := record.Kind(rapid.IntRange(int(record.Null), int(record.Bytes)).Draw(t, "value kind")); kind {
	case record.Bool:
		return record.Value{Kind: kind, Int: rapid.Int64Range(0, 1).Draw(t, "bool")}
	case record.Int:
		return record.Value{Kind: kind, Int: rapid.Int64().Draw(t, "int")}
	case record.Float:
		return record.Value{Kind: kind, Float: rapid.Float64().Draw(t, "float")}
	case record.String, record.Bytes:
		return record.Value{Kind: kind, Text: anyBytes.Draw(t, "text")}
	default:
		return record.Value{}
	}
}

func drawView(t *rapid.T) bucket.View {
	v := bucket.View{
		ID: anyID.Draw(t, "id"), Time: anyTime.Draw(t, "time"),
		Partition: rapid.Int32Min(0).Draw(t, "partition"), Offset: anyOffset.Draw(t, "offset"), Element: anyElement.Draw(t, "element"),
	}
	if rapid.Bool().Draw(t, "keyed") {
		v.Key = anyID.Draw(t, "key")
	}
	v.Hash = rules.HashID(v.Name())
	v.ClosedThrough = orNoTime.Draw(t, "closed through")
	if v.DedupMarker = rapid.Bool().Draw(t, "stub"); v.DedupMarker {
		if v.Known = rapid.Bool().Draw(t, "known"); v.Known {
			return v
		}
		v.PayloadHash = rapid.Uint64().Draw(t, "payload hash")
		return v
	}
	v.Payload = anyBytes.Draw(t, "payload")
	if rapid.Bool().Draw(t, "the id is inside") {
		v.Payload = append(append(v.Payload, v.ID...), anyBytes.Draw(t, "rest of the payload")...)
	}
	if v.Key != nil && rapid.Bool().Draw(t, "the key is inside") {
		v.Payload = append(v.Payload, v.Key...)
	}
	return v
}

func drawEngagement(t *rapid.T) bucket.Engagement {
	g := bucket.Engagement{
		Kind: rapid.IntRange(0, 200).Draw(t, "kind"), ViewID: anyID.Draw(t, "view id"),
		Time: anyTime.Draw(t, "time"), Partition: rapid.Int32Min(0).Draw(t, "partition"), Offset: anyOffset.Draw(t, "offset"), Element: anyElement.Draw(t, "element"),
		ClosedThrough: orNoTime.Draw(t, "closed through"), ViewTime: orNoTime.Draw(t, "view time"), Value: drawValue(t),
	}
	g.Hash = rules.HashID(g.ViewID)
	if rapid.Bool().Draw(t, "own id") {
		g.EventID = anyID.Draw(t, "event id")
	}
	return g
}

// someMeaning is the fingerprint in the blocks of these tests.
const someMeaning = 0x0102030405060708

// headed is what follows the format and the meaning of a block.
func headed(rest ...byte) []byte {
	return append(binary.LittleEndian.AppendUint64([]byte{blockFormat}, someMeaning), rest...)
}

// blockOf encodes what a bucket holds, views first, and returns where each record ends, and the same block compressed.
func blockOf(b *bucket.Bucket, length int64) (block []byte, ends []int, compressed []byte) {
	var w blockWriter
	w.open(someMeaning, b.Index, b.Index*length)
	for i, m := range b.Markers {
		source := m.Time - int64(i) // the start of some bucket
		w.mark(source-b.Index*length, binary.AppendUvarint(binary.LittleEndian.AppendUint64(nil, m.Hash), uint64(i)))
	}
	ends = append(ends, len(w.block))
	for i := range b.Views {
		v := &b.Views[i]
		w.view(v, insideOf(v))
		ends = append(ends, len(w.block))
	}
	for i := range b.Engagements {
		w.engagement(&b.Engagements[i])
		ends = append(ends, len(w.block))
	}
	block = w.finished(false)
	for i := range ends {
		ends[i] += len(block) - len(w.block)
	}
	return block, ends, w.finished(true)
}

func drawBucket(t *rapid.T) (b bucket.Bucket, length int64) {
	b.Index, length = rapid.Int64Range(-1000, 1000).Draw(t, "index"), rapid.Int64Range(1, rules.MaxBucket).Draw(t, "length")
	b.Views = rapid.SliceOfN(rapid.Custom(drawView), 0, 4).Draw(t, "views")
	b.Engagements = rapid.SliceOfN(rapid.Custom(drawEngagement), 0, 4).Draw(t, "engagements")
	b.Markers = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bucket.Marker {
		return bucket.Marker{Hash: rapid.Uint64().Draw(t, "hash"), Time: anyTime.Draw(t, "time")}
	}), 0, 4).Draw(t, "markers")
	return b, length
}

// TestBlocksRoundTrip: what was put into blocks comes out of them, to the last field.
func TestBlocksRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, length := drawBucket(t)
		block, _, compressed := blockOf(&want, length)
		index, err := Block{block}.Bucket()
		require.NoError(t, err)
		require.Equal(t, want.Index, index)
		for _, block := range [][]byte{block, compressed} {
			got := bucket.Bucket{Index: index}
			require.NoError(t, Block{block}.AddTo(&got, someMeaning, length))
			require.Len(t, got.Views, len(want.Views))
			require.Len(t, got.Engagements, len(want.Engagements))
			require.Len(t, got.Markers, len(want.Markers))
			for i := range want.Markers {
				require.Equal(t, want.Markers[i], got.Markers[i])
			}
			for i := range want.Views {
				require.Equal(t, want.Views[i], got.Views[i])
			}
			for i := range want.Engagements {
				requireSameEngagement(t, &want.Engagements[i], &got.Engagements[i])
			}
		}
	})
}

// TestBlocksAreCompressed if that makes them smaller, and only then.
func TestBlocksAreCompressed(t *testing.T) {
	alike := bucket.Bucket{Index: 3}
	for i := range 100 {
		alike.Views = append(alike.Views, bucket.View{ID: []byte("a view"), Offset: int64(i), Payload: []byte("much the same as the next one")})
	}
	block, _, compressed := blockOf(&alike, 1000)
	require.Less(t, 4*len(compressed), len(block))

	noise := make([]byte, 4000)
	_, err := rand.NewChaCha8([32]byte{1}).Read(noise)
	require.NoError(t, err)
	for name, payload := range map[string][]byte{"small": []byte("small"), "noise": noise} {
		block, _, compressed := blockOf(&bucket.Bucket{Index: 3, Views: []bucket.View{{ID: []byte("v"), Payload: payload}}}, 1000)
		require.Equal(t, block, compressed, name)
	}
}

// requireSameEngagement compares floats by their bits: NaN is a value like any other here.
func requireSameEngagement(t require.TestingT, want, got *bucket.Engagement) {
	require.Equal(t, math.Float64bits(want.Value.Float), math.Float64bits(got.Value.Float))
	w, g := *want, *got
	w.Value.Float, g.Value.Float = 0, 0
	require.Equal(t, w, g)
}

// TestIDIsCarriedOnce: an id that the payload holds does not take its bytes twice.
func TestIDIsCarriedOnce(t *testing.T) {
	id := bytes.Repeat([]byte("i"), 100)
	v := bucket.View{ID: id, Payload: append([]byte(`{"id":"`), id...)}
	require.Equal(t, inside{id: 8}, insideOf(&v))
	var w blockWriter
	w.view(&v, insideOf(&v))
	require.Less(t, len(w.block), 130)
	v.Payload = []byte("{}")
	require.Equal(t, inside{}, insideOf(&v))
}

// TestBlocksRefuseWhatIsCut: a block cut anywhere but between two records is an error.
func TestBlocksRefuseWhatIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, length := drawBucket(t)
		block, ends, _ := blockOf(&want, length)
		whole := map[int]int{}
		for records, end := range ends {
			whole[end] = records
		}
		for n := range len(block) {
			var got bucket.Bucket
			err := Block{block[:n:n]}.AddTo(&got, someMeaning, length)
			if records, ok := whole[n]; ok {
				require.NoError(t, err)
				require.Equal(t, records, len(got.Views)+len(got.Engagements))
			} else {
				require.Error(t, err, "cut to %d of %d bytes", n, len(block))
			}
		}
	})
}

func TestBlocksRefuse(t *testing.T) {
	view := bucket.View{ID: []byte("absent"), Key: []byte("a key"), Payload: []byte("payload")}
	// withView is a block of a view whose id is said to be somewhere in its payload.
	withView := func(at inside) []byte {
		var w blockWriter
		w.open(someMeaning, 3, 0)
		w.view(&view, at)
		return w.block
	}
	for _, c := range []struct {
		name  string
		block []byte
		want  string
	}{
		{"nothing", nil, "block of 0 bytes: not of format 3: another release has written it; begin anew from the log, with --resume log"},
		{"another format", []byte{9, 0}, "block of 2 bytes: not of format 3: another release has written it; begin anew from the log, with --resume log"},
		{"no meaning", headed()[:8], "it ends within a record"},
		{"another meaning", append([]byte{blockFormat, 1, 2, 3, 4, 5, 6, 7, 8}, 6, plainRecords), "block of bucket 3: another version of the spec has written it, in which records mean something else: begin anew from the log, with --resume log"},
		{"no bucket", headed(), "it ends within a record"},
		{"no packing", headed(6), "block of bucket 3: it ends within a record"},
		{"another packing", headed(6, 7), "block of bucket 3: packing 7 is not known"},
		{"not what zstd packs", headed(6, zstdRecords, 1, 2, 3), "block of bucket 3: compressed records: unexpected EOF"},
		{"markers that end too early", headed(6, marked, 4, 1, 2, 3, 4), "block of bucket 3: it ends within a record"},
		{"a tag alone", headed(6, plainRecords, 0), "block of bucket 3: it ends within a record"},
		{"an id beyond the payload", withView(inside{id: 4}), "block of bucket 3: it ends within a record"},
		{"an id that begins beyond the payload", withView(inside{id: 301}), "block of bucket 3: it ends within a record"},
		{"a key beyond the payload", withView(inside{key: 4}), "block of bucket 3: it ends within a record"},
		{"an id whose end overflows", withView(inside{id: math.MaxInt64}), "block of bucket 3: it ends within a record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.EqualError(t, Block{c.block}.AddTo(new(bucket.Bucket), someMeaning, 1000), c.want)
		})
	}
}

func FuzzBlock(f *testing.F) {
	b := bucket.Bucket{
		Index: 3,
		Views: []bucket.View{
			{ID: []byte("v1"), Time: 3100, Partition: 1, Offset: 9, Payload: []byte(`{"id":"v1"}`)},
			{ID: []byte("v2"), Time: 3200, Payload: []byte(`{}`)},
			{ID: []byte("v3"), Time: 2900, DedupMarker: true, PayloadHash: 5},
		},
		Markers: []bucket.Marker{{Hash: 7, Time: 2000}, {Hash: 8, Time: 1001}},
		Engagements: []bucket.Engagement{
			{Kind: 1, ViewID: []byte("v1"), Time: 3300, ClosedThrough: record.NoTime, ViewTime: record.NoTime},
			{
				Kind: 0, ViewID: []byte("v1"), Time: 3300, ClosedThrough: 2000, ViewTime: 3100, EventID: []byte("e"),
				Value: record.Value{Kind: record.Float, Float: 0.5},
			},
		},
	}
	block, ends, compressed := blockOf(&b, 1000)
	f.Add(block)
	f.Add(compressed)
	f.Add(block[:ends[2]])
	f.Add(block[:len(block)-3])
	f.Add(headed(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got bucket.Bucket
		if err := (Block{data}).AddTo(&got, someMeaning, 1000); err != nil {
			return
		}
		var err error
		got.Index, err = Block{data}.Bucket()
		require.NoError(t, err)
		// What was read can be written and read again.
		again := bucket.Bucket{Index: got.Index}
		encoded, _, _ := blockOf(&got, 1000)
		require.NoError(t, Block{encoded}.AddTo(&again, someMeaning, 1000))
		require.Len(t, again.Views, len(got.Views))
		require.Len(t, again.Engagements, len(got.Engagements))
		require.Equal(t, got.Markers, again.Markers)
		for i := range got.Views {
			require.Equal(t, got.Views[i].Hash, again.Views[i].Hash)
			require.Equal(t, got.Views[i].Time, again.Views[i].Time)
			require.True(t, bytes.Equal(got.Views[i].ID, again.Views[i].ID))
			require.True(t, bytes.Equal(got.Views[i].Payload, again.Views[i].Payload))
		}
	})
}
