package advise

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"tributary/transforms/account"
)

// Format is the version of the form of a Result as JSON. Fields are added without a new one.
const Format = 1

// Result is what other times would give.
type Result struct {
	Format int    `json:"format"`
	Spec   string `json:"spec,omitempty"`
	Read   Read   `json:"read"`
	// HorizonMs is how long after its view an engagement comes at most that shares are told of.
	HorizonMs int64 `json:"horizon_ms"`
	// Now is the spec as it is, After the spec with all advice taken; nil for none.
	Now      Change          `json:"now"`
	Kinds    []KindRows      `json:"kinds"`
	Inputs   []InputDisorder `json:"inputs"`
	Disorder []DisorderRow   `json:"out_of_orderness"`
	Stages   []StageRow      `json:"stages,omitempty"`
	Buckets  []BucketRow     `json:"buckets,omitempty"`
	Shards   []ShardRow      `json:"shards"`
	Readers  []ReaderRow     `json:"source_parallelism,omitempty"`
	Advice   []Advice        `json:"advice"`
	After    *Change         `json:"after,omitempty"`
	Notes    []string        `json:"notes"`
}

// Read is what was read, without the late ones apart: whether they are depends on the times.
type Read struct {
	Views       int64     `json:"views"`
	Engagements int64     `json:"engagements"`
	Dead        int64     `json:"dead"`
	Filtered    int64     `json:"filtered"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	// Kept is the share of ids whose events were kept, EventsKept how many these are.
	Kept       float64 `json:"kept"`
	EventsKept int64   `json:"events_kept"`
}

// Change is what a join with some times makes of all, and what that costs.
type Change struct {
	Outcome Outcome `json:"outcome"`
	Cost    Cost    `json:"cost"`
}

// KindRows are the windows of a kind.
type KindRows struct {
	Delays
	Windows []WindowRow `json:"windows"`
}

// WindowRow is a window of a kind, all other times being as they are.
type WindowRow struct {
	WindowMs int64 `json:"window_ms"`
	Now      bool  `json:"now,omitempty"`
	Advised  bool  `json:"advised,omitempty"`
	// Share is that of engagements which it catches; nil where the data are too short to tell.
	Share *Share `json:"share,omitempty"`
	// Change is that of the whole join: the window of one kind moves when all views close.
	Change
}

// InputDisorder is how far the records of an input are out of order within their partitions.
type InputDisorder struct {
	Input string `json:"input"`
	// Ordered says that its partitions have an order: nothing is late in others.
	Ordered bool  `json:"ordered"`
	Records int64 `json:"records"`
	// Displaced are those with a time before the largest one ahead of them, Behind by how much, in ms, of all.
	Displaced int64              `json:"displaced"`
	Behind    *account.Histogram `json:"behind_ms"`
}

// DisorderRow is an out-of-orderness, all other times being as they are.
type DisorderRow struct {
	OutOfOrdernessMs int64 `json:"out_of_orderness_ms"`
	Now              bool  `json:"now,omitempty"`
	Advised          bool  `json:"advised,omitempty"`
	// Late is the share of views and engagements that are.
	Late *Share `json:"late,omitempty"`
	Change
}

// StageRow is a first stage so long after the views, by the defaults of one.
type StageRow struct {
	AfterMs int64 `json:"after_ms"`
	// OutOfOrdernessMs and BucketMs are the stage's.
	OutOfOrdernessMs int64 `json:"out_of_orderness_ms"`
	BucketMs         int64 `json:"bucket_ms"`
	// Samples are those of views that are in time for it, Positives those with a label at that time.
	Samples   Figure `json:"samples"`
	LateViews Figure `json:"late_views"`
	Positives Figure `json:"positives"`
	// Final is how many are positive in the end.
	Final Figure `json:"positives_in_the_end"`
	// Cost is that of the stage, which comes on top of that of the join.
	Cost Cost `json:"cost"`
}

// Advice is a line of the spec to change.
type Advice struct {
	// Key is the one to change, like engagements.like.window, From and To are its values.
	Key  string `json:"key"`
	From string `json:"from"`
	To   string `json:"to"`
	// Because says what it gives, and costs.
	Because string `json:"because"`
	// Line is where the key stands, 0 where it is not there and Now is to be added.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Now  string `json:"now,omitempty"`
	Then string `json:"then"`
}

// JSON writes the result as indented JSON.
func (r *Result) JSON(w io.Writer) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the advice as JSON: %w", err)
	}
	return nil
}
