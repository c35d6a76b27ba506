package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Format is the version of the form of a Result as JSON. Fields are added without a new one.
const Format = 1

// Class is what is wrong with a sample.
type Class string

// Classes of findings.
const (
	Missing    Class = "missing"    // the join has it, the sink has not
	Extra      Class = "extra"      // the sink has it, the join has not
	Different  Class = "different"  // both have it, with other fields
	Doubled    Class = "doubled"    // the sink has it more than once
	Unreadable Class = "unreadable" // what is there is no sample
	// Uncommitted is a bucket of which the commit log says another number of samples.
	Uncommitted Class = "commit log"
	// Incomplete is a stage of which nothing is complete in the range, though the rest of the job is.
	Incomplete Class = "incomplete"
	// Hanging is a transaction that has been open for longer than a broker lets it.
	Hanging Class = "hanging"
)

// Classes are all of them, in the order in which they are told.
var Classes = []Class{Missing, Extra, Different, Doubled, Unreadable, Uncommitted, Incomplete, Hanging}

// Counts are samples. Expected are those of the join in the range, Found those of the sink that are committed, each copy counted.
// Missing, Extra, Different, Doubled (copies beyond the first), Unreadable, Uncommitted, Incomplete and Hanging are findings; nothing else is.
type Counts struct {
	Expected   int64 `json:"expected"`
	Found      int64 `json:"found"`
	Equal      int64 `json:"equal"`
	Missing    int64 `json:"missing"`
	Extra      int64 `json:"extra"`
	Different  int64 `json:"different"`
	Doubled    int64 `json:"doubled"`
	Unreadable int64 `json:"unreadable"`
	// Uncommitted are buckets, not samples: of which the commit log says another number of samples than the join gives.
	Uncommitted int64 `json:"commit_log,omitempty"`
	// Incomplete is 1 for a stage of which nothing is complete in the range, though the rest of the job is.
	Incomplete int64 `json:"incomplete,omitempty"`
	// Hanging are transactions, not samples: those that have been open for longer than stream.transaction_timeout.
	Hanging int64 `json:"hanging,omitempty"`
	// AfterIdle are missing, extra or different, and of views that a record refers to which is late only because its partition had been
	// idle: the join in batch knows of no idleness.
	AfterIdle int64 `json:"after_idle,omitempty"`
	// TooLarge are missing, and dead letters say that the topic does not take them.
	TooLarge int64 `json:"too_large,omitempty"`
	// Outside are views outside of the range, NotClosed those of buckets that the sink has not completed: not compared.
	Outside   int64 `json:"outside_range,omitempty"`
	NotClosed int64 `json:"not_closed,omitempty"`
	// Superseded are copies of groups that were corrected, which a larger header version replaces; Repeated copies with the same
	// bytes where samples are written at least once; Compacted those that are gone from a compacted topic, which has a newer one of the view.
	Superseded int64 `json:"superseded,omitempty"`
	Repeated   int64 `json:"repeated,omitempty"`
	Compacted  int64 `json:"compacted,omitempty"`
	// Corrected are views whose sample a repair has corrected, and rightly: what differs of those before is none of the findings.
	Corrected int64 `json:"corrected,omitempty"`
	// Outdated are views that a repair has corrected for late engagements, and of which more have come since: no findings, the next repair
	// corrects them again.
	Outdated int64 `json:"outdated,omitempty"`
	// Aborted and Open are records of transactions that were not committed; HeldBack are committed, and lie behind an open one, so that
	// readers of what is committed do not come to them. Those count as found.
	Aborted  int64 `json:"aborted,omitempty"`
	Open     int64 `json:"open,omitempty"`
	HeldBack int64 `json:"held_back,omitempty"`
}

// of is the count of a class.
func (n *Counts) of(class Class) *int64 {
	switch class {
	case Missing:
		return &n.Missing
	case Extra:
		return &n.Extra
	case Different:
		return &n.Different
	case Doubled:
		return &n.Doubled
	case Uncommitted:
		return &n.Uncommitted
	case Incomplete:
		return &n.Incomplete
	case Hanging:
		return &n.Hanging
	default:
		return &n.Unreadable
	}
}

// Of is how many findings of a class there are.
func (n *Counts) Of(class Class) int64 { return *n.of(class) }

// Findings are how many there are.
func (n *Counts) Findings() (sum int64) {
	for _, class := range Classes {
		sum += *n.of(class)
	}
	return sum
}

