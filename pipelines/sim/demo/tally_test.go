package demo

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

func TestCompare(t *testing.T) {
	ms := func(n int64) *int64 { return &n }
	tally := &tally{funcs: map[string]label.Func{"like": label.Count, "share": label.Binary, "buy": label.Sum}}
	want := generate.TrueSample{ViewID: "v", ViewTime: 1000, Positive: true, Pos: 3, Labels: map[string]generate.TrueLabel{
		"like": {Count: 2, Sum: 2, DelayMs: ms(500)}, "share": {Count: 3, Sum: 3, DelayMs: ms(0)}, "buy": {Count: 2, Sum: 7.25, DelayMs: ms(9)},
	}}
	for _, test := range []struct {
		name   string
		change func(*arrived)
		want   string
	}{
		{"the truth", func(*arrived) {}, ""},
		{"view time", func(a *arrived) { a.ViewTime++ }, "view time must be 1000"},
		{"time in the view", func(a *arrived) { a.View.Time++ }, "view time must be 1000"},
		{"another view", func(a *arrived) { a.View.ViewID = "w" }, "its view must be the one with id v and pos 3"},
		{"the duplicate", func(a *arrived) { a.View.Pos = 53 }, "its view must be the one with id v and pos 3"},
		{"fake negative", func(a *arrived) { a.Positive = false }, "positive must be true"},
		{"label left out", func(a *arrived) { delete(a.Labels, "buy") }, "must have 3 labels"},
		{"count", func(a *arrived) { a.Labels["like"] = 1 }, "label of like must be 2"},
		{"binary", func(a *arrived) { a.Labels["share"] = 3 }, "label of share must be 1"},
		{"sum", func(a *arrived) { a.Labels["buy"] = 2 }, "label of buy must be 7.25"},
		{"delay", func(a *arrived) { a.DelayMs["like"] = ms(501) }, "delay of like differs"},
		{"no delay", func(a *arrived) { a.DelayMs["like"] = nil }, "delay of like differs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := &arrived{
				ViewID: "v", ViewTime: 1000, Positive: true, Labels: map[string]float64{"like": 2, "share": 1, "buy": 7.25},
				DelayMs: map[string]*int64{"like": ms(500), "share": ms(0), "buy": ms(9)},
			}
			got.View.ViewID, got.View.Time, got.View.Pos = "v", 1000, 3
			test.change(got)
			difference := tally.compare(got, &want)
			if test.want == "" {
				require.Empty(t, difference)
			} else {
				require.Contains(t, difference, test.want)
			}
		})
	}
}

// TestTallyRepeats tells a sample that is there twice, which is an error, from a late record
// that is, which is not.
func TestTallyRepeats(t *testing.T) {
	columns := []sample.Column{{Kind: "like", Func: label.Binary}}
	schema, err := sample.Schema(columns, false, "")
	require.NoError(t, err)
	known := &truth{samples: map[string]generate.TrueSample{"v": {ViewID: "v"}, "missing": {}}}
	tally, err := newTally(&spec.Spec{}, schema, known)
	require.NoError(t, err)
	tally.text, err = newText(schema, true)
	require.NoError(t, err)
	encoder := sample.Encoder{Columns: columns, JSONViews: true}
	value := encoder.Append(nil, &sample.Sample{ViewID: []byte("v"), Labels: make([]label.Totals, 1), View: []byte(`{"view_id":"v"}`)})
	for range 3 {
		_, err := tally.sample(value)
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, tally.repeated())
	require.EqualValues(t, 1, tally.missing())

	for range 2 {
		require.NoError(t, tally.reject([]byte("views/0@7 views"), []byte(`{"reason":"late","role":"views"}`)))
	}
	require.NoError(t, tally.reject([]byte("engagements/0@7 like"), []byte(`{"reason":"partly late","role":"like"}`)))
	require.NoError(t, tally.reject([]byte("engagements/0@8 like"), []byte(`{"reason":"malformed","role":"like"}`)))
	require.NoError(t, tally.reject([]byte("engagements/0@9 like"), []byte(`{"reason":"orphan","role":"like"}`)))
	require.Equal(t, refused{views: 1, engagements: 1}, tally.late)
	require.Equal(t, refused{engagements: 1}, tally.dead)
	require.EqualValues(t, 1, tally.orphans)
}
