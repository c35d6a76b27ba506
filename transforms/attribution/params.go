package attribution

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/label"
)

// Credit chooses which of a view's engagements of one kind count.
type Credit string

// The choices of credit.
const (
	CreditAll   Credit = "all"
	CreditFirst Credit = "first"
	CreditLast  Credit = "last"
)

// Kind is one kind of engagement. Times are in milliseconds, here and in Params.
type Kind struct {
	Name string
	// Window is the attribution window: an engagement at e counts for a view at t if
	// t - ClockSkew <= e < t + Window.
	Window int64
	Label  label.Func
	Credit Credit
	// SkipBadValues says that an engagement whose value the label cannot take counts without it;
	// otherwise it is malformed.
	SkipBadValues bool
}

// Field is a time field of a record.
type Field struct {
	Path string
	Unit record.Unit
}

// Input says how to read the records of one input.
type Input struct {
	// Name is what accounts call the input; empty for no account of its own.
	Name string
	// Kind is the index of the kind of engagement, or Views.
	Kind int
	// ID is the view's id, or the field of the engagement that names its view.
	ID   string
	Time Field
	// Others are, for paths here, those that the fields have in Avro records of other ages
	// (see avro.Others).
	Others map[string][]string
	// Ordered says that partitions of this input have an order, and hence a watermark.
	Ordered bool

	// The rest is for engagements; empty paths stand for fields that are not used.
	ViewTime Field
	EventID  string
	Value    string // the label's field
	Where    []Condition
}

// Views is the Kind of an input of views.
const Views = -1

// Params is all that decides what a join gives.
type Params struct {
	Kinds  []Kind
	Inputs []Input
	// Schemas are the writers' Avro schemas by their ID; batches with schema 0 hold JSON.
	Schemas map[uint64]string
	// ViewSchema is the schema of the views in samples; empty for JSON text.
	ViewSchema string

	OutOfOrderness int64
	// MaxFutureSkew is how far ahead of all others in its partition one record still moves the
	// watermark (see record.Clock); 0 for any distance.
	MaxFutureSkew int64 `json:"MaxAhead"` // the name in fingerprints of finished intervals
	ClockSkew     int64
	// DedupWindow is how far apart in event time two records with one id still are
	// the same event.
	DedupWindow int64 `json:"DuplicatesWithin"` // likewise
	// Bucket is the length of a bucket of view time. It changes cost and delay, never results.
	Bucket int64
	// Shards is over how many keys a bucket is spread. It changes no results either.
	Shards int
	// Earlier are the numbers of shards of earlier buckets, in order of Until.
	Earlier []Layout
	// Compress says that blocks are compressed: worth its time where they are moved between
	// processes and rest in state, and not where they stay in memory. It changes no results.
	Compress bool
	// Keep is the rate at which negatives are kept, in (0, 1].
	Keep        float64
	SpecVersion int32
	// Orphans says whether engagements without a view are to be written, not just counted.
	Orphans bool

	// From and To bound the slice of event time that is accounted for: samples of views
	// in [From, To). Events outside are used as far as they matter for that slice.
	From, To int64
	// Since is the start of the first bucket that is joined, the others having been joined by
	// an earlier run: their samples, and orphans that they are home to, are not emitted.
	// Unlike From, it does not bound what is accounted for. 0 joins all.
	Since int64
	// Kept are parts of later buckets that an earlier run has joined, in any order: it gave
	// records another meaning, and what it has written of them stays.
	Kept []Part
	// Until is the start of the first bucket that is left to a later run, with all after it: what
	// was read of them is accounted for, and no more. 0 joins all.
	Until int64
	// LogEnd is the largest event time in the log, if it ends: a label that needs
	// later engagements is immature. NoLogEnd for a stream.
	LogEnd int64
}

// KindName is the name of a kind by its index; empty for Views.
func (p *Params) KindName(kind int) string {
	if kind == Views {
		return ""
	}
	return p.Kinds[kind].Name
}

// Part is a shard's part of a bucket.
type Part struct {
	Bucket int64 // its start in ms
	Shard  int64
}

// Layout is the number of shards of buckets that start before Until.
type Layout struct {
	Until  int64
	Shards int
}

