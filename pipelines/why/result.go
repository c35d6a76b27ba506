package why

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"tributary/pipelines/audit"
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// Format is the version of the form of a Result as JSON. Fields are added without a new one.
const Format = 1

// Outcome is what happened, in one word.
type Outcome string

// Outcomes. Those of a view that has a sample are Positive to Corrected; those of an engagement are Counts to Orphan.
const (
	// Positive and Negative: the view has that sample, and it is written.
	Positive Outcome = "positive"
	Negative Outcome = "negative"
	// SampledOut: it is a negative that was not kept.
	SampledOut Outcome = "sampled_out"
	// Pending: its bucket is not complete yet, or of an engagement the last one that may hold its view.
	Pending Outcome = "pending"
	// Missing: the join gives a sample that is not where it must be; Different: what is there differs. Gone: it is not there, as a topic does
	// not keep all; Replaced: nor there, since a compacted topic has a later one of its id.
	Missing   Outcome = "missing"
	Different Outcome = "different"
	Gone      Outcome = "gone"
	Replaced  Outcome = "replaced"
	// Corrected: a repair has written another sample of the view than the join gives by the rules of lateness, or than was there.
	Corrected Outcome = "corrected"
	// Counts: the engagement counts for a view; Superseded: another of its kind does in its place; Outside: it is in the window of none, or
	// goes to none; Orphan: there is no view for it.
	Counts     Outcome = "counts"
	Superseded Outcome = "superseded"
	Outside    Outcome = "outside_window"
	Orphan     Outcome = "orphan"
	// Late, Duplicate, Filtered and Dead are of both.
	Late      Outcome = "late"
	Duplicate Outcome = "duplicate"
	Filtered  Outcome = "filtered"
	Dead      Outcome = "dead"
	// Extra: a sample is there that the join does not give, be it of a view that is late, a duplicate or not kept, or of none that the inputs
	// hold. NotFound: there is nothing.
	Extra    Outcome = "extra"
	NotFound Outcome = "not_found"
)

// Result is what became of the records of an id.
type Result struct {
	Format  int     `json:"format"`
	Spec    string  `json:"spec,omitempty"`
	ID      string  `json:"id"`
	Found   bool    `json:"found"`
	Outcome Outcome `json:"outcome"`
	// Sentence says what happened.
	Sentence string `json:"sentence"`
	// Records are those of the id, in order of event time; Samples those of its views, as they lie in the sinks.
	Records []Record      `json:"records"`
	Samples []FoundSample `json:"samples"`
	Read    Read          `json:"read"`
	Notes   []string      `json:"notes,omitempty"`
}

// FoundSample is a sample with its text.
type FoundSample struct {
	audit.FoundSample
	Sample json.RawMessage `json:"sample"`
}

// Read is what was read of all records.
type Read struct {
	Views       int64            `json:"views"`
	Engagements map[string]int64 `json:"engagements"`
	Filtered    int64            `json:"filtered"`
	Dead        int64            `json:"dead"`
	// Watermark is that of the partition which is furthest behind.
	Watermark *time.Time `json:"watermark,omitempty"`
}

// Place is where an event stands: which file or partition, and the record's offset in it, or its number from 0.
type Place struct {
	Source string `json:"source"`
	Offset int64  `json:"offset"`
	// Index is the place in its list, from 0, of an event of a record that holds several.
	Index *int32 `json:"index,omitempty"`
}

// String is the place as text.
func (p Place) String() string {
	text := p.Source + "@" + strconv.FormatInt(p.Offset, 10)
	if p.Index != nil {
		text += fmt.Sprintf("[%d]", *p.Index)
	}
	return text
}

// Record is an event, or a record that cannot be read.
type Record struct {
	// Role is views, or the name of the kind of engagement.
	Role string `json:"role"`
	Place
	Count     int64      `json:"count,omitempty"`
	Time      *time.Time `json:"time,omitempty"`
	Watermark *time.Time `json:"watermark,omitempty"`
	ViewID    string     `json:"view_id,omitempty"`
	Key       string     `json:"key,omitempty"`
	EventID   string     `json:"event_id,omitempty"`
	// Fate is that of a view in the last stage (sample, sampled_out, duplicate, late), of an engagement in the end (matched,
	// outside_window, duplicate, late, orphan), or filtered or dead.
	Fate   string `json:"fate"`
	Detail string `json:"detail,omitempty"`
	// LateMs is how far the watermark was beyond when the last view had closed that it may concern.
	LateMs     *int64 `json:"late_ms,omitempty"`
	AfterIdle  bool   `json:"after_idle,omitempty"`
	PartlyLate bool   `json:"partly_late,omitempty"`
	// DuplicateOf is the record that it is the same event as.
	DuplicateOf *Place `json:"duplicate_of,omitempty"`
	// Stages are those of a view, Views what an engagement is to each view that it names, in the last stage.
	Stages []StageOfView `json:"stages,omitempty"`
	Views  []Pair        `json:"views,omitempty"`

	// Open is of an orphan whose view a stream still waits for: until the watermark has come to it.
	Open *time.Time `json:"open_until,omitempty"`

	at            attribution.EventPlace
	time          int64
	foundTo       int64 // the last time of a view that an engagement may be of
	closedThrough int64 // of what is partly late
	hash          uint64
	own           bool // the id is its own
}

