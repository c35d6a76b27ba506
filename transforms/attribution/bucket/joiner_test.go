package bucket

import (
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

func TestJoin(t *testing.T) {
	for group, cases := range map[string][]coreCase{
		"window": windowCases, "credit": creditCases, "label": labelCases(), "duplicates": duplicateCases,
		"late": lateCases, "owner": ownerCases, "maturity": maturityCases,
	} {
		for _, c := range cases {
			t.Run(group+"/"+c.name, func(t *testing.T) {
				p := attributiontest.Params()
				if c.change != nil {
					c.change(p)
				}
				b := readBucket(t, p, c.bucket, c.in)
				want := linesOf(c.want)
				slices.Sort(want)
				joiner := NewJoiner(p)
				// The order in a bucket is that of its blocks, which means nothing.
				random := rand.New(rand.NewSource(1))
				for range 4 {
					require.Equal(t, want, joinLines(t, p, joiner, b, group == "maturity", strings.Contains(c.want, " x=")))
					random.Shuffle(len(b.Views), func(i, j int) { b.Views[i], b.Views[j] = b.Views[j], b.Views[i] })
					random.Shuffle(len(b.Engagements), func(i, j int) {
						b.Engagements[i], b.Engagements[j] = b.Engagements[j], b.Engagements[i]
					})
				}
			})
		}
	}
}

// TestSamplesComeInOrder: by time, then id, byte by byte.
func TestSamplesComeInOrder(t *testing.T) {
	p := attributiontest.Params()
	b := readBucket(t, p, 0, "view b@2\nview a@2\nview z@1\nview ab@2\nview a@500")
	var order []string
	NewJoiner(p).Join(b, &lineOutput{t: t, p: p, sample: func(s *sample.Sample) {
		order = append(order, fmt.Sprintf("%s@%d", s.ViewID, s.ViewTime))
	}})
	require.Equal(t, []string{"z@1", "a@2", "ab@2", "b@2", "a@500"}, order)
}

// TestJoinerKeepsNothing: a bucket joined after others gives what it gives by itself.
func TestJoinerKeepsNothing(t *testing.T) {
	p := attributiontest.Params()
	used := NewJoiner(p)
	random := rand.New(rand.NewSource(3))
	for range 50 {
		var lines []string
		for range random.Intn(60) {
			kind := []string{"view", "marker", "like", "share"}[random.Intn(4)]
			lines = append(lines, fmt.Sprintf("%s v%d@%d", kind, random.Intn(20), random.Intn(5000)))
		}
		in := strings.Join(lines, "\n")
		want := joinLines(t, p, NewJoiner(p), readBucket(t, p, 0, in), true, true)
		require.Equal(t, want, joinLines(t, p, used, readBucket(t, p, 0, in), true, true))
	}
}

// TestManyIDs fills the index far beyond its first size, with ids that all fall in one shard.
func TestManyIDs(t *testing.T) {
	p := attributiontest.Params()
	var b Bucket
	for i := 0; len(b.Views) < 5000; i++ {
		id := []byte(strconv.Itoa(i))
		if hash := rules.HashID(id); hash%64 == 5 {
			b.Views = append(b.Views, View{ID: id, Hash: hash, Time: 1000, Offset: int64(i)})
			b.Engagements = append(b.Engagements, Engagement{Kind: 0, ViewID: id, Hash: hash, Time: 1500, ViewTime: record.NoTime, ClosedThrough: record.NoTime, Offset: int64(i)})
			orphan := append([]byte("no"), id...)
			b.Engagements = append(b.Engagements, Engagement{Kind: 0, ViewID: orphan, Hash: rules.HashID(orphan), Time: 1500, ViewTime: record.NoTime, ClosedThrough: record.NoTime, Offset: int64(i), Partition: 1})
		}
	}
	positives := 0
	o := &lineOutput{t: t, p: p, quiet: true, sample: func(s *sample.Sample) {
		require.Equal(t, int64(1), s.Labels[0].Count)
		positives++
	}}
	NewJoiner(p).Join(&b, o)
	require.Equal(t, 5000, positives)
	require.Equal(t, map[Outcome]int{OutcomeMatched: 5000, OutcomeNone: 5000}, o.seen)
}

// TestHashesThatCollide: ids are told apart by themselves where their hashes are the same.
func TestHashesThatCollide(t *testing.T) {
	p := attributiontest.Params()
	b := readBucket(t, p, 0, "view v@1000\nview w@1000\nview u@1000\nlike w@1500\nlike x@1500")
	for i := range b.Views {
		b.Views[i].Hash = 42
	}
	for i := range b.Engagements {
		b.Engagements[i].Hash = 42
	}
	require.Equal(t, []string{
		"like w@1500: matched, owner, final", "like x@1500: nothing, owner, final",
		"u@1000 like=0 share=0", "v@1000 like=0 share=0", "w@1000 like=1+500 share=0",
	}, joinLines(t, p, NewJoiner(p), b, false, false))
}
