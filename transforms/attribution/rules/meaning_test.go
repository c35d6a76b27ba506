package rules

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/expression"
	"tributary/io/record"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

func someParams() *Params {
	return &Params{
		Kinds: []Kind{{Name: "like", Window: 1000, Label: label.Binary, Count: CountAll}, {Name: "buy", Window: 2000, Label: label.Sum, Count: CountLast}},
		Inputs: []Input{
			{Kind: Views, ID: "id", Time: Field{Path: "ts"}},
			{Kind: 0, ID: "view", Time: Field{Path: "ts", Unit: record.UnitSeconds}, Where: []expression.Condition{{Field: "type", Value: "like"}}},
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
		"sample": func(p *Params) {
			p.Shape = &sample.Shape{Fields: []sample.FieldColumn{{Name: "pos", Path: "ctx.position"}}, View: sample.ViewNone}
		},
		"kinds of engagements, in order": func(p *Params) {
			p.Kinds[0], p.Kinds[1] = p.Kinds[1], p.Kinds[0]
			p.Inputs[1].Kind, p.Inputs[2].Kind = 1, 0
		},
		"engagements.like": func(p *Params) { p.Kinds[0].Window++ }, "engagements.buy": func(p *Params) { p.Kinds[1].Label = label.Count },
		"views.where":            func(p *Params) { p.Inputs[0].Where = []expression.Condition{{Field: "type", Value: "view"}} },
		"engagements.buy.where":  func(p *Params) { p.Inputs[2].Expression = "price > 1" },
		"engagements.like.where": func(p *Params) { p.Inputs[1].Where[0].Value = "share" }, "engagements.buy.value": func(p *Params) { p.Inputs[2].Value = "price" },
		"engagements.like.view": func(p *Params) { p.Inputs[1].ID = "v" }, "engagements.like.time": func(p *Params) { p.Inputs[1].Time.Unit = record.UnitEpochMs },
		"engagements.like.view_time": func(p *Params) { p.Inputs[1].ViewTime.Path = "vts" }, "engagements.like.id": func(p *Params) { p.Inputs[1].EventID = "eid" },
		"views.time": func(p *Params) { p.Inputs[0].Time.Pattern = "%F" }, "engagements.buy.time": func(p *Params) { p.Inputs[2].Time.Zone = "Europe/Berlin" },
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

// TestMeaningOfShapes: all that changes bytes of samples is told, and what is not there changes no fingerprint.
func TestMeaningOfShapes(t *testing.T) {
	seen := map[uint64]bool{}
	for _, shape := range []*sample.Shape{
		nil,
		{View: sample.ViewNone},
		{View: sample.ViewFlat},
		{Fields: []sample.FieldColumn{{Name: "a", Path: "b"}}},
		{Fields: []sample.FieldColumn{{Name: "a", Path: "b", Type: sample.CastLong}}},
		{Fields: []sample.FieldColumn{{Name: "a", Path: "b", Type: sample.CastDouble}}},
		{Fields: []sample.FieldColumn{{Name: "b", Path: "a"}}},
		{Fields: []sample.FieldColumn{{Name: "a", Path: "b"}, {Name: "c", Path: "d"}}},
		{Fields: []sample.FieldColumn{{Name: "c", Path: "d"}, {Name: "a", Path: "b"}}},
	} {
		p := someParams()
		p.Shape = shape
		require.False(t, seen[p.Meaning().Fingerprint()], "%+v", shape)
		seen[p.Meaning().Fingerprint()] = true
	}
	text, err := json.Marshal(someParams())
	require.NoError(t, err)
	require.NotContains(t, string(text), "Shape", "fingerprints of finished intervals are made of it")
}

// TestMeaningOfComputed: what is computed is part of the meaning, and a spec that computes nothing is as it was.
func TestMeaningOfComputed(t *testing.T) {
	seen := map[uint64]bool{}
	for _, computed := range [][]Computed{nil, {{Name: "a", Expression: "b"}}, {{Name: "a", Expression: "c"}}, {{Name: "b", Expression: "a"}}} {
		p := someParams()
		p.Inputs[0].Computed = computed
		require.False(t, seen[p.Meaning().Fingerprint()], "%+v", computed)
		seen[p.Meaning().Fingerprint()] = true
	}
	text, err := json.Marshal(someParams())
	require.NoError(t, err)
	require.NotContains(t, string(text), "Derived", "fingerprints of finished intervals are made of it")
}

// TestMeaningOfIDs: ids of one field are written as ever, and ids of several as no other is.
func TestMeaningOfIDs(t *testing.T) {
	several := someParams()
	several.Inputs[0].ID, several.Inputs[0].MoreID = "request", []string{"item.id"}
	several.Inputs[2].EventID, several.Inputs[2].MoreEventID = "event", []string{"ts"}
	m := several.Meaning()
	require.Equal(t, `["request" "item.id"]`, m[MeaningViewID])
	require.Equal(t, `["event" "ts"]`, m["engagements.buy.id"])
	require.Equal(t, "view", m["engagements.buy.view"])
	require.Equal(t, "id", someParams().Meaning()[MeaningViewID])

	swapped := someParams()
	swapped.Inputs[0].ID, swapped.Inputs[0].MoreID = "item.id", []string{"request"}
	names, _ := swapped.Meaning().Differences(m)
	require.Contains(t, names, MeaningViewID)

	text, err := json.Marshal(someParams().Inputs)
	require.NoError(t, err)
	require.NotContains(t, string(text), "More", "fingerprints of finished intervals are made of it")
	text, err = json.Marshal(several.Inputs)
	require.NoError(t, err)
	require.Contains(t, string(text), `"MoreID":["item.id"]`)
}

// TestAsManyFieldsInEachID: inputs whose ids have not as many fields would never meet.
func TestAsManyFieldsInEachID(t *testing.T) {
	p := someParams()
	p.Inputs[0].MoreID, p.Inputs[1].MoreID = []string{"b"}, []string{"c"}
	require.ErrorContains(t, p.Validate(), "input 2: an id of 1 fields, where that of input 0 has 2")
	require.NotContains(t, p.Validate().Error(), "input 1")
}
