package spec

import (
	"iter"
	"slices"
	"time"
)

// Stage is a time after each view at which it gets a sample, of what is known by then: the join with windows cut to
// that time.
type Stage struct {
	// After is how long after the view.
	After time.Duration
	// OutOfOrderness is the join's, as it is waited for at this stage: what comes later counts in the next one.
	OutOfOrderness time.Duration
	// Bucket is the length of the pieces of event time that are joined at once. It divides that of the next stage.
	Bucket time.Duration
	// Emit chooses the samples that are written.
	Emit Emit
}

// Name is how samples and folders call the stage.
func (s Stage) Name() string { return FormatDuration(s.After) }

// Emit says which samples of a stage are written.
type Emit string

// Choices of samples.
const (
	// EmitAll: every one.
	EmitAll Emit = "all"
	// EmitChanged: those with other labels than were said before, and those of views of which nothing was said.
	EmitChanged Emit = "changed"
	// EmitPositives: those with a label that differ from what was said before.
	EmitPositives Emit = "positives"
)

// Emits lists what emit may be.
var Emits = []Emit{EmitAll, EmitChanged, EmitPositives}

// StageFolder begins the names of the folders of stages, before Stage.Name: readers that know partitions take it for a column.
const StageFolder = "stage="

// StagesOf says of which stages an output of samples holds samples; empty is all.
type StagesOf string

// Choices of stages.
const (
	AllStages  StagesOf = "all"
	FinalStage StagesOf = "final"
)

// mostStages bounds how often each view is joined.
const mostStages = 8

const (
	// leastStageDisorder is how far out of order records of one partition are where nobody looked: writers and
	// networks stall for that long.
	leastStageDisorder = time.Second
	// leastStageBucket is short beside what a sample takes from its bucket to its reader.
	leastStageBucket = 100 * time.Millisecond
	// stageParts is into how many buckets a stage is divided, and what part of it is waited for records out of order.
	stageParts = 10
	// sharedStageParts is into how many buckets a stage is divided where credit chooses between views.
	sharedStageParts = 2
	// mostParts is how many times shorter than wanted a bucket may be to divide the next one.
	mostParts = 4
)

// fillStages puts in place what the file leaves out: the last stage, and what depends on others.
func (r *reader) fillStages(s *Spec, at dotted, stages *[]Stage) {
	if *stages == nil {
		return
	}
	longest := s.LongestWindow()
	if n := len(*stages); (*stages)[n-1].After < longest {
		*stages = append(*stages, Stage{After: longest})
	}
	all := *stages
	for i := range all {
		stage, at := &all[i], at.index(i)
		if !r.isSet(at.key("out_of_orderness")) {
			stage.OutOfOrderness = usualStageDisorder(stage.After, s.OutOfOrderness)
		}
		if !r.isSet(at.key("emit")) {
			stage.Emit = EmitChanged
			if i == 0 {
				stage.Emit = EmitAll
			}
		}
	}
	all[len(all)-1].OutOfOrderness = s.OutOfOrderness
	for i, bucket := range s.stageBuckets(all, s.Bucket) {
		all[i].Bucket = bucket
	}
}

// usualStageDisorder is the out-of-orderness of a stage that names none.
func usualStageDisorder(after, whole time.Duration) time.Duration {
	return min(whole, max(leastStageDisorder, (after/stageParts).Truncate(time.Millisecond)))
}

// stageBucket is how long buckets of a stage should be: where views are told to those around them, not much shorter than the stage.
func (s *Spec) stageBucket(after time.Duration) time.Duration {
	parts := time.Duration(stageParts)
	if s.shares() {
		parts = sharedStageParts
	}
	return max(leastStageBucket, (after / parts).Truncate(time.Millisecond))
}

