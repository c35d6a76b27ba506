package attribution

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// joinValues joins one view with an engagement for each value, as JSON, and returns the label
// and the account.
func joinValues(t require.TestingT, label label.Func, skipBad bool, values ...string) (gjson.Result, *account.Sheet, []record.Rejected) {
	p := attributiontest.Params()
	p.Kinds = []rules.Kind{{Name: "like", Window: 1000, Label: label, Count: rules.CountAll, SkipBadValues: skipBad}}
	p.Inputs = []rules.Input{
		{Name: "views.inputs.0", Kind: rules.Views, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}},
		{Name: "engagements.like.inputs.0", Kind: 0, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, EventID: "eid", Value: "x"},
	}
	return joinOne(t, p, values, "labels.like")
}

// joinOne joins one view with an engagement for each of the values, fields of its record, and returns what a path has of the sample.
func joinOne(t require.TestingT, p *rules.Params, values []string, path string) (gjson.Result, *account.Sheet, []record.Rejected) {
	var joined bucket.Bucket
	var rejected []record.Rejected
	k := shuffle.NewPacker(p, func(at shuffle.Place, block shuffle.Block) {
		if at.Bucket == p.BucketOf(1000) {
			joined.Index = at.Bucket
			require.NoError(t, block.AddTo(&joined, p.Meaning().Fingerprint(), p.Bucket))
		}
	}, func(r record.Rejected) { rejected = append(rejected, r) })
	require.NoError(t, k.Add(record.Batch{Input: 0, Partition: 0, Count: 1, Framed: true, Records: record.AppendFramed(nil, 0, []byte(`{"id":"v","t":1000}`))}))
	likes := record.Batch{Input: 1, Partition: 1, Framed: true}
	for i, v := range values {
		likes.Records = record.AppendFramed(likes.Records, int64(i), []byte(fmt.Sprintf(`{"id":"v","t":%d,"eid":%d%s}`, 1001+i, i, v)))
		likes.Count++
	}
	require.NoError(t, k.Add(likes))
	sheet := flushed(p, k)
	var label0 gjson.Result
	encoder := &sample.Encoder{JSONViews: true, Columns: p.Columns()}
	out := newOutput(p, p.Meaning().Fingerprint(), encoder, 0, &joined, func(b sample.Block) {
		require.NoError(t, sample.Merge([]sample.Block{b}, func(encoded []byte) error {
			label0 = gjson.Get(attributiontest.SampleJSON(t, p, encoded), path)
			return nil
		}))
	})
	bucket.NewJoiner(p).Join(&joined, out)
	out.finish()
	sheet.Merge(out.sheet)
	return label0, sheet, rejected
}

func x(text string) string { return `,"x":` + text }

func TestBadValuesAreDead(t *testing.T) {
	for _, bad := range []string{`"$9.99"`, `"1,234.50"`, `" 7.5"`, `"NaN"`, `"Infinity"`, `1e400`, `"0x10"`, `"many"`} {
		for _, label := range []label.Func{label.Sum, label.Min, label.Max} {
			got, counted, rejected := joinValues(t, label, false, x("5"), x(bad))
			require.Equal(t, "5", got.Raw, "%s of %s", label, bad)
			like := counted.Engagements["like"]
			require.Equal(t, [4]int64{2, 1, 1, 0}, [4]int64{like.N[account.Read], like.N[account.Matched], like.N[account.Dead], like.N[account.BadValues]}, bad)
			require.Len(t, rejected, 1)
			require.Regexp(t, `^field x: .* is no number$`, rejected[0].Detail)
			require.Contains(t, rejected[0].Detail, bad, "the value is quoted")
			require.Equal(t, account.Input{N: account.Values{account.Read: 2, account.Dead: 1}.Counts()}, *counted.Inputs["engagements.like.inputs.0"])
			require.Equal(t, map[string]*account.Reason{"field x: … is no number": {Count: 1, Example: rejected[0].Detail}}, like.Reasons)
		}
	}
}

