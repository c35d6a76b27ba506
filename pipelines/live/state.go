package live

import (
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/report"
	"tributary/runners/flink"
)

// Format is the version of the State as JSON. Fields are added without a new one.
const Format = 1

// Sources of a State.
const (
	Accounts   = "accounts"
	Partitions = "partitions"
	Commits    = "commits"
	Flink      = "flink"
)

// State is what a stream is like at a time. Times are event time unless they say otherwise; what is not known is null or left out.
type State struct {
	Format int    `json:"format"`
	Stream string `json:"stream"`
	// At is when the picture was begun, by the clock.
	At      time.Time `json:"at"`
	Sources []Source  `json:"sources"`
	// Notes are what is worth a look, the gravest first.
	Notes []Note `json:"notes"`

	// Watermark is the smallest of the partitions that are not idle, or the largest if all are; null while one that is not idle has none.
	Watermark *time.Time `json:"watermark"`
	// Behind is how far the watermark is behind the clock.
	Behind *float64 `json:"behind_seconds"`
	// Holder is the partition that holds the watermark where it is; null if all are idle.
	Holder *Holder `json:"holder"`
	// Partitions of inputs, the worst first.
	Partitions []Partition `json:"partitions"`
	// All counts all partitions, Lag the records of them that are not read.
	All int   `json:"partitions_total"`
	Lag int64 `json:"lag_records"`
	// Rest counts those that Bounded has left out.
	Rest *Rest `json:"partitions_rest,omitempty"`

	// Figures are those of the report.
	Figures *Figures `json:"accounts,omitempty"`
	// Rates are null in the first picture.
	Rates  *Rates  `json:"rates"`
	Stages []Stage `json:"stages"`
	Topics []Topic `json:"topics"`
	// TransactionTimeout is that of the spec, 0 with delivery at_least_once.
	TransactionTimeout float64       `json:"transaction_timeout_seconds"`
	Flink              *flink.Status `json:"flink,omitempty"`

	// Report is what Figures are of.
	Report *report.Report `json:"-"`

	// newest is the largest event time that a partition has come to, in ms.
	newest int64
	// started is At by the clock that durations go by.
	started time.Time
}

// Source is where a part of the State is from.
type Source struct {
	Name    string  `json:"name"`
	OK      bool    `json:"ok"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"` // that reading it took
	Err     error   `json:"-"`
}

// Holder is the partition that holds all back.
type Holder struct {
	Partition string `json:"partition"`
	Cause     Cause  `json:"cause"`
	Why       string `json:"why"`
	// By is how much further the watermark would be without it, in seconds; null if it would be nowhere either.
	By *float64 `json:"by_seconds"`
}