// view tells whether it is one.
func (one *Record) view() bool { return one.at.Kind == rules.Views }

// StageOfView is a view in one stage, which has no name without stages.
type StageOfView struct {
	Stage string `json:"stage,omitempty"`
	// Bucket begins then, and closes when the watermark has come to Closes.
	Bucket time.Time `json:"bucket"`
	Closes time.Time `json:"closes"`
	Shard  int64     `json:"shard"`
	// Fate is sample, sampled_out, duplicate, or late for a stage that the view came too late for.
	Fate string `json:"fate"`
	// Given says that the stage gives the sample, which others had not said before; Withdrawn that it takes back an earlier one.
	Given     bool `json:"given,omitempty"`
	Withdrawn bool `json:"withdrawn,omitempty"`
	Positive  bool `json:"positive,omitempty"`
	// Sample is what the join gives of it, by what is read so far.
	Sample      json.RawMessage `json:"sample,omitempty"`
	DuplicateOf *Place          `json:"duplicate_of,omitempty"`
	// Engagements are those that name the view, or its key.
	Engagements []Pair `json:"engagements,omitempty"`
	// Sinks say what is written of it.
	Sinks []SinkOfView `json:"sinks,omitempty"`

	number   int
	encoded  []byte
	viewTime time.Time
	immature bool // its window is cut where the inputs end
	open     bool // a sink of the stage waits for the bucket
}

// Pair is what an engagement is to a view: the one or the other, where the other is known.
type Pair struct {
	Role string `json:"role"`
	Place
	// Time is there unless it is a dead letter's.
	Time   time.Time `json:"time,omitzero"`
	ViewID string    `json:"view_id,omitempty"`
	// Fate is late, filtered or dead, too, for an engagement that came to no bucket.
	Fate bucket.PairFate `json:"fate"`
	// ByMs is how far it is outside the window of the view.
	ByMs int64 `json:"by_ms,omitempty"`
	// Parts is in how many parts it is shared out among the views that it counts for, if in several.
	Parts int32 `json:"parts,omitempty"`
	// Of is the engagement that it is a duplicate of, or that counts in its place; Instead the view that it goes to, with its id and time.
	Of          *Place     `json:"of,omitempty"`
	Instead     *Place     `json:"instead,omitempty"`
	InsteadID   string     `json:"instead_id,omitempty"`
	InsteadTime *time.Time `json:"instead_time,omitempty"`

	outside int64 // how far it is outside of the window; 0 for within
	one     bool  // its kind counts one of those that go to a view
	sameID  bool  // that view has the id of this one
}

// States of a sample in a sink.
const (
	stateWritten   = "written"
	stateMissing   = "missing"
	stateDifferent = "different"
	statePending   = "pending"
	stateUnknown   = "unknown"  // nothing says whether it must be there
	stateGone      = "gone"     // the topic does not hold what was written first
	stateReplaced  = "replaced" // the compacted topic holds a later one of the id, At
)

// SinkOfView is what a sink holds of a view's sample.
type SinkOfView struct {
	Topic  string `json:"topic,omitempty"`
	Folder string `json:"folder,omitempty"`
	// State is written, missing, different, pending, gone or replaced, or unknown where nothing says which buckets are complete.
	State string `json:"state"`
	// At is its place in Samples.
	At     *int          `json:"at,omitempty"`
	Commit *audit.Commit `json:"commit,omitempty"`
}

func (s *SinkOfView) name() string {
	if s.Topic != "" {
		return "topic " + s.Topic
	}
	return "folder " + s.Folder
}

// JSON writes the result as indented JSON.
func (r *Result) JSON(w io.Writer) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write what was found as JSON: %w", err)
	}
	return nil
}
