package recipe

import (
	"math"
	"time"
)

const (
	yang = "Yang, Li, Han, Zhuang, Zhan, Zeng, Tong: " +
		"Capturing delayed feedback in conversion rate prediction via elapsed-time sampling. AAAI 2021"
	chapelle = "Chapelle: Modeling delayed feedback in display advertising. KDD 2014"
)

// ElapsedTimeSampling weighs samples for a model that sees every view once the first stage has passed, with the label
// that it has by then, and each positive again that comes later: the importance weights of ES-DFM, Yang et al.,
// "Capturing delayed feedback in conversion rate prediction via elapsed-time sampling", AAAI 2021, whose elapsed time
// is here the first stage's, the same for all views. p is the model's prediction for the view, and delayed, at most p,
// the prediction that the view becomes positive only after the first stage.
//
// It takes all samples of the first stage, and of later ones those that are positive for the first time; it gives 0 to
// all others:
//
//	positive, of any stage  w.Positive = 1+delayed
//	negative, first stage   w.Negative = (1+delayed) (1-p)/(1-p+delayed)
//
// The fraction is the paper's p_rn, the probability that a negative of the first stage stays one; delayed is its p_dp.
// A model of its own may predict p_rn directly; p and delayed together say the same.
//
// Of one view the stream has a negative with probability 1-p+delayed and a positive with probability p, at once or
// later: 1+delayed rows, of which b = p/(1+delayed) are positive. The weights are p/b and (1-p)/(1-b). The expected
// loss of a view is 1+delayed times that on final samples. With the model's own f in place of p the expected gradient
// by its logit is
//
//	(1+delayed)² (1-f)(f-p) / (1-f+delayed)
//
// which has its only zero at f = p. Where all positives are delayed, delayed = p, this is FakeNegativeWeighting.
func ElapsedTimeSampling(s Sample, p, delayed float64) Weights {
	var w Weights
	switch {
	case firstPositive(s):
		w.Positive = 1 + delayed
	case s.Version == 0 && !s.Positive && p < 1:
		w.Negative = (1 + delayed) * (1 - p) / (1 - p + delayed)
	}
	return w.times(s.Weight)
}

// Exponential is the distribution of the delay of a positive view's first engagement: exponential with this mean, up to
// the end of the longest window, after which an engagement does not count.
type Exponential struct {
	// Mean is that of the exponential distribution before its end is cut off.
	Mean time.Duration
	// Window is the longest window; 0 for a distribution without an end, as in Chapelle's paper.
	Window time.Duration
}

// Survival is the probability that the delay of a positive view is at least t.
func (e Exponential) Survival(t time.Duration) float64 {
	switch {
	case t <= 0:
		return 1
	case e.Window == 0:
		return math.Exp(-e.ages(t))
	case t >= e.Window:
		return 0
	}
	// (exp(-t/m) - exp(-w/m)) / (1 - exp(-w/m)), without loss where t is near w or both are small.
	return math.Exp(-e.ages(t)) * math.Expm1(-e.ages(e.Window-t)) / math.Expm1(-e.ages(e.Window))
}

// Density is that of the delay t of a positive view, a second.
func (e Exponential) Density(t time.Duration) float64 {
	if t < 0 || e.Window > 0 && t >= e.Window {
		return 0
	}
	d := math.Exp(-e.ages(t)) / e.Mean.Seconds()
	if e.Window > 0 {
		d /= -math.Expm1(-e.ages(e.Window))
	}
	return d
}

// ages is a time in means.
func (e Exponential) ages(t time.Duration) float64 { return float64(t) / float64(e.Mean) }

// DelayedFeedbackModel weighs samples by what a negative may still become: the E step of the EM algorithm of Chapelle,
// "Modeling delayed feedback in display advertising", KDD 2014. p is the model's prediction for the view, delays the
// predicted distribution of its delay.
//
// It takes one sample of each view, at whatever age: all of one stage, or each view's newest of stages that write all
// samples. maturity_ms is the elapsed time e. A positive has w.Positive = 1. A negative is split by the probability u
// that it becomes positive, knowing that it has not up to e, with S(e) the probability of a delay of at least e:
//
//	u = p S(e) / (1-p + p S(e))    w.Positive = u, w.Negative = 1-u
//
// Of one view with p the true one, 1-p + p S(e) is the probability of a negative and p (1-S(e)) that of a positive, so
// the expected weights are p (1-S(e)) + p S(e) = p and 1-p, those of final samples. With the model's own f in place of p
// the gradient by its logit is that of the likelihood, see DelayedFeedbackLoss.
//
// With an end of the distribution, S is 0 once the window has passed, and a final negative is one. Without, it is
// exp(-e/mean), the paper's.
func DelayedFeedbackModel(s Sample, p float64, delays Exponential) Weights {
	if s.Positive {
		return Weights{Positive: s.Weight}
	}
	later := p * delays.Survival(s.Elapsed)
	if later == 0 {
		return Weights{Negative: s.Weight}
	}
	u := later / (1 - p + later)
	return Weights{Positive: u, Negative: 1 - u}.times(s.Weight)
}

// DelayedFeedbackLoss is what Chapelle's paper minimises over p and the delays together: the negative logarithm of the
// likelihood of a sample, with d its delay and e its elapsed time,
//
//	positive  -log p - log density(d)
//	negative  -log(1-p + p S(e))
//
// Its gradient by the logit of p is that of the weights of DelayedFeedbackModel, p-1 and p (1-p)(1-S(e))/(1-p + p S(e)).
// Densities are a second.
func DelayedFeedbackLoss(s Sample, p float64, delays Exponential) float64 {
	if s.Positive {
		return -s.Weight * (math.Log(p) + math.Log(delays.Density(s.Delay)))
	}
	return -s.Weight * math.Log1p(p*(delays.Survival(s.Elapsed)-1))
}
