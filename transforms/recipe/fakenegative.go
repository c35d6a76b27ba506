package recipe

const ktena = "Ktena, Tejani, Theis, Myana, Dilipkumar, Huszár, Yoo, Shi: " +
	"Addressing delayed feedback for continuous training with neural networks in CTR prediction. RecSys 2019"

// FakeNegativeWeighting weighs samples for a model that sees every view as a negative at once and each positive again
// when it comes: the fake negative weighted loss of Ktena et al., "Addressing delayed feedback for continuous training
// with neural networks in CTR prediction", RecSys 2019. p is the model's own prediction for the view, from 0 to 1.
//
// It takes all samples of the first stage, and of later ones those that are positive for the first time; it gives 0 to
// all others. A view that is positive at the first stage stands for both of the paper's rows, the negative and the
// positive, and has both weights:
//
//	first stage, negative      w.Negative = (1-p)(1+p)
//	first stage, positive      w.Negative = (1-p)(1+p), w.Positive = 1+p
//	positive in a later stage  w.Positive = 1+p
//
// Of one view the stream has so one negative and, with probability p, one positive. The share of positives among its
// rows is b = p/(1+p), which is what a model learns without weights. The weights are p/b = 1+p for positives and
// (1-p)/(1-b) = (1-p)(1+p) for negatives. With p the true one, the expected loss of a view is
//
//	-(p (1+p) log f + (1-p)(1+p) log(1-f))
//
// which is 1+p times the loss on final samples: the same minimum, f = p, for every view. With the model's own f in
// place of p the expected gradient by its logit is
//
//	(1-f)(1+f) f - p (1+f)(1-f) = (1-f)(1+f)(f-p)
//
// which has its only zero at f = p, and pulls towards it from both sides.
func FakeNegativeWeighting(s Sample, p float64) Weights {
	w := FakeNegativeCalibration(s)
	return Weights{Positive: w.Positive * (1 + p), Negative: w.Negative * (1 - p) * (1 + p)}
}

// FakeNegativeCalibration takes the same samples as FakeNegativeWeighting, each row with the weight 1: the model learns
// b = p/(1+p), and Calibrated gives p of it. From the same paper.
//
// The model must be able to say b: log(b/(1-b)) is log p, which a logistic regression that fits p exactly does not fit as
// well.
func FakeNegativeCalibration(s Sample) Weights {
	var w Weights
	if s.Version == 0 {
		w.Negative = 1
	}
	if firstPositive(s) {
		w.Positive = 1
	}
	return w.times(s.Weight)
}

// firstPositive tells whether a view is positive here and was not in its earlier versions.
func firstPositive(s Sample) bool { return s.Positive && (s.Version == 0 || !s.Told) }

// Calibrated is the probability that a view is positive, of the prediction b of a model that was trained by
// FakeNegativeCalibration: b = p/(1+p), so p = b/(1-b). No view is positive twice, so b is at most 1/2; above that it
// is the model's error, and the result 1.
func Calibrated(b float64) float64 {
	if b >= 0.5 {
		return 1
	}
	return b / (1 - b)
}