// Partition is how far a partition of an input is read.
type Partition struct {
	Cluster   string `json:"cluster,omitempty"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Start and End are offsets of its log, Next is that of the first record that is not read.
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	Next  int64 `json:"next"`
	// Lag counts the records that are not read, and markers of transactions; null without a leader.
	Lag       *int64     `json:"lag_records"`
	Watermark *time.Time `json:"watermark"`
	Idle      bool       `json:"idle"`
	// Holds says that the watermark would be further without it, and others like it.
	Holds bool   `json:"holds"`
	Cause Cause  `json:"cause"`
	Why   string `json:"why"`
	// Noted is when it was written last how far it is read, by the clock.
	Noted *time.Time `json:"noted"`
}

// Name is cluster/topic/partition.
func (p *Partition) Name() string {
	return cluster.Partition{Cluster: p.Cluster, Topic: p.Topic, Partition: p.Partition}.String()
}

// Rest counts partitions that are not shown.
type Rest struct {
	Partitions int           `json:"partitions"`
	Lag        int64         `json:"lag_records"`
	Causes     map[Cause]int `json:"causes"`
}

// Figures are the accounts: counts by their keys in `tributary report --json`.
type Figures struct {
	Balanced bool `json:"balanced"`
	// Held says that accounts lie behind a transaction that is open, so that these are older than they should be.
	Held        bool                        `json:"held"`
	Views       Counts                      `json:"views"`
	Engagements map[string]Kind             `json:"engagements"`
	Inputs      map[string]Input            `json:"inputs"`
	Stages      map[string]Counts           `json:"stages"`
	Remarks     map[report.Severity]int     `json:"report_notes"`
	Reasons     map[string][]Reason         `json:"reasons"`
	Corrected   map[string]map[string]int64 `json:"corrected,omitempty"`
}

// Counts by their keys.
type Counts map[string]int64

// Kind is what is known of a kind of engagement.
type Kind struct {
	Counts Counts  `json:"counts"`
	Window float64 `json:"window_seconds"`
	// Matched is matched / those whose outcome is known; null of none.
	Matched *float64 `json:"match_rate"`
	// Delay is from a view to its first engagement that counts.
	Delay *Distribution `json:"delay"`
}

// Input is what became of the records of an input as they were read.
type Input struct {
	Kind   string `json:"kind"`
	Counts Counts `json:"counts"`
	// Taken are those that are neither late nor dead.
	Taken int64 `json:"taken"`
	// Late and Dead are shares of what was read; null of nothing.
	Late *float64 `json:"late_share"`
	Dead *float64 `json:"dead_share"`
}

// Reason counts what was refused for one.
type Reason struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// Rates are by the second, over the time between two pictures.
type Rates struct {
	Seconds float64 `json:"seconds"`
	// Arriving are records written to inputs, Reading those that were read, as far as is noted.
	Arriving float64 `json:"arriving"`
	Reading  float64 `json:"reading"`
	// CatchesUp is in how many seconds nothing is left to read at these rates; null for never.
	CatchesUp *float64           `json:"catches_up_seconds"`
	Views     float64            `json:"views"`
	Kinds     map[string]float64 `json:"engagements"`
	Samples   float64            `json:"samples"`
	Late      float64            `json:"late"`
	Dead      float64            `json:"dead"`
}

// Stage is how far a stage is; a job without stages has one, "last".
type Stage struct {
	Stage string `json:"stage"`
	Sinks []Sink `json:"sinks"`
	// Commits are those of its topic of samples; null without one, and for delivery at_least_once.
	Commits *CommitLog `json:"commits"`
}

// Sink is how far a sink has a stage.
type Sink struct {
	Sink string `json:"sink"` // topic, folder
	Name string `json:"name"`
	// Complete: views before it have all their samples of the stage.
	Complete *time.Time `json:"complete_before"`
	Bucket   float64    `json:"bucket_seconds"`
	// Closes is when the first bucket that is not complete closes.
	Closes *time.Time `json:"closes"`
	// Open counts buckets from the first that is not complete to that of the newest event; null before the first is complete.
	Open *int64 `json:"open_buckets"`
	// Overdue is how long ago the first one closed that is not complete, by the watermark; null without one.
	Overdue *float64 `json:"overdue_seconds"`
}

// CommitLog is what the commit log of a stage says.
type CommitLog struct {
	Groups int64 `json:"groups"`
	// Committed and Aborted are transactions.
	Committed int64 `json:"committed"`
	Aborted   int64 `json:"aborted"`
	// Open is the age of the oldest open transaction in seconds, 0 for none.
	Open float64 `json:"open_seconds"`
	// Delay is from the closing of buckets to their line in the log; Last that of the newest line.
	Delay *Distribution `json:"delay"`
	Last  *float64      `json:"last_delay_seconds"`
}

// Topic is a topic of the spec.
type Topic struct {
	Cluster    string `json:"cluster,omitempty"`
	Topic      string `json:"topic"`
	Role       string `json:"role"`
	Output     bool   `json:"output"`
	Partitions int    `json:"partitions"`
	Leaderless int    `json:"leaderless"`
	// Gap counts what lies behind the last stable offset, which readers of what is committed do not see; 0 where nothing is open.
	Gap   int64  `json:"stable_gap_records"`
	Open  *Open  `json:"open_transaction,omitempty"`
	Error string `json:"error,omitempty"`
}

// Open is the transaction of a topic that is open for the longest time.
type Open struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
	Gap       int64 `json:"gap_records"`
	// Since is when its producer wrote last, or it was first seen.
	Since time.Time `json:"since"`
	// Hangs says that it is open for longer than its producer may let it.
	Hangs bool   `json:"hangs"`
	Why   string `json:"why"`
}

// Note is what is worth a look.
type Note struct {
	Severity report.Severity `json:"severity"`
	Code     string          `json:"code"`
	Text     string          `json:"text"`
	Do       string          `json:"do,omitempty"`
	// Reported says that it is one of the report: of all that was read, not of now.
	Reported bool `json:"reported,omitempty"`
}

// OK tells whether a source was read.
func (s *State) OK(name string) bool {
	for _, of := range s.Sources {
		if of.Name == name {
			return of.OK
		}
	}
	return false
}
