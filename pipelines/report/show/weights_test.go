package show

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/transforms/recipe"
)

// stagedSchema is that of samples of a spec with stages.
const stagedSchema = `{"type":"record","name":"TributarySample","fields":[
	{"name":"view_id","type":"string"},{"name":"view_time","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"positive","type":"boolean"},
	{"name":"labels","type":{"type":"record","name":"TributaryLabels","fields":[{"name":"click","type":"long"}]}},
	{"name":"delay_ms","type":{"type":"record","name":"TributaryDelays","fields":[{"name":"click","type":["null","long"]}]}},
	{"name":"maturity_ms","type":"long"},{"name":"sampling_rate","type":"double"},{"name":"weight","type":"double"},
	{"name":"spec_version","type":"int"},{"name":"stage","type":"string"},{"name":"version","type":"int"},{"name":"final","type":"boolean"},
	{"name":"view","type":{"type":"record","name":"View","fields":[{"name":"score","type":"double"}]}}]}`

// staged is a sample of a stage.
type staged struct {
	view    string
	version int
	clicks  int
	weight  float64
}

var stageNames = []string{"10s", "5m", "30m"}

// writeStage writes samples of one stage to its folder.
func writeStage(t *testing.T, dir string, version int, all ...staged) {
	t.Helper()
	var buf bytes.Buffer
	w, err := goavro.NewOCFWriter(goavro.OCFConfig{W: &buf, Schema: stagedSchema})
	require.NoError(t, err)
	after, err := time.ParseDuration(stageNames[version])
	require.NoError(t, err)
	for _, s := range all {
		delay := goavro.Union("null", nil)
		if s.clicks > 0 {
			delay = goavro.Union("long", int64(9000))
		}
		require.NoError(t, w.Append([]any{map[string]any{
			"view_id": s.view, "view_time": int64(1767261600000), "positive": s.clicks > 0,
			"labels": map[string]any{"click": int64(s.clicks)}, "delay_ms": map[string]any{"click": delay},
			"maturity_ms": after.Milliseconds(), "sampling_rate": 1 / s.weight, "weight": s.weight, "spec_version": 1,
			"stage": stageNames[version], "version": version, "final": version == 2, "view": map[string]any{"score": 0.25},
		}}))
	}
	write(t, dir, "stage="+stageNames[version]+"/dt=2026-01-01/part-20260101T100000Z-20260101T103000Z.avro", buf.String())
}

// stagedFolder has a view that stays negative, one that is positive at once, one from the second stage on, and again, as
// it is clicked twice, in the third, and one from the third stage on whose negatives were not kept.
func stagedFolder(t *testing.T) string {
	dir := t.TempDir()
	writeStage(t, dir, 0, staged{"never", 0, 0, 2}, staged{"early", 0, 1, 1}, staged{"later", 0, 0, 2})
	writeStage(t, dir, 1, staged{"later", 1, 1, 1})
	writeStage(t, dir, 2, staged{"later", 2, 2, 1}, staged{"last", 2, 1, 1}, staged{"taken back", 2, 0, 0})
	return dir
}

func TestWeightsTable(t *testing.T) {
	dir := stagedFolder(t)
	out, warn := run(t, dir, Options{Width: 90, Weights: Weights{Recipe: "fake-negative-weighting", P: "view.score"}})
	assert.Empty(t, warn)
	assert.Equal(t, strings.TrimPrefix(`
view_id     stage  version  positive  maturity  weight  as_positive  as_negative
────────────────────────────────────────────────────────────────────────────────
never       10s          0  no             10s       2            0        1.875
early       10s          0  yes            10s       1         1.25       0.9375
later       10s          0  no             10s       2            0        1.875
later       5m           1  yes             5m       1         1.25            0
later       30m          2  yes            30m       1            0            0
last        30m          2  yes            30m       1         1.25            0
taken back  30m          2  no             30m       0            0            0
`, "\n"), out, "stages in order of their time, a view positive once")

	out, _ = run(t, dir, Options{Width: 79, Weights: Weights{Recipe: "fake-negative-calibration"}})
	assert.Contains(t, out, "\ntaken ba…  30m          2  no             30m       0            0            0\n")
	assert.NotContains(t, out, "no room")
	out, _ = run(t, dir, Options{Width: 90})
	assert.Regexp(t, `view_id +stage +view_time +positive +click +delay`, out, "stages without weights")
	assert.Regexp(t, `later +5m +2026-01-01T10:00:00Z +yes`, out)
	out, _ = run(t, dir, Options{Width: 50, Filter: Filter{Positive: true}})
	assert.Contains(t, out, "\nearly    10s    click 1 after 9s", "a narrow table has stages, too")
}

// TestWeightsOfFilteredSamples: what is not shown is met all the same.
func TestWeightsOfFilteredSamples(t *testing.T) {
	dir := stagedFolder(t)
	out, _ := run(t, dir, Options{Width: 90, Filter: Filter{Labels: []string{"click=2"}}, Weights: Weights{Recipe: "fake-negative-weighting", P: "0.5"}})
	assert.Regexp(t, `\nlater +30m +2 +yes +30m +1 +0 +0\n$`, out)
}

