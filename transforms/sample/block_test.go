package sample

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func encoded(id string, time int64) []byte {
	e := Encoder{JSONViews: true}
	return e.Append(nil, &Sample{ViewID: []byte(id), ViewTime: time, View: []byte("{}")})
}

// blockOf makes a block of encoded samples.
func blockOf(start int64, all ...[]byte) Block {
	var samples []byte
	for _, one := range all {
		samples = AppendTo(samples, one)
	}
	return NewBlock(Header{Start: start}, samples)
}

// TestMergeIsASort: blocks cut in any way from sorted runs of (bucket, shard) and given in any
// order merge into what sorting all samples gives.
func TestMergeIsASort(t *testing.T) {
	type key struct {
		time int64
		id   string
	}
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.Int64Range(1, 50).Draw(t, "bucket length")
		ids := rapid.StringMatching(`[a-c]{1,2}`)
		var want []key
		runs := map[[2]int64][]key{}
		for range rapid.IntRange(0, 60).Draw(t, "samples") {
			k := key{rapid.Int64Range(0, 100).Draw(t, "time"), ids.Draw(t, "id")}
			if slices.Contains(want, k) {
				continue // a join gives each once
			}
			want = append(want, k)
			at := [2]int64{k.time / length, int64(len(k.id)+int(k.id[0])) % 3} // the shard follows from the id
			runs[at] = append(runs[at], k)
		}
		order := func(a, b key) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.id, b.id)) }
		slices.SortFunc(want, order)
		var blocks []Block
		for at, run := range runs {
			slices.SortFunc(run, order)
			header := Header{Start: at[0] * length}
			var samples []byte
			for _, k := range run {
				if len(samples) > 0 && rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
					blocks = append(blocks, NewBlock(header, samples))
					samples = samples[:0] // which the block has copied
				}
				samples = AppendTo(samples, encoded(k.id, k.time))
			}
			blocks = append(blocks, NewBlock(header, samples))
		}
		blocks = append(blocks, NewBlock(Header{Start: 7}, nil)) // an empty one adds nothing
		blocks = rapid.Permutation(blocks).Draw(t, "order")
		var got []key
		require.NoError(t, Merge(blocks, func(b []byte) error {
			id, at, err := Key(b)
			require.NoError(t, err)
			require.Equal(t, encoded(string(id), at), b)
			got = append(got, key{at, string(id)})
			return nil
		}))
		require.Equal(t, want, got)
	})
}

func TestMergeOfNothing(t *testing.T) {
	fail := func([]byte) error { return errors.New("called") }
	require.NoError(t, Merge(nil, fail))
	require.NoError(t, Merge([]Block{NewBlock(Header{Start: 0}, nil), NewBlock(Header{Start: -5}, nil)}, fail))
}

// TestMergeBeforeTheEpoch: buckets may start before 1970, and sort there.
func TestMergeBeforeTheEpoch(t *testing.T) {
	late, early := blockOf(0, encoded("a", 1)), blockOf(-10, encoded("b", -3))
	var got []string
	require.NoError(t, Merge([]Block{late, early}, func(b []byte) error {
		id, _, err := Key(b)
		got = append(got, string(id))
		return err
	}))
	require.Equal(t, []string{"b", "a"}, got)
}

func TestMergeRefuses(t *testing.T) {
	good := blockOf(0, encoded("a", 1)).encoded
	for _, c := range []struct {
		name  string
		block []byte
		want  string
	}{
		{"an empty block", nil, "block of samples: 0 bytes hold no header"},
		{"a length without a sample", append(blockOf(0).encoded, 200, 1), "block of samples: it ends within a sample"},
		{"half a length", append(blockOf(0).encoded, 200), "block of samples: it ends within a sample"},
		{"a sample cut short", good[:len(good)-1], "block of samples: it ends within a sample"},
		{"a later sample cut short", append(bytes.Clone(good), good[len(blockOf(0).encoded):len(good)-1]...), "block of samples: it ends within a sample"},
		{"a sample without an id", blockOf(0, []byte{20, 'a'}).encoded, "encoded sample of 2 bytes: no view id"},
		{"a sample with an id of negative length", blockOf(0, []byte{1, 'a'}).encoded, "encoded sample of 2 bytes: no view id"},
		{"a sample without a time", blockOf(0, []byte{2, 'a'}).encoded, "encoded sample of 2 bytes: no view time"},
		{"an empty sample", blockOf(0, nil).encoded, "encoded sample of 0 bytes: no view id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.EqualError(t, Merge([]Block{{c.block}}, func([]byte) error { return nil }), c.want)
		})
	}
}

// TestHeader: what a block says of itself comes back, and half a header is an error.
func TestHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Header{
			Start: rapid.Int64().Draw(t, "start"), Shard: rapid.Int64Min(0).Draw(t, "shard"),
			Part: rapid.IntMin(0).Draw(t, "part"), Last: rapid.Bool().Draw(t, "last"),
		}
		got, rest, err := NewBlock(want, AppendTo(nil, []byte("sample"))).Open()
		require.NoError(t, err)
		require.Equal(t, want, got)
		encoded, rest, err := Next(rest)
		require.NoError(t, err)
		require.Equal(t, "sample", string(encoded))
		require.Empty(t, rest)
		empty := NewBlock(want, nil).encoded
		for n := range empty {
			_, _, err := Block{empty[:n]}.Open()
			require.Error(t, err)
		}
	})
}

func TestMergeStopsAtAnError(t *testing.T) {
	full := errors.New("disk full")
	block := blockOf(0, encoded("a", 1), encoded("b", 2))
	calls := 0
	err := Merge([]Block{block, block}, func([]byte) error { calls++; return full })
	require.ErrorIs(t, err, full)
	require.Equal(t, 1, calls)
}

func FuzzMerge(f *testing.F) {
	block := blockOf(300, encoded("a", 301), encoded("b", 302)).encoded
	f.Add(block, block[:len(block)-2])
	f.Add([]byte{}, []byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		total := 0
		if err := Merge([]Block{{a}, {b}}, func(e []byte) error { total += len(e); return nil }); err == nil {
			require.LessOrEqual(t, total, len(a)+len(b))
		}
	})
}

// TestMergeSourcesHasOneBucketAtATime: blocks are loaded when what is before their bucket has been merged.
func TestMergeSourcesHasOneBucketAtATime(t *testing.T) {
	var did []string
	source := func(start int64, id string) Source {
		return Source{Start: start, Load: func() (Block, error) {
			did = append(did, "load "+id)
			return NewBlock(Header{Start: start}, AppendTo(nil, encoded(id, start))), nil
		}}
	}
	each := func(b []byte) error {
		id, _, err := Key(b)
		did = append(did, string(id))
		return err
	}
	require.NoError(t, MergeSources([]Source{source(5, "c"), source(0, "b"), source(0, "a")}, each))
	require.Equal(t, []string{"load b", "load a", "a", "b", "load c", "c"}, did)

	failed := errors.New("not there")
	require.ErrorIs(t, MergeSources([]Source{{Load: func() (Block, error) { return Block{}, failed }}}, each), failed)
}
