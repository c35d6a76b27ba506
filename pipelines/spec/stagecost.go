package spec

import (
	"slices"
	"strconv"
	"time"
)

// StageCost is what a stage gives and takes. Times are in milliseconds.
type StageCost struct {
	Stage            string `json:"stage"`
	Emit             Emit   `json:"emit"`
	OutOfOrdernessMs int64  `json:"out_of_orderness_ms"`
	BucketMs         int64  `json:"bucket_ms"`
	// SamplesWithinMs is how long after their views samples come at most, in event time: writing them adds to it.
	SamplesWithinMs int64 `json:"samples_within_ms"`
	// EngagementCopies is to how many buckets an engagement is copied at most, one being its own.
	EngagementCopies int64 `json:"engagement_copies"`
	// ViewMarkers is into how many buckets beside its own a view is marked at most, to find its duplicates, and what shares its engagements.
	ViewMarkers int64 `json:"view_markers"`
	// MeanViewMarkers is into how many at the mean.
	MeanViewMarkers float64 `json:"mean_view_markers"`
	// StateShare is how much state is open at a time, as a share of that of the last stage, whose share is 1.
	StateShare float64 `json:"state_share"`
}

// StageCosts lists what the stages give and take, none for a spec without stages.
func (s *Spec) StageCosts() []StageCost {
	if len(s.Stages) == 0 {
		return nil
	}
	out := make([]StageCost, len(s.Stages))
	last := s.lastStage()
	whole := s.within(last)
	for i, stage := range s.Stages {
		out[i] = StageCost{
			Stage: stage.Name(), Emit: stage.Emit, OutOfOrdernessMs: stage.OutOfOrderness.Milliseconds(), BucketMs: stage.Bucket.Milliseconds(),
			SamplesWithinMs:  s.within(stage).Milliseconds(),
			EngagementCopies: s.copies(stage, i == len(s.Stages)-1),
			ViewMarkers:      stage.bucketsOf(s.marked(stage)+time.Millisecond) - 1,
			MeanViewMarkers:  float64(s.marked(stage)) / float64(stage.Bucket),
			StateShare:       float64(s.within(stage)) / float64(whole),
		}
	}
	return out
}

// WithTimes is the spec with other windows, in the order of Engagements, and another out-of-orderness, and with the defaults that follow from
// them of keys that the file does not have.
func (s *Spec) WithTimes(windows []time.Duration, outOfOrderness time.Duration) *Spec {
	other := *s
	other.Engagements, other.Stages = slices.Clone(s.Engagements), slices.Clone(s.Stages)
	for i := range windows {
		other.Engagements[i].Window = windows[i]
	}
	other.OutOfOrderness = outOfOrderness
	if last := len(s.Stages) - 1; last >= 0 && !s.IsSet("stages", strconv.Itoa(last)) {
		other.Stages[last].After = other.LongestWindow()
	}
	if !s.IsSet("bucket") {
		other.Bucket = other.usualBucket()
	}
	if !s.IsSet("stream", "max_future_skew") {
		other.Stream.MaxFutureSkew = UsualFutureSkew(outOfOrderness)
	}
	return &other
}

// WithBucket is the spec with buckets of another length.
func (s *Spec) WithBucket(length time.Duration) *Spec {
	other := *s
	other.Bucket = length
	return &other
}

// WholeCost is what the whole join gives and takes: the last stage, or a spec without any.
func (s *Spec) WholeCost() StageCost {
	whole := *s
	whole.Stages = []Stage{{After: s.LongestWindow(), OutOfOrderness: s.OutOfOrderness, Bucket: s.Bucket, Emit: EmitAll}}
	return whole.StageCosts()[0]
}

// BucketCost is what buckets of one length give and take; Now those that the spec has.
type BucketCost struct {
	Now  bool      `json:"now,omitempty"`
	Cost StageCost `json:"cost"`
}

// sharedParts are the parts of the longest window that buckets are compared at.
var sharedParts = []int64{4, 2, 1}