// TestWeightsAsJSON: the sample as it is, and its weights, to the last digit.
func TestWeightsAsJSON(t *testing.T) {
	dir := stagedFolder(t)
	plain, _ := run(t, dir, Options{JSON: true})
	for _, r := range recipe.All() {
		opt := Options{JSON: true, Weights: Weights{Recipe: r.Name}}
		if r.Wants(recipe.NeedsP) {
			opt.Weights.P = "0.3"
		}
		if r.Wants(recipe.NeedsDelayed) {
			opt.Weights.Delayed = "0.1"
		}
		if r.Wants(recipe.NeedsDelays) {
			opt.Weights.MeanDelay, opt.Weights.Window = 5*time.Minute, 30*time.Minute
		}
		if r.Wants(recipe.NeedsPart) { // of labels that count to two
			var out, told bytes.Buffer
			require.ErrorContains(t, Run(t.Context(), dir, opt, &out, &told), "sample of view later: its label click is 2, and no part of a positive")
			continue
		}
		out, _ := run(t, dir, opt)
		want := strings.Split(strings.TrimSpace(plain), "\n")
		got := strings.Split(strings.TrimSpace(out), "\n")
		require.Len(t, got, len(want))
		model := recipe.Model{P: 0.3, Delayed: 0.1, Delays: recipe.Exponential{Mean: 5 * time.Minute, Window: 30 * time.Minute}}
		for i := range got {
			require.True(t, gjson.Valid(got[i]), got[i])
			before, weights, found := strings.Cut(got[i], `,"weights":`)
			require.True(t, found)
			require.Equal(t, want[i], before+"}")
			rec := gjson.Parse(got[i])
			w := r.Weigh(recipe.Sample{
				Version: int(rec.Get("version").Int()), Positive: rec.Get("positive").Bool(), Told: rec.Get("view_id").Str == "later" && rec.Get("version").Int() == 2,
				Elapsed: time.Duration(rec.Get("maturity_ms").Int()) * time.Millisecond, Weight: rec.Get("weight").Num,
			}, model)
			require.Equal(t, fmt.Sprintf(`{"recipe":"%s","positive":%s,"negative":%s}}`, r.Name, number(w.Positive, -1), number(w.Negative, -1)), weights)
			require.InDelta(t, w.Positive, rec.Get("weights.positive").Num, 0)
		}
	}
}

// TestWeightsOfPartsOfStages: what is missing, or too much, is said.
func TestWeightsOfPartsOfStages(t *testing.T) {
	dir := stagedFolder(t)
	_, warn := run(t, filepath.Join(dir, "stage=5m"), Options{Weights: Weights{Recipe: "fake-negative-calibration"}})
	assert.Contains(t, warn, "no sample of the first stage (version 0) was read, and fake-negative-calibration takes all of them")
	_, warn = run(t, filepath.Join(dir, "stage=5m"), Options{Weights: Weights{Recipe: "importance"}})
	assert.Empty(t, warn)
	_, warn = run(t, dir, Options{Weights: Weights{Recipe: "importance"}})
	assert.Contains(t, warn, "samples of several stages were read, and importance takes one of each view")
	_, warn = run(t, dir, Options{Limit: 4, Weights: Weights{Recipe: "importance"}})
	assert.Empty(t, warn, "not all was read")
}

// TestWeightsOfSamplesWithoutStages: recipes that need none take them, others say what is missing.
func TestWeightsOfSamplesWithoutStages(t *testing.T) {
	path := samplesFile(t)
	out, warn := run(t, path, Options{Weights: Weights{Recipe: "importance"}})
	assert.Empty(t, warn)
	assert.Regexp(t, `\nv3 +– +– +no +30m +10 +0 +10\n$`, out)
	out, _ = run(t, path, Options{Weights: Weights{Recipe: "delayed-feedback-model", P: "0.5", MeanDelay: 30 * time.Minute}})
	assert.Regexp(t, fmt.Sprintf(`\nv3 +– +– +no +30m +10 +%s +%s\n$`, number(10/(math.E+1), 6), number(10*math.E/(math.E+1), 6)), out)
	out, _ = run(t, path, Options{Weights: Weights{Recipe: "delayed-feedback-model", P: "0.5", MeanDelay: 30 * time.Minute, Window: 30 * time.Minute}})
	assert.Regexp(t, `\nv3 +– +– +no +30m +10 +0 +10\n$`, out)

	assert.ErrorContains(t, failed(path, Weights{Recipe: "fake-negative-calibration"}),
		": --weights fake-negative-calibration: the samples have no stages (fields stage and version), of which it takes the first and what changes later; "+
			"their spec wants stages, like stages: [10s], see tributary help weights")
	short := write(t, t.TempDir(), "a.jsonl", strings.ReplaceAll(lines[0], `"maturity_ms":1800000,`, ""))
	assert.ErrorContains(t, failed(short, Weights{Recipe: "delayed-feedback-model", P: "0.5", MeanDelay: time.Minute}), "the samples have no maturity_ms")
	for _, weight := range []string{`null`, `"much"`, `-1`, `1e999`} {
		odd := write(t, t.TempDir(), "a.jsonl", strings.ReplaceAll(lines[0], `"weight":1,`, `"weight":`+weight+`,`))
		assert.ErrorContains(t, failed(odd, Weights{Recipe: "importance"}), "sample of view v1: its weight is ", weight)
	}
	other := write(t, t.TempDir(), "a.jsonl", `{"reason":"late"}`)
	assert.ErrorContains(t, failed(other, Weights{Recipe: "importance"}), "holds other records, not samples, which have weights")
}

