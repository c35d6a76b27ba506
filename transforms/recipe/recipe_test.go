package recipe

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// stages are those of the tests; the last one is the window.
var stages = []time.Duration{10 * time.Second, time.Minute, 30 * time.Minute}

// never is the delay of views that stay negative.
const never = time.Duration(math.MaxInt64)

// outcome is something that may become of a view.
type outcome struct {
	probability float64
	delay       time.Duration
	kept        bool // by negatives: {keep: …}, if it is negative
}

// outcomes are all that may become of a view: it is positive with probability p, and then in the n-th stage with
// probability late[n].
func outcomes(p float64, late [3]float64, keep float64) (all []outcome) {
	delays := []time.Duration{5 * time.Second, 30 * time.Second, 10 * time.Minute}
	for _, kept := range []bool{true, false} {
		share := keep
		if !kept {
			share = 1 - keep
		}
		for n, d := range delays {
			all = append(all, outcome{share * p * late[n], d, kept})
		}
		all = append(all, outcome{share * (1 - p), never, kept})
	}
	return all
}

// versions are the samples of a view of a spec with stages: all at the first, then those with another label, or that
// were not said before. again says that the label changes at the last stage once more, as a count does.
func (o outcome) versions(keep float64, again bool) (all []Sample) {
	var told Told
	said, was := false, false
	for n, after := range stages {
		s := Sample{Version: n, Elapsed: after, Positive: o.delay < after, Weight: 1 / keep}
		if s.Positive {
			s.Weight, s.Delay = 1, o.delay
		}
		changed := !said || s.Positive != was || again && s.Positive && n == len(stages)-1
		if !changed || !s.Positive && !o.kept {
			continue
		}
		s.Told = told.Meet("v", 1, s.Positive)
		all = append(all, s)
		said, was = true, s.Positive
	}
	return all
}

// at is the sample of a view at a stage that writes all; none for a negative that is not kept.
func (o outcome) at(stage int, keep float64) []Sample {
	after := stages[stage]
	if o.delay < after {
		return []Sample{{Version: stage, Elapsed: after, Positive: true, Delay: o.delay, Weight: 1}}
	}
	if !o.kept {
		return nil
	}
	return []Sample{{Version: stage, Elapsed: after, Weight: 1 / keep}}
}

// expected sums something over all that may become of a view.
func expected(all []outcome, samples func(outcome) []Sample, of func(Sample) float64) (sum float64) {
	for _, o := range all {
		for _, s := range samples(o) {
			sum += o.probability * of(s)
		}
	}
	return sum
}

// drawn are a view's rates.
type drawn struct {
	p, f float64 // of the truth and of a model
	late [3]float64
	keep float64
}

func draw(t *rapid.T) drawn {
	rate := rapid.Float64Range(0.01, 0.99)
	d := drawn{p: rate.Draw(t, "p"), f: rate.Draw(t, "f"), keep: rapid.Float64Range(0.01, 1).Draw(t, "keep")}
	a, b, c := rate.Draw(t, "first"), rate.Draw(t, "second"), rate.Draw(t, "third")
	d.late = [3]float64{a / (a + b + c), b / (a + b + c), c / (a + b + c)}
	return d
}

// delayed is the probability that the view becomes positive after the first stage.
func (d drawn) delayed() float64 { return d.p * (1 - d.late[0]) }

// close to within rounding.
func closeTo(t require.TestingT, want, got float64, about string, args ...any) {
	require.InDelta(t, want, got, 1e-9*max(1, math.Abs(want)), append([]any{about}, args...)...)
}