// stageBuckets are the bucket lengths of stages, the last of which has this one, each near what is wanted and a divisor of the next
// stage's. Where there are none such, those are 0 of the stage before the longest that there are, and of all before it.
func (s *Spec) stageBuckets(stages []Stage, last time.Duration) []time.Duration {
	out, best := make([]time.Duration, len(stages)), make([]time.Duration, len(stages))
	longest := len(stages) // the first that best has
	type tried struct {
		stage  int
		bucket time.Duration
	}
	failed := map[tried]bool{}
	var fit func(i int, bucket time.Duration) bool
	fit = func(i int, bucket time.Duration) bool {
		if failed[tried{i, bucket}] {
			return false
		}
		if out[i] = bucket; i < longest {
			longest = i
			copy(best[i:], out[i:])
		}
		if i == 0 {
			return true
		}
		for shorter := range divisors(bucket, s.stageBucket(stages[i-1].After)) {
			if fit(i-1, shorter) {
				return true
			}
		}
		failed[tried{i, bucket}] = true
		return false
	}
	if len(stages) > 0 {
		fit(len(stages)-1, last)
	}
	return best
}

// divisors are the lengths near one that divide another, in whole milliseconds, at most as long as wanted, the longest first.
func divisors(of, want time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		whole, most := int64(of/time.Millisecond), int64(min(of, want)/time.Millisecond)
		if most == 0 {
			return
		}
		least := max(1, (most+mostParts-1)/mostParts)
		if most <= whole/most { // fewer lengths than numbers of parts
			for length := most; length >= least; length-- {
				if whole%length == 0 && !yield(time.Duration(length)*time.Millisecond) {
					return
				}
			}
			return
		}
		for parts := (whole + most - 1) / most; parts <= whole/least; parts++ {
			if whole%parts == 0 && !yield(time.Duration(whole/parts)*time.Millisecond) {
				return
			}
		}
	}
}

// plainBuckets are lengths with many divisors, that people write.
var plainBuckets = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour, day,
}

// nestingBucket is the bucket nearest to one with which those of stages nest: itself, or one that divides the longest
// window if such a one is within a factor of two; 0 for none.
func (s *Spec) nestingBucket(stages []Stage, bucket, longest time.Duration) time.Duration {
	nests := func(b time.Duration) bool { return !slices.Contains(s.stageBuckets(stages, b), 0) }
	if bucket <= day && nests(bucket) {
		return bucket
	}
	apart := func(b time.Duration) float64 { return max(float64(b)/float64(bucket), float64(bucket)/float64(b)) }
	var best, dividing time.Duration
	for _, b := range plainBuckets {
		if longest/b > mostBuckets || !nests(b) {
			continue
		}
		if best == 0 || apart(b) < apart(best) {
			best = b
		}
		if longest%b == 0 && apart(b) <= 2 && (dividing == 0 || apart(b) < apart(dividing)) {
			dividing = b
		}
	}
	if dividing > 0 {
		return dividing
	}
	return best
}

// withLast are stages of a file with the longest window as the last one.
func withLast(stages []Stage, longest time.Duration) []Stage {
	if n := len(stages); n > 0 && stages[n-1].After < longest {
		return append(slices.Clone(stages), Stage{After: longest})
	}
	return stages
}

// MostBucket is the longest bucket that a spec may have. Only views that share a key, which are told to all buckets that a window reaches, are
// worth the memory and the delay of more than a day.
func (s *Spec) MostBucket() time.Duration {
	if s.shares() {
		return max(day, s.LongestWindow())
	}
	return day
}

// usualBucket is the bucket of a spec that names none.
func (s *Spec) usualBucket() time.Duration {
	longest := s.LongestWindow()
	parts := int64(6)
	if s.shares() {
		parts = 1 // a view is told to all buckets that a window reaches
	}
	bucket := defaultBucket(longest, parts)
	if nesting := s.nestingBucket(withLast(s.Stages, longest), bucket, longest); nesting > 0 {
		return nesting
	}
	return bucket
}