// failed is how showing a file with weights ends.
func failed(path string, w Weights) error {
	return Run(context.Background(), path, Options{Weights: w}, new(bytes.Buffer), new(bytes.Buffer))
}

// TestPredictionsOfFields: of records, and of views that are JSON text.
func TestPredictionsOfFields(t *testing.T) {
	line := `{"view_id":"v1","view_time":1,"positive":false,"labels":{"like":0},"delay_ms":{"like":null},"maturity_ms":10000,"weight":1,"stage":"10s","version":0,"score":%s,"view":%s}`
	for _, c := range []struct{ path, score, view, want string }{
		{"score", `0.5`, `{}`, ""},
		{"score", `"0.5"`, `{}`, ""},
		{"view.a.b", `0`, `{"a":{"b":0.5}}`, ""},
		{"view.a.b", `0`, `"{\"a\":{\"b\":0.5}}"`, ""},
		{`view."a.b"`, `0`, `{"a.b":0.5}`, ""},
		{"view.a", `0`, `{}`, "sample of view v1: --p view.a: there is no such field"},
		{"score.x", `0.5`, `{}`, "--p score.x: there is no such field"},
		{"score", `null`, `{}`, "--p score: there is no such field"},
		{"score", `1.5`, `{}`, "--p score: 1.5 is not a number from 0 to 1"},
		{"score", `"high"`, `{}`, "--p score: high is not a number from 0 to 1"},
		{"score", `"NaN"`, `{}`, "--p score: NaN is not a number from 0 to 1"},
	} {
		path := write(t, t.TempDir(), "a.jsonl", fmt.Sprintf(line, c.score, c.view))
		w := Weights{Recipe: "fake-negative-weighting", P: c.path}
		if c.want != "" {
			assert.ErrorContains(t, failed(path, w), c.want, c.path)
			continue
		}
		out, _ := run(t, path, Options{Weights: w})
		assert.Regexp(t, `\nv1 +10s +0 +no +10s +1 +0 +0.75\n$`, out, c.path)
	}
}

func TestWrongWeights(t *testing.T) {
	for _, c := range []struct {
		weights Weights
		want    []string
	}{
		{Weights{Recipe: "fake-negative-wighting", P: "0.1"}, []string{
			`--weights "fake-negative-wighting": there is no such recipe, but fake-negative-weighting, fake-negative-calibration, elapsed-time-sampling, delayed-feedback-model, importance, parts; did you mean fake-negative-weighting?`,
		}},
		{Weights{P: "0.1"}, []string{"--weights says which, one of fake-negative-weighting, "}},
		{Weights{Recipe: "fake-negative-weighting"}, []string{"--weights fake-negative-weighting needs --p: the model's prediction"}},
		{Weights{Recipe: "elapsed-time-sampling"}, []string{"needs --p", "needs --delayed"}},
		{Weights{Recipe: "delayed-feedback-model", P: "2", MeanDelay: -1, Window: -1}, []string{"--p 2 is not a number from 0 to 1", "--mean-delay -1ns is negative", "--window -1ns is negative"}},
		{Weights{Recipe: "importance", P: "0.1", Delayed: "0.1", MeanDelay: 1, Window: 1}, []string{
			"--p is of no use to --weights importance", "--delayed is of no use", "--mean-delay is of no use", "--window is of no use",
		}},
		{Weights{Recipe: "fake-negative-weighting", P: "view..score"}, []string{"--p: "}},
	} {
		err := Options{Weights: c.weights}.Validate()
		require.Error(t, err)
		for _, want := range c.want {
			assert.ErrorContains(t, err, want)
		}
	}
}

func TestOrderOfStages(t *testing.T) {
	paths := []string{"out/x.avro", "out/stage=5m/a", "out/stage=30m/a", "out/stage=10s/b", "out/stage=10s/a", "out/stage=soon/a", "in/stage=1d/a"}
	InOrder(paths)
	assert.Equal(t, []string{"in/stage=1d/a", "out/stage=10s/a", "out/stage=10s/b", "out/stage=5m/a", "out/stage=30m/a", "out/stage=soon/a", "out/x.avro"}, paths)
	entries, err := os.ReadDir(stagedFolder(t))
	require.NoError(t, err)
	require.Equal(t, "stage=30m", entries[1].Name(), "the order of names is another")
}
