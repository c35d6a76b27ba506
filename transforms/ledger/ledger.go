// Package ledger accounts for every event: what was read must equal what came out,
// was left out, or was refused, each with its reason.
package ledger

// Ledger is the account of one time slice, or of several merged ones.
type Ledger struct {
	// From and To bound the slice in event time, ms since the epoch: [From, To).
	From int64 `json:"from_ms"`
	To   int64 `json:"to_ms"`

	// Origin is what the account is of, while it is one piece of the work; the text of a
	// ledger leaves it out.
	Origin Origin `json:"-"`

	// Fingerprint stands for all that the account follows from: the same one means that
	// joining again would change nothing. Empty for what was merged.
	Fingerprint string `json:"fingerprint,omitempty"`

	Views Views `json:"views"`
	// Engagements by kind.
	Engagements map[string]*Engagements `json:"engagements"`
	Bytes       Bytes                   `json:"bytes"`
	// Timeline counts samples and positives per bucket of view time, by the bucket's
	// start in ms since the epoch.
	Timeline map[int64]*Interval `json:"timeline,omitempty"`
}

// Views accounts for view records: Read = Samples + SampledOut + Duplicates + Late + Dead +
// Open.
type Views struct {
	Read       int64 `json:"read"`
	Samples    int64 `json:"samples"`
	SampledOut int64 `json:"sampled_out"`
	Duplicates int64 `json:"duplicates"`
	Late       int64 `json:"late"`
	Dead       int64 `json:"dead"`
	// Open views lie in buckets that a stream has not joined yet.
	Open int64 `json:"open,omitempty"`

	// DuplicatesDiffering of the Duplicates had another content than the view kept.
	DuplicatesDiffering int64 `json:"duplicates_differing"`
	// Positives of the Samples have an engagement of any kind that counts.
	Positives int64 `json:"positives"`
	// Immature of the Samples were cut before their closing time was reached, because
	// the log ends there: their negatives may be fake.
	Immature int64 `json:"immature"`
}

// Engagements accounts for the engagement records of one kind:
// Read = Matched + Outside + Orphans + Duplicates + Late + Dead + Open.
type Engagements struct {
	Read int64 `json:"read"`
	// Matched: its view came, and it lies in the view's attribution window.
	Matched int64 `json:"matched"`
	// Outside: its view came, but it lies outside the attribution window.
	Outside int64 `json:"outside_window"`
	// Orphans: its view never came.
	Orphans    int64 `json:"orphans"`
	Duplicates int64 `json:"duplicates"`
	// Late: wholly late, or partly late and its view not among those still open.
	Late int64 `json:"late"`
	Dead int64 `json:"dead"`
	// Open: what became of them depends on buckets that a stream has not joined yet.
	Open int64 `json:"open,omitempty"`

	// PartlyLate engagements found some of the views they may refer to closed; they are
	// under Late if their view was not among the open ones, else under their fate.
	PartlyLate int64 `json:"partly_late"`
	// Filtered records of the inputs were not of this kind (`where`); not under Read.
	Filtered int64 `json:"filtered"`
	// Positives counts samples with a label of this kind.
	Positives int64 `json:"positives"`
	// Delay holds the time from the view to its first engagement that counts.
	Delay *Histogram `json:"delay_ms,omitempty"`
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
