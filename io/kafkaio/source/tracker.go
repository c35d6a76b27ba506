package source

import "fmt"

// Claim is a step of a reader: it moves positions over what is about to be emitted, or
// notes what was decided about partitions and the watermark.
type Claim func(*Restriction)

// Tracker holds the positions of a reader while it reads. It is split only in two: all that
// was claimed, and all the rest. Not safe for concurrent use by itself; Beam locks it.
type Tracker struct {
	at      Restriction
	stopped bool // the rest was handed over
	err     error
}

// NewTracker returns one that tracks r.
func NewTracker(r Restriction) *Tracker { return &Tracker{at: r.clone()} }

// TryClaim makes a claim, unless the rest was handed over: then nothing more may be emitted.
func (t *Tracker) TryClaim(pos any) bool {
	step, ok := pos.(Claim)
	if !ok {
		t.err = fmt.Errorf("claim of %T", pos)
	}
	if t.stopped || !ok {
		return false
	}
	step(&t.at)
	return true
}

// TrySplit hands over all the rest, which is what a checkpoint asks for (fraction 0). At
// any other fraction there is nothing to hand over: partitions stay with their reader.
func (t *Tracker) TrySplit(fraction float64) (primary, residual any, err error) {
	if fraction > 0 || t.IsDone() {
		return t.at.clone(), nil, nil
	}
	t.stopped = true
	return t.at.clone(), t.at.clone(), nil
}

// IsDone says whether nothing is left: all was read, or handed over.
func (t *Tracker) IsDone() bool { return t.stopped || t.at.done() }

// GetProgress tells done and remaining: how much a log still holds is not known here.
func (t *Tracker) GetProgress() (done, remaining float64) {
	if t.IsDone() {
		return 1, 0
	}
	return 0, 1
}

// GetRestriction returns a copy of the positions.
func (t *Tracker) GetRestriction() any { return t.at.clone() }

// IsBounded says whether reading will end.
func (t *Tracker) IsBounded() bool { return t.at.Ends }

// GetError returns what went wrong with a claim.
func (t *Tracker) GetError() error { return t.err }
