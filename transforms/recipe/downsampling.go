package recipe

import "math"

const he = "He, Pan, Jin, Xu, Liu, Xu, Shi, Atallah, Herbrich, Bowers, Quiñonero Candela: " +
	"Practical lessons from predicting clicks on ads at Facebook. ADKDD 2014"

// Importance weighs samples of which negatives were kept at a rate: by 1/rate, which is the field weight. It takes one
// sample of each view, the final one.
//
// A negative is there with probability keep, and counts 1/keep: one in expectation, as without down-sampling. Positives
// are all kept, and count 1.
func Importance(s Sample) Weights {
	if s.Positive {
		return Weights{Positive: s.Weight}
	}
	return Weights{Negative: s.Weight}
}

// Corrected is the probability that a view is positive, of the prediction q of a model that was trained without weights
// on samples of which a share keep of the negatives was kept, and all positives: He et al., "Practical lessons from
// predicting clicks on ads at Facebook", ADKDD 2014, section 6.3.
//
// Of one view the samples have a positive with probability p and a negative with probability keep (1-p), so
// q = p/(p + keep (1-p)). Solved for p:
//
//	p = q/(q + (1-q)/keep)
func Corrected(q, keep float64) float64 { return q / (q + (1-q)/keep) }

// CorrectedLogit is the same for a model's logit: the odds of p are keep times those of q, so that
// log(p/(1-p)) = log(q/(1-q)) + log(keep).
func CorrectedLogit(logit, keep float64) float64 { return logit + math.Log(keep) }
