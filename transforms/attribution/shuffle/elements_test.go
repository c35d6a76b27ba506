package shuffle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/expression"
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// elementsParams are views in order and likes, of lists or not.
func elementsParams(each string) *rules.Params {
	p := attributiontest.Params()
	p.Kinds = p.Kinds[:1]
	p.Schemas = map[uint64]string{}
	at := rules.Field{Path: "t", Unit: record.UnitEpochMs}
	p.Inputs = []rules.Input{
		{Name: "views", Kind: rules.Views, ID: "r", MoreID: []string{"items.id"}, Time: at, Ordered: true, Each: each, Where: []expression.Condition{{Field: "items.shown", Value: "true", Type: expression.BoolCondition}}},
		{Name: "likes", Kind: 0, ID: "r", MoreID: []string{"items.id"}, EventID: "items.event", Value: "items.id", Time: at, Each: each},
	}
	return p
}

// packElements packs batches, and returns what came of it.
func packElements(t require.TestingT, p *rules.Params, batches []record.Batch) (b bucket.Bucket, rejected []record.Rejected, sheet *account.Sheet) {
	k := NewPacker(p, func(_ Place, block Block) {
		require.NoError(t, block.AddTo(&b, p.Meaning().Fingerprint(), p.Bucket))
	}, func(r record.Rejected) {
		r.Record = []byte(string(r.Record))
		rejected = append(rejected, r)
	})
	for _, batch := range batches {
		require.NoError(t, k.Add(batch))
	}
	return b, rejected, packed(p, k)
}

// TestElementsAreRecords: a record that holds a list of events gives what as many records would, with one element each in place of
// the list, at one place in the log; wherever the log is cut into batches.
func TestElementsAreRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		listed, apart := elementsParams("items"), elementsParams("")
		if rapid.Bool().Draw(t, "by an expression") {
			for _, p := range []*rules.Params{listed, apart} {
				p.Inputs[0].Where, p.Inputs[0].Expression = nil, "has(items.shown) && items.shown"
			}
		}
		var lists, records []record.Batch
		empty := [2]int64{}
		for input := range int32(2) {
			maxTime := int64(record.NoTime)
			list := record.Batch{Input: input, MaxTime: record.NoTime, SecondTime: record.NoTime, Framed: true}
			one := list
			for offset := range int64(rapid.IntRange(0, 12).Draw(t, "records")) {
				if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
					lists, records = append(lists, list), append(records, one)
					list = record.Batch{Input: input, Offset: offset, MaxTime: maxTime, SecondTime: maxTime, Framed: true}
					one = list
				}
				at := rapid.Int64Range(1, 6000).Draw(t, "time")
				maxTime = max(maxTime, at)
				var items []string
				for i := range rapid.IntRange(0, 4).Draw(t, "items") {
					item := rapid.SampledFrom([]string{
						fmt.Sprintf(`{"id": %d, "shown": true, "event": "e%d"}`, i%2, i), fmt.Sprintf(`{"id":%d}`, i), `{"shown":true}`, `{"id":[],"shown":true}`, `"x"`, `null`,
					}).Draw(t, "item")
					items = append(items, item)
					one.Records = record.AppendFramed(one.Records, offset-one.Offset, fmt.Appendf(nil, `{"r":"r%d", "items": %s ,"t":%d}`, offset%3, item, at))
					one.Count++
				}
				if len(items) == 0 {
					empty[input]++
					// It moves the watermark all the same.
					one.Records = record.AppendFramed(one.Records, offset-one.Offset, fmt.Appendf(nil, `{"r":"r","items":{"shown":false},"t":%d}`, at))
					one.Count++
				}
				list.Records = record.AppendFramed(list.Records, offset-list.Offset, fmt.Appendf(nil, `{"r":"r%d", "items": [%s] ,"t":%d}`, offset%3, strings.Join(items, " , "), at))
				list.Count++
			}
			lists, records = append(lists, list), append(records, one)
		}
		got, gotRejected, gotSheet := packElements(t, listed, lists)
		want, wantRejected, wantSheet := packElements(t, apart, records)

		before := map[[2]int64]int32{} // the place in the list follows from the order
		for i := range got.Views {
			v := &got.Views[i]
			require.GreaterOrEqual(t, v.Element, before[[2]int64{0, v.Offset}])
			before[[2]int64{0, v.Offset}] = v.Element
			v.Element = 0
		}
		next := map[int64]int32{}
		for i := range got.Engagements {
			g := &got.Engagements[i]
			require.GreaterOrEqual(t, g.Element, next[g.Offset])
			next[g.Offset], g.Element = g.Element+1, 0
		}
		require.Equal(t, want, got)

		require.Equal(t, wantSheet.Views.N[account.Read], gotSheet.Views.N[account.Read])
		require.Equal(t, wantSheet.Views.N[account.Filtered], gotSheet.Views.N[account.Filtered])
		like, wantLike := &gotSheet.Engagements["like"].N, &wantSheet.Engagements["like"].N
		// What stands for an empty list has no id, and is a dead engagement.
		require.Equal(t, wantLike[account.Read], like[account.Read]+empty[1])
		require.Equal(t, wantLike[account.Dead], like[account.Dead]+empty[1])
		require.Equal(t, empty[1], like[account.Filtered])

		require.Len(t, gotRejected, len(wantRejected)-int(empty[1]))
		wantRejected = withoutPlaceholders(wantRejected)
		for i, r := range gotRejected {
			require.Positive(t, r.Element)
			require.Equal(t, wantRejected[i].Reason, r.Reason)
			require.Equal(t, wantRejected[i].Offset, r.Offset)
			require.Equal(t, string(wantRejected[i].Record), string(r.Record))
			require.Contains(t, r.Detail, wantRejected[i].Detail)
		}
	})
}

func withoutPlaceholders(all []record.Rejected) (out []record.Rejected) {
	for _, r := range all {
		if !strings.Contains(string(r.Record), `{"shown":false}`) {
			out = append(out, r)
		}
	}
	return out
}

// TestRecordThatHoldsNoList is one dead letter, and moves the watermark.
func TestRecordThatHoldsNoList(t *testing.T) {
	b := record.Batch{MaxTime: record.NoTime, SecondTime: record.NoTime, Framed: true}
	for i, text := range []string{`{"r":"a","items":{"id":1},"t":5000}`, `{"r":"b","items":[{"id":1,"shown":true},{"id":2,"shown":true}],"t":2000}`} {
		b.Records = record.AppendFramed(b.Records, int64(i), []byte(text))
		b.Count++
	}
	_, rejected, sheet := packElements(t, elementsParams("items"), []record.Batch{b})
	require.Len(t, rejected, 3)
	require.Equal(t, record.ReasonMalformed, rejected[0].Reason)
	require.Equal(t, "field items is an object, not a list", rejected[0].Detail)
	require.Zero(t, rejected[0].Element)
	for i, r := range rejected[1:] {
		require.Equal(t, record.ReasonLate, r.Reason)
		require.EqualValues(t, i+1, r.Element)
	}
	require.EqualValues(t, 3, sheet.Views.N[account.Read])
}
