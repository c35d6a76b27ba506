// Package rules says what is joined and what counts for what: all that attribution.Join is told, and
// what follows from it alone.
//
//	params.go     Params: kinds of engagements, inputs, times, layout; validate.go; own.go: fields that only their source tells
//	span.go       the view times that an engagement is looked up under; bounds.go: what an interval has to read
//	layout.go     buckets and shards, and which of them are joined here
//	labels.go     the labels of all kinds, as columns
//	hash.go       what follows from a view's id alone
//	meaning.go    what may not change while a job goes on
//	stage.go      the times after a view at which it has a sample
//	sheet.go      the account that each step begins
package rules

import (
	"math"
	"slices"

	"tributary/io/expression"
	"tributary/io/record"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// Count chooses which of a view's engagements of one kind count.
type Count string

// The choices of engagements.
const (
	CountAll   Count = "all"
	CountFirst Count = "first"
	CountLast  Count = "last"
)

// Credit chooses which of the views of one key, of those that have an engagement in their window, it counts for. In order they are by
// time and place in the log. A view knows another if that was read before it closed; all know those before them.
type Credit string

// The choices of views.
const (
	// CreditAll: for each of them.
	CreditAll Credit = ""
	// CreditFirst: for the first.
	CreditFirst Credit = "first"
	// CreditLast: for the first that knows none after it: the last, unless one was read after that had closed.
	CreditLast Credit = "last"
	// CreditEven: for the first and all that it knows, for a part of it each: 1/n if they are n.
	CreditEven Credit = "even"
)

// Kind is one kind of engagement. Times are in milliseconds, here and in Params.
type Kind struct {
	Name string
	// Window is the attribution window: an engagement at e counts for a view at t if
	// t - ClockSkew <= e < t + Window.
	Window int64
	Label  label.Func
	// Count is stored as Credit, which it was called.
	Count Count `json:"Credit"`
	// SkipBadValues says that an engagement whose value the label cannot take counts without it;
	// otherwise it is malformed.
	SkipBadValues bool
	// Labels are those of a kind that has several, which Label is not of then; nil for Label alone.
	Labels []Label `json:",omitempty"`
	// Credit is of views that share a key.
	Credit Credit `json:"Share,omitempty"`
	// After is the name of another kind. Of the views, it counts for one only that has an engagement of that kind in its window, no
	// later than it is itself, whichever view that one counts for; empty for any view. Credit is first or last.
	After string `json:",omitempty"`
	// Otherwise says that where no view has one, it counts as if After were empty.
	Otherwise bool `json:",omitempty"`
}

// Field is a time field of a record.
type Field struct {
	Path string
	Unit record.Unit
	// Pattern and Zone are those of record.TimeForm.
	Pattern string `json:",omitempty"`
	Zone    string `json:",omitempty"`
}

// Form says how the times are written.
func (f Field) Form() record.TimeForm {
	return record.TimeForm{Unit: f.Unit, Pattern: f.Pattern, Zone: f.Zone}
}

// UnitUnknown says that only a schema can tell what a number of the field is.
func (f Field) UnitUnknown() bool { return f.Unit == record.UnitAuto && f.Pattern == "" }

// Input says how to read the records of one input.
type Input struct {
	// Name is what accounts call the input; empty for no account of its own.
	Name string
	// Kind is the index of the kind of engagement, or Views.
	Kind int
	// ID is the view's id, or the field of the engagement that names its view, or its key where views have one. MoreID are the further
	// fields of an id of several (record.AppendIDParts): as many in all inputs where engagements name the view.
	ID     string
	MoreID []string `json:",omitempty"`
	Time   Field
	// Others are, for paths here, those that the fields have in Avro records of other ages
	// (see avro.Others).
	Others map[string][]string
	// Ordered says that partitions of this input have an order, and hence a watermark.
	Ordered bool

	// ViewTime, EventID and Value are for engagements; empty paths stand for fields that are not used.
	ViewTime    Field
	EventID     string
	MoreEventID []string `json:",omitempty"` // further fields of an id of several
	Value       string   // the label's field

	// Where are the conditions that a record meets, if it is of this input's kind; none for all.
	Where []expression.Condition
	// Each is the path of a list of which every element is an event: that of the record with the element in place of the list.
	// Records are JSON. Empty where a record is one event.
	Each string `json:",omitempty"`
	// Expression is what else a record has to meet: CEL, see package expression; empty for nothing.
	Expression string `json:",omitempty"`
	// Computed are fields that are computed of others, and named like fields of the record, which they hide.
	Computed []Computed `json:"Derived,omitempty"` // the name in fingerprints of finished intervals
	// Values are the fields of the kind's Labels, in their order, empty for those that take none; nil where Value is that of the one.
	Values []string `json:",omitempty"`
	// Key are the fields of a view's key, which views share and engagements name; none where they name its id.
	Key []string `json:",omitempty"`
	// ExpressionOf are the paths of the fields that Expression names, in its order; nil for those that stand there.
	ExpressionOf []string `json:",omitempty"`
}

// Computed is a field that is computed for each record that is of its input's kind, or to find that out.
type Computed struct {
	Name, Expression string
	// Of are the paths of the fields that the expression names, in its order; nil for those that stand there.
	Of []string `json:",omitempty"`
}

// ComputedField returns the computed field of a name, nil if there is none.
func (in *Input) ComputedField(name string) *Computed {
	for i := range in.Computed {
		if in.Computed[i].Name == name {
			return &in.Computed[i]
		}
	}
	return nil
}

// Index is the path of an element's position in the list of Each, from 0.
const Index = "$index"

// InElement tells whether a field is of an element of a list: below it, the element itself, or its position.
func InElement(field, each string) bool {
	names, err := record.ParsePath(field)
	list, errList := record.ParsePath(each)
	return field == Index || err == nil && errList == nil && len(names) >= len(list) && slices.Equal(names[:len(list)], list)
}

// Decides tells whether a record has to be looked at before it is known whether it is of the input's kind and can be used.
func (in *Input) Decides() bool {
	return len(in.Where) > 0 || in.Expression != "" || len(in.Computed) > 0
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

	// From and To bound the interval of event time that is accounted for: samples of views
	// in [From, To). Events outside are used as far as they matter for that interval.
	From, To int64
	// Since is the start of the first bucket that is joined, the others having been joined by
	// an earlier run: their samples, and orphans that they own, are not emitted.
	// Unlike From, it does not bound what is accounted for. 0 joins all.
	Since int64
	// Kept are parts of later buckets that an earlier run has joined, in any order: it gave
	// records another meaning, and what it has written of them stays.
	Kept []Part
	// Until is the start of the first bucket that is left to a later run, with all after it: what
	// was read of them is accounted for, and no more. 0 joins all.
	Until int64
	// LogEnd is the largest event time in the log, if it ends, see EndOf: a label that needs
	// later engagements is immature. NoLogEnd for a stream.
	LogEnd int64

	// Stages are in order, the last is the whole join; none for one sample of each view.
	Stages []Stage `json:",omitempty"`
	// Stage is which of them these parameters are of, see OfStage. A join is built from those of the last.
	Stage int `json:",omitempty"`
	// Shift is how much earlier the stage's buckets close than with the out-of-orderness of the join.
	Shift int64 `json:",omitempty"`
	// Marked says that samples which a stage does not give come as well, marked (sample.Header.Unchanged): for a sink that may
	// have to correct what it has written.
	Marked bool `json:",omitempty"`
	// Shape is what samples hold of their view; nil for the view as it is.
	Shape *sample.Shape `json:",omitempty"`
	// CountLate has engagements count for views that had closed when they were read, as if these had been open. Views that are late stay
	// so. It is for joins that correct what one without it has given.
	CountLate bool `json:",omitempty"`
}

// TextViews tells whether the last field of samples is a view that is JSON text.
func (p *Params) TextViews() bool { return p.ViewSchema == "" && p.Shape.Whole() }

// IDs are the fields of the id of a view, or those that name it.
func (in *Input) IDs() []string { return append([]string{in.ID}, in.MoreID...) }

// EventIDs are the fields of an engagement's own id; none if it has none.
func (in *Input) EventIDs() []string {
	if in.EventID == "" {
		return nil
	}
	return append([]string{in.EventID}, in.MoreEventID...)
}

// Keyed tells whether engagements name a key of views rather than their ids.
func (p *Params) Keyed() bool {
	return slices.ContainsFunc(p.Inputs, func(in Input) bool { return len(in.Key) > 0 })
}

// Shares tells whether there are engagements that count for some of the views of a key only.
func (p *Params) Shares() bool {
	return slices.ContainsFunc(p.Kinds, func(k Kind) bool { return k.Credit != CreditAll })
}

// AfterOf is the index of the kind that a kind counts after; -1 if there is none.
func (p *Params) AfterOf(kind int) int {
	after := p.Kinds[kind].After
	return slices.IndexFunc(p.Kinds, func(k Kind) bool { return after != "" && k.Name == after })
}

// WindowAfter is the longest window of the kinds that count after one, 0 if there is none: a view that one of them may count for is
// less than that and twice the skew away from the time of what it counts after.
func (p *Params) WindowAfter(kind int) (longest int64) {
	for i, k := range p.Kinds {
		if p.AfterOf(i) == kind {
			longest = max(longest, k.Window)
		}
	}
	return longest
}

// KindName is the name of a kind by its index; empty for Views.
func (p *Params) KindName(kind int) string {
	if kind == Views {
		return ""
	}
	return p.Kinds[kind].Name
}

// NoLogEnd is the LogEnd of a log that goes on; it is also a To that bounds nothing.
const NoLogEnd = math.MaxInt64
