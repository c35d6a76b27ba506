package rules

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// TestMeaningOfLabels: each label of several is part of the meaning, and a spec with one of each kind is as it was.
func TestMeaningOfLabels(t *testing.T) {
	seen := map[uint64]bool{}
	for _, labels := range [][]Label{
		nil,
		{{Name: "a", Func: label.Sum}},
		{{Name: "b", Func: label.Sum}},
		{{Name: "a", Func: label.Max}},
		{{Name: "a", Func: label.Last}},
		{{Name: "a", Func: label.Last, Type: sample.CastLong}},
		{{Name: "a", Func: label.Sum}, {Name: "b", Func: label.Max}},
		{{Name: "b", Func: label.Max}, {Name: "a", Func: label.Sum}},
	} {
		p := someParams()
		p.Kinds[0].Labels = labels
		require.False(t, seen[p.Meaning().Fingerprint()], "%+v", labels)
		seen[p.Meaning().Fingerprint()] = true
	}
	for _, values := range [][]string{{"x"}, {"y"}, {"x", ""}, {"", "x"}} {
		p := someParams()
		p.Inputs[1].Values = values
		require.False(t, seen[p.Meaning().Fingerprint()], "%+v", values)
		seen[p.Meaning().Fingerprint()] = true
	}
	text, err := json.Marshal(someParams())
	require.NoError(t, err)
	require.NotContains(t, string(text), `"Labels"`, "fingerprints of finished intervals are made of it")
	require.NotContains(t, string(text), `"Values"`, "fingerprints of finished intervals are made of it")
}

// TestLabelsThatCannotBe: names of columns are once there, and inputs have a field for each label.
func TestLabelsThatCannotBe(t *testing.T) {
	two := func(p *Params) {
		p.Kinds[0].Labels = []Label{{Name: "a", Func: label.Sum}, {Name: "b", Func: label.Last}}
		for i := range p.Inputs {
			if in := &p.Inputs[i]; in.Kind == 0 {
				in.Value, in.Values = "", []string{"x", "y"}
			}
		}
	}
	for _, c := range []struct {
		edit func(p *Params)
		want string
	}{
		{func(*Params) {}, ""},
		{func(p *Params) { p.Kinds[0].Labels[0].Name = p.Kinds[1].Name }, "label buy of buy: like has one of that name"},
		{func(p *Params) { p.Kinds[0].Labels[0].Type = sample.CastLong }, "label a of like: sum is of no other type, got long"},
		{func(p *Params) { p.Inputs[1].Values = []string{"x"} }, "input 1: 1 fields of labels, where like has 2"},
		{func(p *Params) { p.Inputs[1].Value = "x" }, "input 1: the field x of one label, where like has several"},
	} {
		p := someParams()
		p.Shards, p.To = 1, NoLogEnd
		require.NoError(t, p.Validate())
		two(p)
		c.edit(p)
		if c.want == "" {
			require.NoError(t, p.Validate())
		} else {
			require.ErrorContains(t, p.Validate(), c.want)
		}
	}
}