// NoLogEnd is the LogEnd of a log that goes on; it is also a To that bounds nothing.
const NoLogEnd = math.MaxInt64

// maxBucket is how much time the views of one bucket may span, dedup markers included: 40 days.
const maxBucket = 40 * 24 * 3_600_000

// Validate reports everything that is wrong with p at once.
func (p *Params) Validate() error {
	var errs []error
	positive := func(name string, v int64) {
		if v <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be positive, got %d", name, v))
		}
	}
	positive("bucket", p.Bucket)
	positive("shards", int64(p.Shards))
	for i, l := range p.Earlier {
		positive("earlier shards", int64(l.Shards))
		if i > 0 && l.Until <= p.Earlier[i-1].Until {
			errs = append(errs, fmt.Errorf("earlier shards: must be in order, got until %d after %d", l.Until, p.Earlier[i-1].Until))
		}
	}
	for _, k := range p.Kinds {
		positive("window of "+k.Name, k.Window)
	}
	if p.Bucket+p.DedupWindow > maxBucket {
		errs = append(errs, fmt.Errorf("bucket %d with duplicates within %d: together at most %d", p.Bucket, p.DedupWindow, maxBucket))
	}
	if len(p.Kinds) == 0 {
		errs = append(errs, errors.New("kinds: at least one is needed"))
	}
	if p.OutOfOrderness < 0 || p.MaxFutureSkew < 0 || p.ClockSkew < 0 || p.DedupWindow < 0 {
		errs = append(errs, fmt.Errorf("out-of-orderness %d, ahead %d, clock skew %d, duplicates within %d: must not be negative", p.OutOfOrderness, p.MaxFutureSkew, p.ClockSkew, p.DedupWindow))
	}
	if !(p.Keep > 0 && p.Keep <= 1) {
		errs = append(errs, fmt.Errorf("keep: must be in (0, 1], got %v", p.Keep))
	}
	if p.From >= p.To {
		errs = append(errs, fmt.Errorf("slice: from %d must be before to %d", p.From, p.To))
	}
	for i, in := range p.Inputs {
		if in.Kind < Views || in.Kind >= len(p.Kinds) {
			errs = append(errs, fmt.Errorf("input %d: no kind %d", i, in.Kind))
		}
		if in.ID == "" || in.Time.Path == "" {
			errs = append(errs, fmt.Errorf("input %d: needs the fields of id and time, got %q and %q", i, in.ID, in.Time.Path))
		}
	}
	return errors.Join(errs...)
}

// longestWindow is how long a view stays open: until its closing time.
func (p *Params) longestWindow() int64 {
	longest := int64(0)
	for _, k := range p.Kinds {
		longest = max(longest, k.Window)
	}
	return longest
}

// margin is how far beyond the views that an engagement may count for it is still
// looked up, to tell one outside its view's window from an orphan. What an event in order
// finds within the out-of-orderness is still open, what a displaced one finds may not be;
// twice the skew covers every view time an engagement can carry and still count.
func (p *Params) slack() int64 { return max(p.OutOfOrderness, 2*p.ClockSkew) }

// InputBounds says which events outside a slice matter for it, in milliseconds: a reader has to
// hand over views of [from-ViewsBefore, to+ViewsAfter) and engagements of
// [from-EngagementsBefore, to+EngagementsAfter).
type InputBounds struct {
	ViewsBefore, ViewsAfter, EngagementsBefore, EngagementsAfter int64
}

// InputBounds returns the input bounds of the join.
func (p *Params) InputBounds() InputBounds {
	return InputBounds{
		// The view of an engagement of the slice accounts for it (see spanOf), and the view
		// before that one tells whether it is a duplicate.
		ViewsBefore: p.longestWindow() + p.slack() + p.DedupWindow,
		ViewsAfter:  p.ClockSkew + p.slack() + 1,
		// Duplicates must meet.
		EngagementsBefore: p.ClockSkew + p.DedupWindow,
		EngagementsAfter:  p.longestWindow(),
	}
}

