// Package account accounts for every event: what was read must equal what came out,
// was left out, or was rejected, each with its reason.
//
// What is counted is declared in one table (table.go), a row a count: its name in JSON, tables and
// metrics, its side of the balance, and what a report says of it. Code counts by l.Views.N[account.Late]++.
//
//	sheet.go                 the accounts; stage.go: of a stage; timeline.go: over time; histogram.go: of delays; reason.go: why records are refused
//	count.go, table.go       counts, and the table of them
//	merge.go, check.go       adding up, and whether it balances
//	encoding.go, origin.go   as text, and which piece of the work it is of
package account

// Sheet holds the accounts of one interval of event time, or of several merged ones.
type Sheet struct {
	// From and To bound the interval in event time, ms since the epoch: [From, To).
	From int64 `json:"from_ms"`
	To   int64 `json:"to_ms"`

	// Origin is what the account is of, while it is one piece of the work; the text of a
	// sheet leaves it out.
	Origin Origin `json:"-"`

	// Fingerprint stands for all that the account follows from: the same one means that
	// joining again would change nothing. Empty for what was merged.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Files are those that the interval consists of beside its accounts; none for what was merged.
	Files []File `json:"files,omitempty"`

	Views Views `json:"views"`
	// Engagements by kind.
	Engagements map[string]*Engagements `json:"engagements"`
	Bytes       Bytes                   `json:"bytes"`
	// Inputs by their name in the spec: views.inputs.0, engagements.like.inputs.1.
	Inputs map[string]*Input `json:"inputs,omitempty"`
	// Stages by their name; none in a join without. That of the last says again what Views does, as far as it is about samples.
	Stages map[string]*Stage `json:"stages,omitempty"`
	// Timeline counts samples and positives per bucket of view time, by the bucket's
	// start in ms since the epoch.
	Timeline map[int64]*Interval `json:"timeline,omitempty"`
}

// File is a file as it was written.
type File struct {
	// Output is its key in the spec.
	Output string `json:"output"`
	Size   int64  `json:"size"`
	// Version is the object's generation, or the time of its last change; Hash is of its bytes.
	Version string `json:"version"`
	Hash    string `json:"hash"`
}

// Input counts the records of one input that are accounted for, as they were read.
type Input struct{ N Counts }

// Stage accounts for the views of one stage: what was read in time for it, and what it made of that.
type Stage struct {
	N Counts
	// Corrected counts, by kind, samples that were given whose label of that kind is another than was said before.
	Corrected map[string]int64
}

// Reason counts what was refused for one reason.
type Reason struct {
	Count int64 `json:"count"`
	// Example is what was wrong with one of them, in words; where records lie in a log it
	// says where. Of several it is the first in the order of bytes.
	Example string `json:"example"`
}

// Views accounts for view records.
type Views struct {
	N Counts
	// Reasons why views are late or dead, by a text without the values of the record at hand.
	Reasons map[string]*Reason
}

// Engagements accounts for the engagement records of one kind.
type Engagements struct {
	N Counts
	// Reasons why engagements are late, dead or orphans, by a text without the values of the
	// record at hand.
	Reasons map[string]*Reason
	// Delay holds the time from the view to its first engagement that counts.
	Delay *Histogram
}

// Bytes measures the data at each station.
type Bytes struct {
	// In is what was read from files, compressed as they are.
	In int64 `json:"in"`
	// Records is the same, decompressed.
	Records int64 `json:"records"`
	// Blocks is what goes through the shuffle and rests in state.
	Blocks int64 `json:"blocks"`
	// Samples is the encoded samples, before compression.
	Samples int64 `json:"samples"`
	// Out is the sample files as written.
	Out int64 `json:"out"`
	// JSON is the samples as plain JSON lines, scaled up from those whose view id
	// hashes into one of 256 parts.
	JSON int64 `json:"json_estimate"`
}

// Interval is a piece of the timeline.
type Interval struct {
	Samples   int64            `json:"samples"`
	Positives map[string]int64 `json:"positives"`
}