// TestExpectedGradients: over all that may become of a view, the gradient of the weighted loss is that on final samples,
// times what the recipe's text says. Labels that change once more change nothing, nor does down-sampling.
func TestExpectedGradients(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		all := outcomes(d.p, d.late, d.keep)
		again := rapid.Bool().Draw(t, "again")
		staged := func(o outcome) []Sample { return o.versions(d.keep, again) }
		truth := d.f - d.p

		gradient := expected(all, staged, func(s Sample) float64 { return FakeNegativeWeighting(s, d.p).Gradient(d.f) })
		closeTo(t, (1+d.p)*truth, gradient, "fake negatives weighted by the truth: %+v", d)
		gradient = expected(all, staged, func(s Sample) float64 { return FakeNegativeWeighting(s, d.f).Gradient(d.f) })
		closeTo(t, (1-d.f)*(1+d.f)*truth, gradient, "fake negatives weighted by the model: %+v", d)

		b := d.p / (1 + d.p)
		gradient = expected(all, staged, func(s Sample) float64 { return FakeNegativeCalibration(s).Gradient(b) })
		closeTo(t, 0, gradient, "fake negatives not weighted, at b: %+v", d)
		closeTo(t, d.p, Calibrated(b), "b calibrated")

		late := d.delayed()
		gradient = expected(all, staged, func(s Sample) float64 { return ElapsedTimeSampling(s, d.p, late).Gradient(d.f) })
		closeTo(t, (1+late)*truth, gradient, "elapsed time by the truth: %+v", d)
		gradient = expected(all, staged, func(s Sample) float64 { return ElapsedTimeSampling(s, d.f, late).Gradient(d.f) })
		closeTo(t, (1+late)*(1+late)*(1-d.f)*truth/(1-d.f+late), gradient, "elapsed time by the model: %+v", d)

		last := func(o outcome) []Sample { return o.at(2, d.keep) }
		gradient = expected(all, last, func(s Sample) float64 { return Importance(s).Gradient(d.f) })
		closeTo(t, truth, gradient, "final samples by importance: %+v", d)
		q := d.p / (d.p + d.keep*(1-d.p))
		gradient = expected(all, last, func(s Sample) float64 {
			s.Weight = 1
			return Importance(s).Gradient(q)
		})
		closeTo(t, 0, gradient, "final samples not weighted, at q: %+v", d)
		closeTo(t, d.p, Corrected(q, d.keep), "q corrected")
		closeTo(t, logit(d.p), CorrectedLogit(logit(q), d.keep), "the logit of q corrected")
	})
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// TestWithoutWeightsItIsBiased: what recipes are against. The first stage alone, and all versions as they come, are
// right for other rates.
func TestWithoutWeightsItIsBiased(t *testing.T) {
	const p = 0.2
	late := [3]float64{0.1, 0.3, 0.6}
	all := outcomes(p, late, 1)
	plain := func(s Sample) float64 { return Importance(s).Gradient(0.5) }
	rate := func(samples func(outcome) []Sample) float64 { // that a model learns: where the gradient is 0
		rows := expected(all, samples, func(Sample) float64 { return 1 })
		return 0.5 - expected(all, samples, plain)/rows
	}
	assert.InDelta(t, p*late[0], rate(func(o outcome) []Sample { return o.at(0, 1) }), 1e-12)
	assert.InDelta(t, p/(1+p*(1-late[0])), rate(func(o outcome) []Sample { return o.versions(1, false) }), 1e-12)
	assert.InDelta(t, p, rate(func(o outcome) []Sample { return o.at(2, 1) }), 1e-12)
}

// TestElapsedTimeSamplingOfNothingKnown: where all positives are delayed it is the weighting of fake negatives.
func TestElapsedTimeSamplingOfNothingKnown(t *testing.T) {
	for _, s := range []Sample{{Weight: 3}, {Version: 1, Positive: true, Weight: 1}, {Version: 1, Positive: true, Told: true, Weight: 1}, {Version: 2, Weight: 1}} {
		for _, p := range []float64{0, 0.3, 1} {
			assert.InDeltaMapValues(t, values(FakeNegativeWeighting(s, p)), values(ElapsedTimeSampling(s, p, p)), 1e-12, "%+v", s)
		}
	}
}

func values(w Weights) map[string]float64 {
	return map[string]float64{"positive": w.Positive, "negative": w.Negative}
}

// TestExponential: survival is the integral of the density, and 0 where the window ends.
func TestExponential(t *testing.T) {
	for _, e := range []Exponential{{Mean: time.Minute}, {Mean: time.Minute, Window: 2 * time.Minute}, {Mean: 100 * time.Hour, Window: time.Minute}} {
		t.Run(fmt.Sprint(e.Mean, e.Window), func(t *testing.T) {
			const steps = 2000
			from, to := 20*time.Second, 50*time.Second
			integral := 0.0
			for i := range steps {
				at := from + time.Duration((float64(i)+0.5)/steps*float64(to-from))
				integral += e.Density(at) * (to - from).Seconds() / steps
			}
			assert.InDelta(t, e.Survival(from)-e.Survival(to), integral, 1e-7)
			assert.InDelta(t, 1, e.Survival(0), 1e-12)
			if e.Window > 0 {
				assert.Zero(t, e.Survival(e.Window))
				assert.Zero(t, e.Density(e.Window))
				assert.InDelta(t, 0, e.Survival(e.Window-1), 1e-9)
			}
		})
	}
	assert.InDelta(t, math.Exp(-2), Exponential{Mean: time.Minute}.Survival(2*time.Minute), 1e-12)
}

