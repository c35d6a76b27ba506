package batch

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/pipelines/job"
	"tributary/transforms/recipe"
)

// purchaseWindow is the longest window, meanDelay the mean of the exponential distribution that delays are drawn from,
// cut off where the window ends.
const (
	purchaseWindow = 30 * time.Minute
	meanDelay      = 8 * time.Minute
)

// clicked is a view of the experiment: a click on an advertisement, which a purchase may follow.
type clicked struct {
	id       string
	at       time.Time
	features features
	buys     bool
	delay    time.Duration // of the purchase
}

// features are those of a logistic regression: a constant, whether the device is a phone or a tablet, and the price.
type features [4]float64

// truth has the coefficients by which clicks are followed by purchases.
var truth = features{-1.5, 0.8, -0.7, -1}

func (x *features) dot(y *features) (sum float64) {
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// clicks draws clicks over a day, in order of time. Purchases are as many as their probabilities sum up to, at any time
// of the day: what is learned differs from those by how it was learned, and not by the luck of the draw.
func clicks(n int) []clicked {
	rng := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	all := make([]clicked, n)
	expected := rng.Float64()
	for i := range all {
		c := clicked{id: fmt.Sprintf("v%06d", i), at: start.Add(time.Duration(i) * 24 * time.Hour / time.Duration(n)).Truncate(time.Millisecond)}
		c.features = features{1, 0, 0, rng.Float64()}
		if device := rng.IntN(3); device > 0 {
			c.features[device] = 1
		}
		before := expected
		expected += sigmoid(truth.dot(&c.features))
		c.buys = math.Floor(expected) > math.Floor(before)
		// The inverse of the distribution of delays, cut off where the window ends.
		whole := -math.Expm1(-float64(purchaseWindow) / float64(meanDelay))
		c.delay = time.Duration(-math.Log1p(-rng.Float64()*whole) * float64(meanDelay)).Truncate(time.Millisecond)
		all[i] = c
	}
	return all
}

// seen is a sample as a trainer reads it.
type seen struct {
	recipe.Sample
	view     string
	features features
	readable time.Time // when its stage has passed
}

// stagesOf are the samples that a spec with these stages gives, the longest window at the end: all at the first stage,
// at later ones those with another label, or of views of which nothing was said. Negatives are kept at a rate.
func stagesOf(all []clicked, stages []time.Duration, keep float64) []seen {
	rng := rand.New(rand.NewPCG(3, 4))
	var out []seen
	for i := range all {
		c := &all[i]
		kept := rng.Float64() < keep
		said, positive := false, false
		for version, after := range stages {
			s := seen{view: c.id, features: c.features, readable: c.at.Add(after)}
			s.Sample = recipe.Sample{Version: version, Positive: c.buys && c.delay < after, Elapsed: after, Told: positive, Weight: 1 / keep}
			if s.Positive {
				s.Delay, s.Weight = c.delay, 1
			}
			if said && s.Positive == positive || !s.Positive && !kept {
				continue
			}
			said, positive = true, s.Positive
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b seen) int { return a.readable.Compare(b.readable) })
	return out
}

// stream trains a logistic regression in one pass over samples as they become readable, each weighed by what the model
// says of it by then. A step is Newton's, by the curvature of the losses so far.
func stream(samples []seen, weigh func(s recipe.Sample, p float64) recipe.Weights) features {
	var model features
	var inverse [len(model)]features // of the curvature, which begins with that of a wide prior
	for i := range inverse {
		inverse[i][i] = 10
	}
	for i := range samples {
		x := &samples[i].features
		p := sigmoid(model.dot(x))
		w := weigh(samples[i].Sample, p)
		var step features
		for j := range step {
			step[j] = inverse[j].dot(x)
		}
		curvature := (w.Positive + w.Negative) * p * (1 - p)
		shrink := curvature / (1 + curvature*step.dot(x))
		for j := range inverse { // by Sherman and Morrison
			for k := range inverse {
				inverse[j][k] -= shrink * step[j] * step[k]
			}
		}
		for j := range model {
			model[j] -= inverse[j].dot(x) * w.Gradient(p)
		}
	}
	return model
}

// rate is the mean of what a model predicts of the clicks.
func rate(all []clicked, predict func(x *features) float64) (mean float64) {
	for i := range all {
		mean += predict(&all[i].features) / float64(len(all))
	}
	return mean
}

// delayedFeedback fits a logistic regression and the mean delay to samples of one stage together, by the largest
// likelihood: the coefficients for each mean by scoring, the mean by golden section.
func delayedFeedback(samples []seen) (model features, mean time.Duration) {
	fit := func(mean float64) float64 {
		delays := recipe.Exponential{Mean: time.Duration(mean), Window: purchaseWindow}
		loss := 0.0
		for range 4 { // passes, the last of which measures
			loss = 0
			var gradient features
			var curvature [len(model)]features
			for i := range samples {
				s := &samples[i]
				p := sigmoid(model.dot(&s.features))
				w := recipe.DelayedFeedbackModel(s.Sample, p, delays)
				loss += recipe.DelayedFeedbackLoss(s.Sample, p, delays)
				known := 1 - delays.Survival(s.Elapsed)
				information := known * p * (1 - p) * (1 - p) / (1 - p*known)
				for j, x := range s.features {
					gradient[j] += w.Gradient(p) * x
					for k, y := range s.features {
						curvature[j][k] += information * x * y
					}
				}
			}
			step := solved(curvature, gradient)
			for j := range model {
				model[j] -= step[j]
			}
		}
		return loss
	}
	ratio := (math.Sqrt(5) - 1) / 2
	low, high := float64(3*time.Minute), float64(20*time.Minute)
	a, b := high-ratio*(high-low), low+ratio*(high-low)
	lossA, lossB := fit(a), fit(b)
	for high-low > float64(2*time.Second) {
		if lossA < lossB {
			high, b, lossB = b, a, lossA
			a = high - ratio*(high-low)
			lossA = fit(a)
		} else {
			low, a, lossA = a, b, lossB
			b = low + ratio*(high-low)
			lossB = fit(b)
		}
	}
	return model, time.Duration(low)
}

// solved is the solution of a system of equations with a positive definite matrix, by elimination.
func solved(m [len(features{})]features, y features) features {
	for i := range m {
		for j := i + 1; j < len(m); j++ {
			by := m[j][i] / m[i][i]
			for k := i; k < len(m); k++ {
				m[j][k] -= by * m[i][k]
			}
			y[j] -= by * y[i]
		}
	}
	for i := len(m) - 1; i >= 0; i-- {
		for k := i + 1; k < len(m); k++ {
			y[i] -= m[i][k] * y[k]
		}
		y[i] /= m[i][i]
	}
	return y
}

// realSamples are those of a real join of files, with these lines in its spec, in the order in which stages pass.
func realSamples(t *testing.T, all []clicked, lines string) []seen {
	t.Helper()
	dir := t.TempDir()
	var views, purchases bytes.Buffer
	for i := range all {
		c := &all[i]
		fmt.Fprintf(&views, `{"view_id":"%s","ts":%d,"features":[%g,%g,%g,%g]}`+"\n", c.id, c.at.UnixMilli(), c.features[0], c.features[1], c.features[2], c.features[3])
		if c.buys {
			fmt.Fprintf(&purchases, `{"view_id":"%s","ts":%d}`+"\n", c.id, c.at.Add(c.delay).UnixMilli())
		}
	}
	// A view that is no click of the day lets the windows of all others end.
	fmt.Fprintf(&views, `{"view_id":"end","ts":%d,"features":[]}`+"\n", all[len(all)-1].at.Add(purchaseWindow).UnixMilli())
	write(t, filepath.Join(dir, "views.jsonl"), views.String())
	write(t, filepath.Join(dir, "purchases.jsonl"), purchases.String())
	s := parse(t, dir, `
views: {inputs: views.jsonl, id: view_id, time: {field: ts, unit: epoch-millis}}
engagements:
  purchase: {inputs: purchases.jsonl, view: view_id, time: {field: ts, unit: epoch-millis}, window: 30m}
outputs: {samples: out/samples}
`+lines)
	join(t, s, Options{})
	var out []seen
	eachRecord(t, filepath.Join(dir, "out/samples"), func(_ string, text []byte) {
		fields := gjson.GetManyBytes(text, "view_id", "view_time", "positive", "delay_ms.purchase", "maturity_ms", "weight", "version", "view")
		if fields[0].Str == "end" {
			return
		}
		maturity := time.Duration(fields[4].Int()) * time.Millisecond
		sample := seen{view: fields[0].Str, readable: time.UnixMilli(fields[1].Int()).Add(maturity).UTC(), Sample: recipe.Sample{
			Version: int(fields[6].Int()), Positive: fields[2].Bool(), Delay: time.Duration(fields[3].Int()) * time.Millisecond, Elapsed: maturity, Weight: fields[5].Num,
		}}
		for i, x := range gjson.Get(fields[7].Str, "features").Array() {
			sample.features[i] = x.Num
		}
		out = append(out, sample)
	})
	slices.SortFunc(out, func(a, b seen) int { return cmp.Or(a.readable.Compare(b.readable), cmp.Compare(a.view, b.view)) })
	var told recipe.Told
	for i := range out {
		s := &out[i]
		s.Told = told.Meet(s.view, s.readable.Add(-s.Elapsed).UnixMilli(), s.Positive)
	}
	return out
}

// staged are the samples of a spec with these stages, and negatives kept at a rate, in the order in which stages pass.
func staged(t *testing.T, all []clicked, keep float64, stages ...string) []seen {
	return realSamples(t, all, fmt.Sprintf("stages: [%s]\nnegatives: {keep: %g}\n", strings.Join(stages, ", "), keep))
}

// TestStagesAreThoseOfTheJoin: what stages give follows from their definition, with stages and without.
func TestStagesAreThoseOfTheJoin(t *testing.T) {
	all := clicks(2_000)
	require.Equal(t, stagesOf(all, []time.Duration{time.Minute, 10 * time.Minute, purchaseWindow}, 1), staged(t, all, 1, "1m", "10m"))
	require.Equal(t, stagesOf(all, []time.Duration{purchaseWindow}, 1), realSamples(t, all, ""))
}

// experiment is a way to train, and how far off its rate may be and must be.
type experiment struct {
	name        string
	least, most float64 // of the rate that is learned, over the true one, less one
	learn       func() (predict func(x *features) float64)
}

// TestTrainingOnStages trains on samples as recipes say, and without them, and holds what is learned against the rate by
// which clicks were made. The page about weights has the same figures.
func TestTrainingOnStages(t *testing.T) {
	all := clicks(400_000)
	whole, half := staged(t, all, 1, "1m", "10m"), staged(t, all, 0.5, "1m", "10m")
	middle := slices.DeleteFunc(staged(t, all, 1, "10m"), func(s seen) bool { return s.Version > 0 })
	final, finalHalf := realSamples(t, all, ""), realSamples(t, all, "negatives: {keep: 0.5}")

	plain := func(s recipe.Sample, _ float64) recipe.Weights { return recipe.Importance(s) }
	unweighted := func(s recipe.Sample, _ float64) recipe.Weights {
		s.Weight = 1
		return recipe.Importance(s)
	}
	firstStage := func(s recipe.Sample, _ float64) recipe.Weights {
		if s.Version > 0 {
			return recipe.Weights{}
		}
		return recipe.Importance(s)
	}
	calibration := func(s recipe.Sample, _ float64) recipe.Weights { return recipe.FakeNegativeCalibration(s) }
	// The share of positives that come late is a number that samples tell: here that of the same samples.
	elapsed := func(samples []seen) func(recipe.Sample, float64) recipe.Weights {
		late, positives := 0.0, 0.0
		for i := range samples {
			if s := &samples[i]; s.Positive && !s.Told {
				positives++
				if s.Version > 0 {
					late++
				}
			}
		}
		return func(s recipe.Sample, p float64) recipe.Weights {
			return recipe.ElapsedTimeSampling(s, p, p*late/positives)
		}
	}
	by := func(samples []seen, weigh func(recipe.Sample, float64) recipe.Weights, corrected func(float64) float64) func() func(*features) float64 {
		return func() func(*features) float64 {
			model := stream(samples, weigh)
			return func(x *features) float64 { return corrected(sigmoid(model.dot(x))) }
		}
	}
	as := func(p float64) float64 { return p }

	want := rate(all, func(x *features) float64 { return sigmoid(truth.dot(x)) })
	for _, e := range []experiment{
		{"the first stage, as it is", -1, -0.5, by(whole, firstStage, as)},
		{"all stages, as they are", -0.5, -0.1, by(whole, plain, as)},
		{"half of the negatives, final, not weighted", 0.5, 1, by(finalHalf, unweighted, as)},
		{"fake-negative-weighting", -0.01, 0.01, by(whole, recipe.FakeNegativeWeighting, as)},
		{"fake-negative-weighting, half of the negatives", -0.01, 0.01, by(half, recipe.FakeNegativeWeighting, as)},
		{"fake-negative-calibration", -0.02, 0.02, by(whole, calibration, recipe.Calibrated)},
		{"elapsed-time-sampling", -0.01, 0.01, by(whole, elapsed(whole), as)},
		{"elapsed-time-sampling, half of the negatives", -0.01, 0.01, by(half, elapsed(half), as)},
		{"delayed-feedback-model, of samples after 10m", -0.01, 0.01, func() func(*features) float64 {
			model, mean := delayedFeedback(middle)
			require.InDelta(t, meanDelay.Seconds(), mean.Seconds(), 30, "the mean delay that is learned")
			return func(x *features) float64 { return sigmoid(model.dot(x)) }
		}},
		{"importance, half of the negatives, final", -0.01, 0.01, by(finalHalf, plain, as)},
		{"half of the negatives, final, corrected", -0.01, 0.01, by(finalHalf, unweighted, func(q float64) float64 { return recipe.Corrected(q, 0.5) })},
		{"final samples", -0.01, 0.01, by(final, plain, as)},
	} {
		off := rate(all, e.learn())/want - 1
		t.Logf("%-48s %+6.1f %%", e.name, 100*off)
		assert.True(t, off >= e.least && off <= e.most, "%s: the learned rate is %+.2f %% off, want %g to %g %%", e.name, 100*off, 100*e.least, 100*e.most)
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(e.name) + ` \| ([-+][\d.]+) % \|$`).FindStringSubmatch(job.WeightsPage)
		if assert.NotNil(t, row, "the page about weights has no row of %s", e.name) {
			said, err := strconv.ParseFloat(row[1], 64)
			require.NoError(t, err)
			assert.InDelta(t, said, 100*off, 0.11, "%s: what the page says", e.name)
		}
	}
}