func TestBadValuesAreLeftOut(t *testing.T) {
	got, sheet, rejected := joinValues(t, label.Sum, true, x("5"), x(`"$9.99"`), x("2.5"), x(`1e400`))
	require.Equal(t, "7.5", got.Raw)
	like := sheet.Engagements["like"]
	require.Equal(t, [4]int64{4, 4, 0, 2}, [4]int64{like.N[account.Read], like.N[account.Matched], like.N[account.Dead], like.N[account.BadValues]})
	require.Empty(t, rejected)
}

func TestValuesThatAreAbsent(t *testing.T) {
	got, sheet, _ := joinValues(t, label.Min, false, x("5"), x("null"), x(`""`), "")
	require.Equal(t, "5", got.Raw)
	like := sheet.Engagements["like"]
	require.Equal(t, [3]int64{4, 4, 3}, [3]int64{like.N[account.Read], like.N[account.Matched], like.N[account.WithoutValue]})
	got, _, _ = joinValues(t, label.Min, false, x("null"))
	require.Equal(t, "null", got.Raw)
}

func TestPlainLabels(t *testing.T) {
	for value, want := range map[string]string{
		`"a"`: `"a"`, `"$9.99"`: `"$9.99"`, "12": "12", "1.50": "1.5", "true": "true", "18446744073709551616": "18446744073709552000",
	} {
		got, _, _ := joinValues(t, label.First, false, x(value))
		require.JSONEq(t, want, got.Raw, value)
	}
	_, sheet, rejected := joinValues(t, label.First, false, x("18446744073709551615"))
	require.Equal(t, int64(1), sheet.Engagements["like"].N[account.Dead], "no double holds it")
	require.Contains(t, rejected[0].Detail, "18446744073709551615 is no value that a label holds")
}

// TestSumThatOverflows: a sum is exact, whatever it passes through on the way; beyond the largest
// double it is that one, and told.
func TestSumThatOverflows(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
		beyond int64
	}{
		{[]string{"1e308", "1e308", "-5e307"}, "1.5e308", 0},
		{[]string{"1e308", "1e308"}, "1.7976931348623157e308", 1},
		{[]string{"-1e308", "-1e308"}, "-1.7976931348623157e308", 1},
		{[]string{"1e308", "1", "1e308", "-1e308", "-1e308"}, "1", 0},
		{[]string{"0.1", "0.2", "0.3", "-0.3", "-0.2", "-0.1"}, "0", 0},
	} {
		var values []string
		for _, v := range c.values {
			values = append(values, x(v))
		}
		got, sheet, _ := joinValues(t, label.Sum, false, values...)
		require.JSONEq(t, c.want, got.Raw)
		require.Equal(t, c.beyond, sheet.Engagements["like"].N[account.Overflows])
	}
}

// TestSeveralViews: an engagement that counts for two views is one match and two pairs.
func TestSeveralViews(t *testing.T) {
	p := attributiontest.Params()
	id := []byte("v")
	b := &bucket.Bucket{
		Views:       []bucket.View{{ID: id, Hash: rules.HashID(id), Time: 1000}, {ID: id, Hash: rules.HashID(id), Time: 1500, Offset: 1}},
		Engagements: []bucket.Engagement{{ViewID: id, Hash: rules.HashID(id), Time: 1600, Offset: 2, ClosedThrough: record.NoTime, ViewTime: record.NoTime}},
	}
	sheet := p.NewSheet()
	out := newOutput(p, p.Meaning().Fingerprint(), &sample.Encoder{JSONViews: true, Columns: []sample.Column{{Kind: "like", Func: label.Count}, {Kind: "share", Func: label.Count}}}, 0, b, func(sample.Block) {})
	bucket.NewJoiner(p).Join(b, out)
	sheet.Merge(out.sheet)
	require.Equal(t, [2]int64{1, 2}, [2]int64{sheet.Engagements["like"].N[account.Matched], sheet.Engagements["like"].N[account.Matches]})
	require.Equal(t, int64(1), sheet.Views.N[account.Resent])
}