// TestDelayedFeedbackModel: over all that may become of a view, the weights of the truth sum up to p and 1-p at any
// stage, and their gradient is that of the likelihood.
func TestDelayedFeedbackModel(t *testing.T) {
	delays := Exponential{Mean: 5 * time.Minute, Window: stages[2]}
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		early, middle := delays.Survival(stages[0]), delays.Survival(stages[1])
		d.late = [3]float64{1 - early, early - middle, middle}
		all := outcomes(d.p, d.late, d.keep)
		for stage := range stages {
			samples := func(o outcome) []Sample { return o.at(stage, d.keep) }
			closeTo(t, d.p, expected(all, samples, func(s Sample) float64 { return DelayedFeedbackModel(s, d.p, delays).Positive }), "stage %d: %+v", stage, d)
			closeTo(t, 1-d.p, expected(all, samples, func(s Sample) float64 { return DelayedFeedbackModel(s, d.p, delays).Negative }), "stage %d: %+v", stage, d)
			for _, o := range all {
				for _, s := range samples(o) {
					const step = 1e-4
					loss := func(z float64) float64 { return DelayedFeedbackLoss(s, 1/(1+math.Exp(-z)), delays) }
					z := logit(d.f)
					slope := (loss(z+step) - loss(z-step)) / (2 * step)
					require.InDelta(t, slope, DelayedFeedbackModel(s, d.f, delays).Gradient(d.f), 1e-6*max(1, s.Weight), "%+v of %+v", s, d)
				}
			}
		}
	})
	assert.Equal(t, Weights{Negative: 2}, DelayedFeedbackModel(Sample{Elapsed: stages[2], Weight: 2}, 0.3, delays), "the window has passed")
	assert.Equal(t, Weights{Negative: 1}, DelayedFeedbackModel(Sample{Weight: 1}, 0, delays))
}

// TestRecipesByName: each is found, says what it is, and weighs by no more than it says that it needs.
func TestRecipesByName(t *testing.T) {
	require.Nil(t, Find("none"))
	require.Len(t, Names(), len(All()))
	for _, r := range All() {
		require.Same(t, r, Find(r.Name))
		assert.NotEmpty(t, r.Short)
		assert.Regexp(t, ` 20\d\d$`, r.Paper)
		m := Model{P: 0.3, Delayed: 0.2, Delays: Exponential{Mean: time.Minute}}
		for _, change := range []struct {
			need Need
			to   func(Model) Model
		}{
			{NeedsP, func(m Model) Model { m.P = 0.6; return m }},
			{NeedsDelayed, func(m Model) Model { m.Delayed = 0.1; return m }},
			{NeedsDelays, func(m Model) Model { m.Delays.Mean = time.Hour; return m }},
		} {
			s := Sample{Weight: 1, Elapsed: 10 * time.Second}
			assert.Equal(t, r.Wants(change.need), r.Weigh(s, m) != r.Weigh(s, change.to(m)), "%s, %s", r.Name, change.need)
		}
		later := Sample{Version: 1, Weight: 1, Elapsed: 10 * time.Second}
		assert.Equal(t, r.Wants(NeedsStages), r.Weigh(later, m) == Weights{}, "%s: whether a negative that is said again counts", r.Name)
	}
}

// TestTold: id and time name a view.
func TestTold(t *testing.T) {
	var told Told
	assert.False(t, told.Meet("a", 1, false))
	assert.False(t, told.Meet("a", 1, true))
	assert.True(t, told.Meet("a", 1, true))
	assert.True(t, told.Meet("a", 1, false))
	assert.False(t, told.Meet("a", 2, true))
	assert.False(t, told.Meet("b", 1, true))
}

// TestParts: of views that share an engagement evenly, some of them with no part in any, a model learns the expected part, whatever share
// of the negatives is kept; and what a group of them shares counts once in all.
func TestParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := rapid.SampledFrom([]float64{1, 0.5, 0.1}).Draw(t, "keep")
		groups := rapid.SliceOfN(rapid.IntRange(1, 6), 1, 8).Draw(t, "views of an engagement")
		none := rapid.IntRange(0, 30).Draw(t, "views without any")
		sum, views := 0.0, none
		var total Weights
		add := func(s Sample, probability float64) (w Weights) {
			w = Parts(s)
			total.Positive, total.Negative = total.Positive+probability*w.Positive, total.Negative+probability*w.Negative
			return w
		}
		for _, n := range groups {
			whole := 0.0
			for range n {
				whole += add(Sample{Positive: true, Part: 1 / float64(n), Weight: 1}, 1).Positive
			}
			require.InDelta(t, 1, whole, 1e-12)
			sum, views = sum+1, views+n
		}
		for range none {
			add(Sample{Weight: 1 / keep}, keep)
		}
		require.InDelta(t, 0, total.Gradient(sum/float64(views)), 1e-9, "the loss is least where the prediction is the mean part")
		require.InDelta(t, float64(views), total.Positive+total.Negative, 1e-9, "each view counts once")
	})
}
