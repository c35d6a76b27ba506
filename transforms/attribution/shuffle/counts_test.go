package shuffle

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// TestAccountsEndWithChapters: what is read of two chapters of a log has two accounts, and what is
// read of one has one.
func TestAccountsEndWithChapters(t *testing.T) {
	p := rules.Params{Kinds: []rules.Kind{{Name: "like", Window: 1000}}, Inputs: []rules.Input{{Kind: rules.Views, ID: "id", Time: rules.Field{Path: "t"}}}, Bucket: 1000, Shards: 1, Keep: 1, From: math.MinInt64, To: rules.NoLogEnd}
	k := NewPacker(&p, func(Place, Block) {}, func(record.Rejected) {})
	next := record.ChapterStart(2)
	for _, offset := range []int64{next - 20, next - 10, next, next + 10} {
		var records []byte
		for i := range int64(10) {
			records = record.AppendFramed(records, i, []byte(`{}`))
		}
		require.NoError(t, k.Add(record.Batch{Offset: offset, Count: 10, Framed: true, MaxTime: offset, SecondTime: offset, Records: records}))
	}
	got := map[[3]int64]int64{}
	k.Flush(func(l account.Sheet) {
		if o := l.Origin; o.Step == account.StepRead {
			got[[3]int64{o.First, o.Last, o.MaxTime}] = l.Views.N[account.Read]
		}
	})
	require.Equal(t, map[[3]int64]int64{{next - 20, next - 1, next - 20}: 20, {next, next + 19, next}: 20}, got)
}
