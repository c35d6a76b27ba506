package advise

import "math"

// z is that of 95 %.
const z = 1.959963984540054

// Figure is a number of records or views. Low and High are there where only a part of the ids was kept: the bounds within which the number
// lies with 95 % confidence.
type Figure struct {
	N    float64  `json:"n"`
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
}

// tally adds up a number of each id.
type tally struct{ sum, squares float64 }

func (t *tally) add(n float64) { t.sum, t.squares = t.sum+n, t.squares+n*n }

// figure is the total of all ids by those that were kept, each with the probability kept, independent of the others: the Horvitz-Thompson
// estimate of Poisson sampling, and its variance, sum n² (1-kept)/kept² (Särndal, Swensson, Wretman: Model Assisted Survey Sampling, 1992,
// section 3.5). Where none is found, the bound is that of the rule of three.
func (t tally) figure(kept float64) Figure {
	if kept >= 1 {
		return Figure{N: t.sum}
	}
	n := t.sum / kept
	if t.sum == 0 {
		return Figure{0, new(0.0), new(math.Ceil(3 / kept))}
	}
	deviation := z * math.Sqrt(t.squares*(1-kept)) / kept
	return Figure{math.Round(n), new(math.Floor(max(t.sum, n-deviation))), new(math.Ceil(n + deviation))}
}

// Share is a share of engagements or records, with the bounds of its Wilson score interval at 95 % (Wilson: Probable inference, the law of
// succession, and statistical inference, 1927), for a number that is divided by the design effect (Kish: Survey Sampling, 1965): the
// engagements of one view are not independent of each other. It says how far what comes later may be elsewhere, if it is of the same kind.
type Share struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// Of is how many it is a share of, DesignEffect how many of them say as much as one that is alone.
	Of           int64   `json:"of"`
	DesignEffect float64 `json:"design_effect"`
}

// ratio adds up parts and wholes of ids, for the share of all wholes.
type ratio struct{ part, whole, partPart, partWhole, wholeWhole, ids float64 }

func (r *ratio) add(part, whole float64) {
	r.part, r.whole, r.ids = r.part+part, r.whole+whole, r.ids+1
	r.partPart, r.partWhole, r.wholeWhole = r.partPart+part*part, r.partWhole+part*whole, r.wholeWhole+whole*whole
}

// share is the share of the parts; nil of nothing. The variance of a ratio of sums over clusters is ids/(ids-1) sum (part - share whole)² /
// whole² (Cochran: Sampling Techniques, 1977, section 2.11).
func (r *ratio) share() *Share {
	if r.whole == 0 {
		return nil
	}
	s := &Share{Value: r.part / r.whole, Of: int64(r.whole), DesignEffect: 1}
	if p := s.Value; p > 0 && p < 1 && r.ids > 1 {
		squares := r.partPart - 2*p*r.partWhole + p*p*r.wholeWhole
		variance := r.ids / (r.ids - 1) * max(0, squares) / (r.whole * r.whole)
		s.DesignEffect = max(1, variance/(p*(1-p)/(r.whole-1)))
	} else if r.ids > 0 { // all of one outcome: as if all of a view said the same
		s.DesignEffect = max(1, r.wholeWhole/r.whole)
	}
	s.Low, s.High = wilson(s.Value, r.whole/s.DesignEffect)
	return s
}

// wilson is the Wilson score interval of a share of n.
func wilson(p, n float64) (low, high float64) {
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	low, high = (middle-half)/(1+z*z/n), (middle+half)/(1+z*z/n)
	return max(0, min(low, p)), min(1, max(high, p))
}
