// Package rules says what is joined and what counts for what: all that attribution.Join is told, and
// what follows from it alone.
//
//	params.go     Params: kinds of engagements, inputs, times, layout; validate.go
//	span.go       the view times that an engagement is looked up under; bounds.go: what an interval has to read
//	layout.go     buckets and shards, and which of them are joined here
//	hash.go       what follows from a view's id alone
//	condition.go  which records of an input are taken
//	meaning.go    what may not change while a job goes on
//	sheet.go      the account that each step begins
package rules

import (
	"math"

	"tributary/io/record"
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

// NoLogEnd is the LogEnd of a log that goes on; it is also a To that bounds nothing.
const NoLogEnd = math.MaxInt64
