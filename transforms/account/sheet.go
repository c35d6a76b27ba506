// Package account accounts for every event: what was read must equal what came out,
// was left out, or was refused, each with its reason.
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
type Input struct {
	// Read records were of the role that reads the input; Late and Dead are among them.
	Read int64 `json:"read"`
	Late int64 `json:"late,omitempty"`
	Dead int64 `json:"dead,omitempty"`
	// Filtered records were not (`where`).
	Filtered int64 `json:"filtered,omitempty"`
}

// Reason counts what was refused for one reason.
type Reason struct {
	Count int64 `json:"count"`
	// Example is what was wrong with one of them, in words; where records lie in a log it
	// says where. Of several it is the first in the order of bytes.
	Example string `json:"example"`
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
	// LateAfterIdle of the Late are so only because their partition had been idle: another reading
	// of the log may find them in time.
	LateAfterIdle int64 `json:"late_after_idle,omitempty"`
	// Open views lie in buckets that a stream has not joined yet.
	Open int64 `json:"open,omitempty"`

	// DuplicatesDiffering of the Duplicates had another content than the view kept.
	DuplicatesDiffering int64 `json:"duplicates_differing"`
	// DuplicatesChained of the Duplicates, at the least, came more than dedup_window after
	// the view kept: each is a duplicate of the one before it.
	DuplicatesChained int64 `json:"duplicates_chained_at_least,omitempty"`
	// Positives of the Samples have an engagement of any kind that counts.
	Positives int64 `json:"positives"`
	// Immature of the Samples were cut before their closing time was reached, because
	// the log ends there: their negatives may be fake.
	Immature int64 `json:"immature"`
	// Resent of the Samples, at the least, have the id of an earlier view that is not their
	// duplicate: it came more than dedup_window before.
	Resent int64 `json:"resent_at_least,omitempty"`
	// Damages are places in files where it is not known how many records were lost; what is
	// known to be lost is under Dead.
	Damages int64 `json:"damages,omitempty"`
	// Reasons why views are late or dead, by a text without the values of the record at hand.
	Reasons map[string]*Reason `json:"reasons,omitempty"`
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
	// LateAfterIdle of the wholly or partly late are so only because their partition had been idle.
	LateAfterIdle int64 `json:"late_after_idle,omitempty"`
	// Open: what became of them depends on buckets that a stream has not joined yet.
	Open int64 `json:"open,omitempty"`

	// PartlyLate engagements found some of the views they may refer to closed; they are
	// under Late if their view was not among the open ones, else under their fate.
	PartlyLate int64 `json:"partly_late"`
	// Filtered records of the inputs were not of this kind (`where`); not under Read.
	Filtered int64 `json:"filtered"`
	// Positives counts samples with a label of this kind.
	Positives int64 `json:"positives"`
	// Matches are the pairs of a view and an engagement in its window. Where they are more than
	// Matched, engagements count for several views.
	Matches int64 `json:"matches,omitempty"`
	// WithoutID engagements have no id of their own, though the spec names a field for it;
	// WithoutValue ones have no value for their label.
	WithoutID    int64 `json:"without_id,omitempty"`
	WithoutValue int64 `json:"without_value,omitempty"`
	// BadValues engagements count, but their value is left out of the label: it is no number,
	// and the spec says on_bad_value: null.
	BadValues int64 `json:"bad_values,omitempty"`
	// Overflows are sums beyond what a double holds: the label is the largest double.
	Overflows int64 `json:"overflows,omitempty"`
	// OrphansLikeFloats of the Orphans name a view like 123.0: a whole number that was written
	// as a float on its way.
	OrphansLikeFloats int64 `json:"orphans_like_floats,omitempty"`
	// Damages are places in files where it is not known how many records were lost.
	Damages int64 `json:"damages,omitempty"`
	// Reasons why engagements are late, dead or orphans, by a text without the values of the
	// record at hand.
	Reasons map[string]*Reason `json:"reasons,omitempty"`
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