// BucketCosts compares buckets where views share a key, shortest first: the shorter they are, the sooner samples come, and the more of them a view is
// told to. Nil for other specs, and for those with stages, whose buckets nest.
func (s *Spec) BucketCosts() (out []BucketCost) {
	if !s.shares() || len(s.Stages) > 0 {
		return nil
	}
	for _, b := range s.SharedBuckets() {
		out = append(out, BucketCost{b == s.Bucket, s.WithBucket(b).WholeCost()})
	}
	return out
}

// SharedBuckets are lengths of buckets worth a look where views share a key, the one that there is among them, of which files of samples can
// be made as the spec wants them; none of other specs.
func (s *Spec) SharedBuckets() []time.Duration {
	if !s.shares() {
		return nil
	}
	all := []time.Duration{s.Bucket}
	for _, parts := range sharedParts {
		if part := (s.LongestWindow() / time.Duration(parts)).Truncate(time.Second); part > 0 && s.filesFit(part) {
			all = append(all, part)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// StagedCosts are the StageCosts of the spec if its samples came first so long after their views, and in the end, with the defaults of such a
// stage; nil if that is no stage.
func (s *Spec) StagedCosts(after time.Duration) []StageCost {
	if after >= s.LongestWindow() {
		return nil
	}
	staged := *s
	staged.Stages = []Stage{
		{After: after, OutOfOrderness: usualStageDisorder(after, s.OutOfOrderness), Emit: EmitAll},
		{After: s.LongestWindow(), OutOfOrderness: s.OutOfOrderness, Emit: EmitChanged},
	}
	for i, bucket := range s.stageBuckets(staged.Stages, s.Bucket) {
		if staged.Stages[i].Bucket = bucket; bucket == 0 {
			return nil
		}
	}
	return staged.StageCosts()
}

// within is how long the state of a view is kept at most: until its bucket has ended, the stage's time has passed after
// that, and the watermark says so. Buckets are closed where windows of their length end, which the watermark, behind by the whole
// join's out-of-orderness, may reach later.
func (s *Spec) within(stage Stage) time.Duration {
	behind := (stage.After - (s.OutOfOrderness - stage.OutOfOrderness)) % stage.Bucket
	if behind != 0 {
		behind = stage.Bucket - (behind+stage.Bucket)%stage.Bucket
	}
	return stage.After + stage.OutOfOrderness + stage.Bucket + behind
}

// marked is the length of time in whose buckets a view is marked.
func (s *Spec) marked(stage Stage) time.Duration {
	reach := stage.After + s.ClockSkew
	switch {
	case !s.shares():
		return s.Views.DedupWindow
	case !slices.ContainsFunc(s.Engagements, func(e Engagement) bool { return e.Credit != CreditFirst }):
		return reach + s.Views.DedupWindow
	default:
		return 2*reach + s.Views.DedupWindow
	}
}

// copies is how many buckets of a stage an engagement goes to at most: those in which its view may be, and where what is
// sent twice meets. The last stage looks beyond its window as well, to tell an engagement outside it from one without a view.
func (s *Spec) copies(stage Stage, last bool) int64 {
	most, slack := int64(0), time.Duration(0)
	if last {
		slack = max(stage.OutOfOrderness, 2*s.ClockSkew)
	}
	for _, e := range s.Engagements {
		views := stage.After + 2*slack + s.ClockSkew + s.Views.DedupWindow
		if e.ViewTime != nil {
			views = 2*s.ClockSkew + time.Millisecond
		}
		for _, other := range s.Engagements {
			if other.After == e.Kind { // it reaches all buckets whose views that may count for
				views = max(views, 2*min(other.Window, stage.After)+2*s.ClockSkew)
			}
		}
		most = max(most, stage.bucketsOf(views))
	}
	return most
}

// bucketsOf is how many buckets a length of time lies in at most. Times are whole milliseconds: one is in one bucket.
func (s Stage) bucketsOf(length time.Duration) int64 {
	return int64((length-2*time.Millisecond+s.Bucket)/s.Bucket) + 1
}