// Result is what an audit has found.
type Result struct {
	Format int    `json:"format"`
	Spec   string `json:"spec,omitempty"`
	// Findings are those of all sinks and of the accounts; 0 says that they hold exactly what they must.
	Findings int64         `json:"findings"`
	Sinks    []*SinkResult `json:"sinks"`
	// Accounts are compared where all time is audited of a stream.
	Accounts *AccountsResult `json:"accounts,omitempty"`
	// Events are the records that the join has read, ElapsedMs is the time of the whole.
	Events    int64 `json:"events"`
	ElapsedMs int64 `json:"elapsed_ms"`
}

// SinkResult is that of one topic or folder.
type SinkResult struct {
	// Topic or Folder names it.
	Topic    string        `json:"topic,omitempty"`
	Folder   string        `json:"folder,omitempty"`
	Findings int64         `json:"findings"`
	Stages   []StageResult `json:"stages"`
	// Rows are where there is something to tell: findings, samples of idle partitions, transactions that were not committed.
	Rows []Row `json:"rows"`
	// Fields counts the different samples by the fields that differ.
	Fields map[string]int64 `json:"fields,omitempty"`
	// MissingFiles are those that are not in the folder, with the samples that are missing with them, up to MostFiles of them.
	MissingFiles map[string]int64 `json:"missing_files,omitempty"`
	// Examples are some findings of each class, in order of the views' times.
	Examples []Finding `json:"examples"`
	Notes    []string  `json:"notes,omitempty"`
}

// MostFiles bounds the files that are told of.
const MostFiles = 1000

// StageResult is that of a stage, which has no name without stages: of views in [From, To).
type StageResult struct {
	Stage string     `json:"stage,omitempty"`
	From  *time.Time `json:"from,omitempty"`
	To    *time.Time `json:"to,omitempty"`
	// Closed is before what time the sink is complete.
	Closed *time.Time `json:"closed_before,omitempty"`
	// Cut says that it is not complete up to the end of the range that was asked for.
	Cut bool `json:"cut,omitempty"`
	Counts
}

// Row counts what is of a stage, a partition of the topic or shard of the folder, and an hour of the views' times.
type Row struct {
	Stage string `json:"stage,omitempty"`
	// Partition is empty where it cannot be told.
	Partition string     `json:"partition,omitempty"`
	Hour      *time.Time `json:"hour,omitempty"`
	Counts
}

// Finding is one that is told.
type Finding struct {
	Class     Class  `json:"class"`
	Stage     string `json:"stage,omitempty"`
	Partition string `json:"partition,omitempty"`
	// Offset is that of the record in its partition, or which sample of the file it is, from 0.
	Offset   *int64     `json:"offset,omitempty"`
	File     string     `json:"file,omitempty"`
	ViewID   string     `json:"view_id,omitempty"`
	ViewTime *time.Time `json:"view_time,omitempty"`
	Version  int64      `json:"version,omitempty"`
	// Fields are those that differ.
	Fields []Difference `json:"fields,omitempty"`
	Note   string       `json:"note,omitempty"`
}

// Difference is a field with the values that it must have and has, as JSON; empty for none.
type Difference struct {
	Field string `json:"field"`
	Want  string `json:"want"`
	Got   string `json:"got"`
}

func newSinkResult(k *sink) *SinkResult {
	r := &SinkResult{Topic: k.output.Topic, Folder: k.output.Path, Rows: []Row{}, Examples: []Finding{}, Notes: k.notes}
	for _, one := range k.stages {
		r.Stages = append(r.Stages, StageResult{Stage: one.name, From: timeOf(one.from), To: timeOf(one.to), Closed: timeOf(one.closed), Cut: one.cut})
	}
	return r
}

// JSON writes the result as indented JSON.
func (r *Result) JSON(w io.Writer) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the audit as JSON: %w", err)
	}
	return nil
}

// rowKey is what a Row counts.
type rowKey struct {
	stage, partition string
	hour             int64
}

const hourMs = 3_600_000

// rowsOf are the rows in order.
func rowsOf(rows map[rowKey]*Counts) []Row {
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b rowKey) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), cmp.Compare(a.stage, b.stage), cmp.Compare(len(a.partition), len(b.partition)), cmp.Compare(a.partition, b.partition))
	})
	out := make([]Row, 0, len(keys))
	for _, key := range keys {
		row := Row{Stage: key.stage, Partition: key.partition, Counts: *rows[key]}
		if key.hour != noHour {
			row.Hour = timeOf(key.hour)
		}
		out = append(out, row)
	}
	return out
}
