package demo

import (
	"errors"
	"fmt"
	"io"
	"time"

	"tributary/pipelines/audit"
	"tributary/pipelines/why"
)

// Report holds all that is in the topics against the truth.
type Report struct {
	Where   string  `json:"where"`
	Seed    uint64  `json:"seed"`
	Seconds float64 `json:"seconds"` // from the first record sent to the last one read
	// Kept is the folder of what was made, if it was kept.
	Kept string `json:"kept,omitempty"`
	// Topics is what the names of topics that were kept begin with.
	Topics      string      `json:"topics,omitempty"`
	Views       Views       `json:"views"`
	Engagements Engagements `json:"engagements"`
	Samples     Samples     `json:"samples"`
	// Exact says that there is no difference at all.
	Exact bool `json:"exact"`
	// Audit is that of the samples that no later record could change; Why what became of the view of one, nil if there is none.
	Audit *audit.Result `json:"audit"`
	Why   *why.Result   `json:"why,omitempty"`
}

// Right says that the samples are the truth, and that the audit, which does not know it, finds nothing.
func (r *Report) Right() bool { return r.Exact && r.Audit.Findings == 0 }

// Count is a count in the topics, read committed, and what it must be.
type Count struct {
	Topics int64 `json:"topics"`
	Truth  int64 `json:"truth"`
}

// Views accounts for views: Sent = Samples + Duplicates + Late + Dead.
type Views struct {
	Sent    Count `json:"sent"`
	Samples Count `json:"samples"`
	// Duplicates are in no topic: they are what is left of those sent.
	Duplicates Count `json:"duplicates"`
	Late       Count `json:"late"`
	Dead       Count `json:"dead_letters"`
	// Positives are samples with a label of any kind, Kinds those with one of each.
	Positives Count   `json:"positives"`
	Kinds     []Label `json:"kinds"`
}

// Label is how many samples have a label of a kind.
type Label struct {
	Kind string `json:"kind"`
	Count
}

// Engagements accounts for those that became no label.
type Engagements struct {
	Sent    Count `json:"sent"`
	Late    Count `json:"late"`
	Dead    Count `json:"dead_letters"`
	Orphans Count `json:"orphans"`
}

// Samples says how the samples differ from those that must be there.
type Samples struct {
	Missing  int64 `json:"missing"`
	Repeated int64 `json:"repeated"`
	Unknown  int64 `json:"unknown"`
	// Differing are there, with another view or label.
	Differing int64 `json:"differing"`
	// First tells what is wrong with the first unknown or differing one.
	First string `json:"first,omitempty"`
}

func newReport(opt Options, on place, t *traffic, a *tally, took time.Duration) *Report {
	want := &t.truth.counts
	r := &Report{Where: on.name(), Seed: opt.Seed, Seconds: took.Seconds(), Kept: opt.Keep}
	if opt.Keep != "" {
		r.Topics = on.prefix()
	}
	samples := int64(len(a.samples))
	r.Views = Views{
		Sent:       Count{t.views.Sent(), want.Views.Read},
		Samples:    Count{samples, want.Views.Samples},
		Duplicates: Count{t.views.Sent() - samples - a.late.views - a.dead.views, want.Views.Duplicates},
		Late:       Count{a.late.views, want.Views.Late},
		Dead:       Count{a.dead.views, want.Views.Dead},
		Positives:  Count{a.positives, want.Views.Positives},
	}
	e := &r.Engagements
	e.Sent.Topics, e.Late.Topics, e.Dead.Topics, e.Orphans.Topics = t.engagements.Sent(), a.late.engagements, a.dead.engagements, a.orphans
	for _, k := range t.config.Kinds {
		kind := want.Engagements[k.Name]
		e.Sent.Truth += kind.Read
		e.Late.Truth += kind.Late
		e.Dead.Truth += kind.Dead
		e.Orphans.Truth += kind.Orphans
		r.Views.Kinds = append(r.Views.Kinds, Label{k.Name, Count{a.kinds[k.Name], kind.Positives}})
	}
	r.Samples = Samples{Missing: a.missing(), Repeated: a.repeated(), Unknown: a.unknown, Differing: a.wrong, First: a.why}
	r.Exact = r.exact()
	return r
}

// row is a line of the table.
type row struct {
	name string
	Count
}

// rows are the lines of the table, the parts of a sum indented below it.
func (r *Report) rows() []row {
	v, e := &r.Views, &r.Engagements
	rows := []row{{"views sent", v.Sent}, {"  samples", v.Samples}, {"    positive", v.Positives}}
	for _, k := range v.Kinds {
		rows = append(rows, row{"      " + k.Kind, k.Count})
	}
	return append(rows,
		row{"  duplicates (the rest)", v.Duplicates}, row{"  late", v.Late}, row{"  dead letters", v.Dead},
		row{"engagements sent", e.Sent}, row{"  late", e.Late}, row{"  dead letters", e.Dead}, row{"  orphans", e.Orphans},
	)
}

func (r *Report) exact() bool {
	for _, row := range r.rows() {
		if row.Topics != row.Truth {
			return false
		}
	}
	s := &r.Samples
	return s.Missing == 0 && s.Repeated == 0 && s.Unknown == 0 && s.Differing == 0
}

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	var errs []error
	line := func(format string, args ...any) {
		_, err := english.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	line("%-24s %12s %12s", "", "in topics", "truth")
	for _, row := range r.rows() {
		difference := ""
		if row.Topics != row.Truth {
			difference = english.Sprintf("   differs by %+d", row.Topics-row.Truth)
		}
		line("%-24s %12d %12d%s", row.name, row.Topics, row.Truth, difference)
	}
	line("")
	s := &r.Samples
	if r.Exact {
		line("exact, in %.0f s: each of %d samples is there once, with the labels of the truth", r.Seconds, r.Views.Samples.Topics)
	} else {
		line("NOT EXACT: %d samples missing, %d repeated, %d unknown, %d differing", s.Missing, s.Repeated, s.Unknown, s.Differing)
		if s.First != "" {
			line("the first: %s", s.First)
		}
	}
	if r.Kept != "" {
		line("kept in %s: the input, its truth and the spec, stream.yaml", r.Kept)
	}
	if r.Topics != "" {
		line("kept on Kafka: the topics %s*", r.Topics)
	}
	line("")
	if err := errors.Join(append(errs, r.looked(w))...); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}
