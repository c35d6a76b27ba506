package bucket

import "tributary/transforms/sample"

// Output takes what a joined bucket gives. What it is handed is valid for the call.
type Output interface {
	// Sample takes the samples in order of (view time, view ID); given says whether the stage gives this one, or said as much before.
	Sample(s *sample.Sample, given bool)
	// SampledOut counts a negative that was not kept.
	SampledOut()
	// Withdraw takes, in the same order, a negative that was not kept, where an earlier stage has given a sample of the view.
	Withdraw(s *sample.Sample)
	// Corrected counts a sample whose label of a kind is another than was said before.
	Corrected(kind int)
	// DuplicateView counts a duplicate; differing if its payload was another, chained if it lies
	// further from the view kept than duplicates do: it is a duplicate of the one between.
	DuplicateView(differing, chained bool)
	// ResentView counts a view with the id of an earlier one in the bucket that is none.
	ResentView()
	// Overflow counts sums of a kind that are beyond what a double holds.
	Overflow(kind int, sums int64)
	// PartialOutcome takes what became of an engagement in this bucket.
	PartialOutcome(e *Engagement, s PartialOutcome)
}

// PartialOutcome is what one bucket knows of an engagement. An engagement that carries no
// view time is in several buckets, and only all of them together know its outcome.
type PartialOutcome struct {
	// Owner: this is the one bucket that speaks for the engagement even if it saw nothing.
	Owner bool
	// Final: no other bucket has anything to add.
	Final   bool
	Outcome Outcome
	// Matches is how many views of this bucket have the engagement in their window.
	Matches int64
}

// Outcome is what became of an engagement in a bucket; larger ones outrank smaller ones.
type Outcome uint8

// What a bucket can see of an engagement.
const (
	OutcomeNone      Outcome = iota // its view is not here
	OutcomeOutside                  // its view is here, but not with it in the window
	OutcomeDuplicate                // the same event came before, and no view counts this one instead
	OutcomeMatched                  // it counts, or another one was credited in its place
)