// LooksBack is how far before the start of a bucket the events lie that matter for it, in
// milliseconds: without those before, its samples are the same, and so are the outcomes of the
// engagements that it is home to.
func (p *Params) LooksBack() int64 {
	// What an engagement of its views may be a duplicate of; an engagement that names its
	// view's time lies at most three times the skew before it, which margin covers.
	back := p.ClockSkew + p.slack() + p.DedupWindow
	// What it is home to may have its view that far back.
	return back + p.longestWindow() + p.slack()
}

// shardOf returns the shard of a view's hash in bucket b.
func (p *Params) shardOf(hash uint64, b int64) int64 { return int64(hash % uint64(p.shardsOf(b))) }

// shardsOf returns the number of shards of bucket b.
func (p *Params) shardsOf(b int64) int {
	for _, l := range p.Earlier {
		if b*p.Bucket < l.Until {
			return l.Shards
		}
	}
	return p.Shards
}

// joined tells whether an earlier run has joined that shard's part of bucket b.
func (p *Params) joined(b, shard int64) bool {
	return b*p.Bucket < p.Since || slices.Contains(p.Kept, Part{b * p.Bucket, shard})
}

// open tells whether bucket b is left to a later run.
func (p *Params) open(b int64) bool { return p.Until != 0 && b*p.Bucket >= p.Until }

// ClosedBy returns the start of the first bucket, with the ends of all windows of its views, that a
// log whose watermark is that has not come past: the Until of a join that ends there.
func (p *Params) ClosedBy(watermark int64) int64 {
	const none = -1 // before all events, whose times are not negative
	if watermark == record.NoTime || watermark-p.longestWindow() < p.Bucket {
		return none
	}
	return p.bucketOf(watermark-p.longestWindow()) * p.Bucket
}

// bucketOf returns the index of the bucket that holds event time t.
func (p *Params) bucketOf(t int64) int64 { return floorDiv(t, p.Bucket) }

// eventTime is the event time of whatever belongs to bucket b, and with it its window:
// the last millisecond at which an engagement may count for a view of the bucket.
func (p *Params) eventTime(b int64) int64 { return (b+1)*p.Bucket + p.longestWindow() - 1 }

// bucketIn is the bucket whose eventTime lies in the same window of a bucket's length as t.
func (p *Params) bucketIn(t int64) int64 {
	return floorDiv(t, p.Bucket) - 1 - floorDiv(p.longestWindow()-1, p.Bucket)
}

// origin is that of the account of a step for a shard of bucket b.
func (p *Params) origin(step account.Step, shard, b int64) account.Origin {
	return account.Origin{Step: step, Shard: shard, Shards: int64(p.shardsOf(b)), Time: b * p.Bucket}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// span is the view times that an engagement is looked up under.
type span struct {
	// counts bounds the views that it may count for, inclusive; there are none if it is
	// empty, which takes a view time that puts the engagement outside its window.
	countsFrom, countsTo int64
	// found bounds the views that are recognised as its view at all, inclusive: a margin
	// around counts tells an engagement outside the window from an orphan.
	foundFrom, foundTo int64
	// shadowTo is how far on its duplicates may look for views: they must meet it there.
	shadowTo int64
}

// spanOf returns where the view of an engagement may be: anywhere in its window, or,
// if it carries its view's time, only there, give or take the clock skew.
func (p *Params) spanOf(kind int, eventTime, viewTime int64) span {
	s := span{countsFrom: eventTime - p.Kinds[kind].Window + 1, countsTo: eventTime + p.ClockSkew}
	if viewTime != record.NoTime {
		s.foundFrom, s.foundTo = viewTime-p.ClockSkew, viewTime+p.ClockSkew
		s.countsFrom, s.countsTo = max(s.countsFrom, s.foundFrom), min(s.countsTo, s.foundTo)
		s.shadowTo = s.foundTo // its duplicates carry the same view time
	} else {
		s.foundFrom = eventTime - p.longestWindow() - p.slack() + 1
		s.foundTo = s.countsTo + p.slack()
		s.shadowTo = s.foundTo + p.DedupWindow
	}
	// Outside the times that are taken there are no views, and so no buckets: before them,
	// Beam's fixed windows run into one another.
	s.foundFrom = max(s.foundFrom, record.MinTime)
	s.foundTo, s.shadowTo = min(s.foundTo, record.MaxTime), min(s.shadowTo, record.MaxTime)
	return s
}
