// Package recipe says how much each sample of a join counts when a model is trained on it, so that a model that learns
// from samples while some of their labels are still to come, or from a part of the negatives, predicts the rates that
// all final samples have.
//
// A recipe turns a sample into two weights, one for each label: how much the sample counts as a positive and how much
// as a negative. The loss of the sample, for a prediction f of the probability that a view is positive, is
//
//	-(w.Positive log f + w.Negative log(1-f))
//
// A trainer that takes rows of a label and a weight gets a row for each weight that is not 0. Weights depend on the
// model's own prediction in some recipes; there they are numbers, through which no gradient flows.
//
// In all derivations x is a view, p its probability of being positive in the end, which is when the longest window has
// passed, and D the delay of its first engagement. Windows are half-open, so that a stage d after the view knows an
// engagement if D < d. Expectations are over what may become of one view; the weight that a join gives a sample because
// negatives are down-sampled multiplies every recipe's, and makes the kept ones stand for all.
package recipe

import (
	"slices"
	"time"
)

// Sample is what recipes look at of a sample.
type Sample struct {
	// Version counts the samples of a view by stage, from 0: the field version. 0 without stages.
	Version int
	// Positive is the field positive, or whether the label of one kind is one, where that is to be learned.
	Positive bool
	// Part is the label, where that is a part of a positive: from 0 to 1.
	Part float64
	// Told says that an earlier version of the view was positive: see Told.
	Told bool
	// Delay is that of the first engagement, the least in the field delay_ms; of no meaning for negatives.
	Delay time.Duration
	// Elapsed is for how long after the view engagements could be seen: the field maturity_ms.
	Elapsed time.Duration
	// Weight is the field weight, the inverse of the rate at which samples like this one were kept.
	Weight float64
}

// Model is what a model says of a view. A recipe takes of it what its Needs say.
type Model struct {
	// P is the predicted probability that the view is positive in the end.
	P float64
	// Delayed is the predicted probability that it becomes so only after the first stage. It is at most P.
	Delayed float64
	// Delays is the predicted distribution of the delay, should the view be positive.
	Delays Exponential
}

// Weights are how much a sample counts as a positive and as a negative.
type Weights struct{ Positive, Negative float64 }

// Gradient is that of the sample's loss by the model's logit, where it predicts f.
func (w Weights) Gradient(f float64) float64 { return w.Negative*f - w.Positive*(1-f) }

func (w Weights) times(by float64) Weights { return Weights{w.Positive * by, w.Negative * by} }

// Need is one of the things that a recipe needs to know beside the sample.
type Need string

// What a recipe may need.
const (
	NeedsStages  Need = "stages"  // the fields of samples of a spec with stages
	NeedsP       Need = "p"       // Model.P
	NeedsDelayed Need = "delayed" // Model.Delayed
	NeedsDelays  Need = "delays"  // Model.Delays
	NeedsPart    Need = "part"    // Sample.Part
)

// Recipe is a recipe by its name.
type Recipe struct {
	Name string
	// Short is what it does, Paper where it is from.
	Short, Paper string
	Needs        []Need
	// Weigh gives the weights of a sample.
	Weigh func(Sample, Model) Weights
}

// Wants tells whether the recipe needs that.
func (r *Recipe) Wants(n Need) bool { return slices.Contains(r.Needs, n) }

var all = []*Recipe{
	{
		Name: "fake-negative-weighting", Short: "every view as a negative first, positives again; weights by the prediction",
		Paper: ktena, Needs: []Need{NeedsStages, NeedsP},
		Weigh: func(s Sample, m Model) Weights { return FakeNegativeWeighting(s, m.P) },
	},
	{
		Name: "fake-negative-calibration", Short: "the same samples, not weighted; the prediction is corrected",
		Paper: ktena, Needs: []Need{NeedsStages},
		Weigh: func(s Sample, _ Model) Weights { return FakeNegativeCalibration(s) },
	},
	{
		Name: "elapsed-time-sampling", Short: "the first stage as it is, delayed positives again; weights by two predictions",
		Paper: yang, Needs: []Need{NeedsStages, NeedsP, NeedsDelayed},
		Weigh: func(s Sample, m Model) Weights { return ElapsedTimeSampling(s, m.P, m.Delayed) },
	},
	{
		Name: "delayed-feedback-model", Short: "one sample a view, at any age; a model of the delay says what a negative may become",
		Paper: chapelle, Needs: []Need{NeedsP, NeedsDelays},
		Weigh: func(s Sample, m Model) Weights { return DelayedFeedbackModel(s, m.P, m.Delays) },
	},
	{
		Name: "importance", Short: "one sample a view, final; kept negatives stand for those that were not",
		Paper: he,
		Weigh: func(s Sample, _ Model) Weights { return Importance(s) },
	},
	{
		Name: "parts", Short: "one sample a view, final; a part of a positive, and the rest of a negative",
		Paper: elkan, Needs: []Need{NeedsPart},
		Weigh: func(s Sample, _ Model) Weights { return Parts(s) },
	},
}

// All lists the recipes.
func All() []*Recipe { return slices.Clone(all) }

// Names lists their names.
func Names() (names []string) {
	for _, r := range all {
		names = append(names, r.Name)
	}
	return names
}

// Find returns the recipe of that name, nil for none.
func Find(name string) *Recipe {
	for _, r := range all {
		if r.Name == name {
			return r
		}
	}
	return nil
}
