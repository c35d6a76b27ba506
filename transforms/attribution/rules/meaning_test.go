package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/label"
)

func someParams() *Params {
	return &Params{
		Kinds: []Kind{{Name: "like", Window: 1000, Label: label.Binary, Credit: CreditAll}, {Name: "buy", Window: 2000, Label: label.Sum, Credit: CreditLast}},
		Inputs: []Input{
			{Kind: Views, ID: "id", Time: Field{Path: "ts"}},
			{Kind: 0, ID: "view", Time: Field{Path: "ts", Unit: record.UnitSeconds}, Where: []Condition{{Field: "type", Value: "like"}}},
			{Kind: 1, ID: "view", Time: Field{Path: "ts"}, Value: "amount"},
		},
		ViewSchema: `{"type":"string"}`, Bucket: 100, Keep: 1, SpecVersion: 3, OutOfOrderness: 5, MaxFutureSkew: 6, ClockSkew: 7, DedupWindow: 8,
	}
}

// TestMeaning changes one thing after the other: each is told by its name.
func TestMeaning(t *testing.T) {
	for name, change := range map[string]func(*Params){
		"version": func(p *Params) { p.SpecVersion++ }, "negatives": func(p *Params) { p.Keep = 0.5 },
		"out_of_orderness": func(p *Params) { p.OutOfOrderness++ }, "max_ahead": func(p *Params) { p.MaxFutureSkew++ },
		"clock_skew": func(p *Params) { p.ClockSkew++ }, "duplicates_within": func(p *Params) { p.DedupWindow++ }, "bucket": func(p *Params) { p.Bucket++ },
		MeaningViewSchema: func(p *Params) { p.ViewSchema = `{"type":"bytes"}` },
		MeaningViewID:     func(p *Params) { p.Inputs[0].ID = "other" },
		"kinds of engagements, in order": func(p *Params) {
			p.Kinds[0], p.Kinds[1] = p.Kinds[1], p.Kinds[0]
			p.Inputs[1].Kind, p.Inputs[2].Kind = 1, 0
		},
		"engagements.like": func(p *Params) { p.Kinds[0].Window++ }, "engagements.buy": func(p *Params) { p.Kinds[1].Label = label.Count },
		"engagements.like.where": func(p *Params) { p.Inputs[1].Where[0].Value = "share" }, "engagements.buy.value": func(p *Params) { p.Inputs[2].Value = "price" },
		"engagements.like.view": func(p *Params) { p.Inputs[1].ID = "v" }, "engagements.like.time": func(p *Params) { p.Inputs[1].Time.Unit = record.UnitEpochMs },
		"engagements.like.view_time": func(p *Params) { p.Inputs[1].ViewTime.Path = "vts" }, "engagements.like.id": func(p *Params) { p.Inputs[1].EventID = "eid" },
	} {
		changed := someParams()
		change(changed)
		was, is := someParams().Meaning(), changed.Meaning()
		names, told := was.Differences(is)
		require.Equal(t, []string{name}, names)
		require.Len(t, told, 1)
		require.NotEqual(t, was.Fingerprint(), is.Fingerprint(), name)
	}
	// What only changes cost, or says which part of a log is joined.
	same := someParams()
	same.Shards, same.Compress, same.Since, same.Until, same.LogEnd, same.Orphans = 9, true, 5, 7, 8, true
	names, _ := someParams().Meaning().Differences(same.Meaning())
	require.Empty(t, names)
	require.Equal(t, someParams().Meaning().Fingerprint(), same.Meaning().Fingerprint())

	_, told := Meaning{"bucket": "1 ms", "gone": "x"}.Differences(Meaning{"bucket": "2 ms"})
	require.Equal(t, []string{"bucket: 1 ms, now 2 ms", "gone: x, now none"}, told)
}
