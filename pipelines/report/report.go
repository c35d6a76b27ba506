// Package report tells a person, a program or a browser what a join has done: whether
// every event is accounted for, how well the join went, and what to worry about.
//
// Its figures:
//
//   - match rate of a kind: matched / engagements read. What is missing is in the
//     accounts: outside the window, orphans, duplicates, late, dead.
//   - positive rate of a kind: samples with a label of that kind / samples; over all
//     kinds: samples with any label / samples. Where negatives are sampled, the rate
//     over all views is positives / (samples + sampled out), as every positive is kept.
//   - delay: from a view to its first engagement of the kind that counts, one for each
//     positive; the largest as it was, other quantiles within 1 %. Its share of the attribution window says whether
//     the window is long enough: it is too short when engagements still arrive at its end.
//   - positives over time: by view time, in pieces of the join's buckets.
//   - bytes at each station of the way, and as plain JSON lines for comparison; ratios
//     are of one station to another, so "0.25" takes a quarter of the room.
//   - speed: events read (views and engagements) per second of wall clock, from the
//     start to the last file written; memory is the largest resident set of the process.
//
// Files:
//
//	report.go      what is reported; rules.go, notes.go: what to worry about; limits.go: what makes a join fail
//	timeline.go    positives over time; stages.go, reasons.go, inputs.go, beside.go, unread.go: what else is shown
//	text.go        for people; table.go, tables.go: its tables
//	json.go        for programs; schema.go: its JSON Schema
//	html.go        as a page; charts.go, graph.go, plot.go: its pictures
//	format.go, words.go: numbers and words as all of them write them
package report

import (
	"time"

	"tributary/transforms/account"
)

// Report is what is known after a join. Only Accounts is required: what is zero is left
// out of the report, so that a file of accounts alone can be shown as well.
type Report struct {
	// Spec names the spec file, or whatever the accounts came from.
	Spec    string
	Version int32
	// From and To bound the joined views in event time; zero: as the accounts say.
	From, To time.Time
	// Intervals is how many intervals of event time there were, of which Finished were finished by an
	// earlier run, and are as it left them.
	Intervals, Finished int
	Accounts            *account.Sheet
	// Kinds are the kinds of engagement in the spec's order; those it does not name are
	// shown behind them.
	Kinds []string
	// Windows is the attribution window of each kind.
	Windows map[string]time.Duration
	Elapsed time.Duration
	// Events is how many records this run read, of views and engagements, from which
	// the speed follows: less than the accounts have if earlier intervals were already done.
	Events int64
	// MaxRSS is the largest resident set of the process, in bytes.
	MaxRSS int64
	// Outputs says where things were written.
	Outputs []Output
	// Limits say how much may be lost before that is an error.
	Limits Limits
	// Unread are files that were left unread, EmptyFolders those that match an input and hold
	// no files.
	Unread       Unread
	EmptyFolders []string
	// InputsFrom is the first minute of event time that the inputs of a join have records of; zero where it is not known.
	InputsFrom time.Time
	// SampleSchema is the Avro schema of the samples of a join; empty where it is not known.
	SampleSchema string
	// Stale are files of an earlier run.
	Stale Stale
}

// Output is a place where something was written.
type Output struct {
	// Name says what: samples, late, dead letters, orphans, accounts.
	Name string `json:"name"`
	// Path of a file or folder, or Topic; the other is empty.
	Path  string `json:"path,omitempty"`
	Topic string `json:"topic,omitempty"`
	// Count is how many records, or files of accounts, it has of what is reported on.
	Count int64 `json:"count"`
}

// Place is where it is, for a person.
func (o Output) Place() string {
	if o.Topic != "" {
		return "topic " + Harmless(o.Topic)
	}
	if o.Path == "-" {
		return "stdout"
	}
	return Harmless(o.Path)
}

// kind is what the report says of one kind of engagement.
type kind struct {
	Name string
	*account.Engagements
	Window time.Duration // 0: not known
}

// kinds returns the kinds that have an account, in order.
func (r *Report) kinds() []kind {
	var all []kind
	for _, name := range r.order() {
		if e := r.Accounts.Engagements[name]; e != nil {
			all = append(all, kind{Name: name, Engagements: e, Window: r.Windows[name]})
		}
	}
	return all
}

// events is how many records are accounted for.
func (r *Report) events() int64 {
	n := r.Accounts.Views.N[account.Read]
	for _, k := range r.kinds() {
		n += k.N[account.Read]
	}
	return n
}

// span is the event time the report is about; zero times if that is not known.
func (r *Report) span() (from, to time.Time) {
	from, to = r.From, r.To
	if from.IsZero() && to.IsZero() && r.Accounts.From != r.Accounts.To {
		from, to = time.UnixMilli(r.Accounts.From), time.UnixMilli(r.Accounts.To)
	}
	return from.UTC(), to.UTC()
}

// quantiles of the delay that the report shows.
var quantiles = []struct {
	name string
	q    float64
}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}}
