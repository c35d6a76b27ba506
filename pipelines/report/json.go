package report

import (
	"fmt"
	"io"
	"time"

	"tributary/transforms/account"
)

// Format is the version of the report for programs. Fields are added without a new one. In 3 ledger
// became accounts, and slices intervals; in 2 outputs and notes became objects; 1 did not say its
// version.
const Format = 3

// Summary is the report for programs: the shape of what JSON writes, which Schema describes.
// Fields are added over time, but keep their name, unit and meaning. Rates are shares (0 to
// 1), delays and durations milliseconds. A rate of nothing is null, and what is not known is
// left out.
type Summary struct {
	// Format is the version of this form; Version that of the spec.
	Format  int    `json:"format"`
	Spec    string `json:"spec,omitempty"`
	Version int32  `json:"version,omitempty"`
	// From and To bound the views in event time, RFC 3339.
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Intervals int    `json:"intervals,omitempty"`
	// Finished of the intervals were finished by an earlier run.
	Finished int `json:"intervals_finished_before,omitempty"`
	// Balanced says that every event is accounted for; Notes name what is not.
	Balanced bool   `json:"balanced"`
	Notes    []Note `json:"notes"`
	// PositiveRate is samples with any label / samples; over all distinct views,
	// which differs where negatives are sampled, PositiveRateOfViews.
	PositiveRate        *float64               `json:"positive_rate"`
	PositiveRateOfViews *float64               `json:"positive_rate_of_views"`
	Kinds               map[string]KindSummary `json:"kinds"`
	// Stages in order of time, of a join that has some.
	Stages  []StageSummary `json:"stages,omitempty"`
	Speed   *Speed         `json:"speed,omitempty"`
	Outputs []Output       `json:"outputs,omitempty"`
	// Unread counts files that were left unread, as --trust-folders asks.
	Unread *Unread `json:"unread,omitempty"`
	// Stale are files of an earlier run that this one has nothing to say of.
	Stale *Stale `json:"stale,omitempty"`
	// Accounts as in the file of accounts.
	Accounts *account.Sheet `json:"accounts"`
}

// KindSummary is what a Summary says of one kind of engagement, beside the accounts.
type KindSummary struct {
	// MatchRate is matched / engagements read.
	MatchRate *float64 `json:"match_rate"`
	// PositiveRate is samples with a label of this kind / samples.
	PositiveRate *float64 `json:"positive_rate"`
	WindowMs     int64    `json:"window_ms,omitempty"`
	// DelayMs holds min, p50, p90, p99 and max of the delay from the view to its first
	// engagement: min and max as they were, the others within 1 %; absent without positives.
	DelayMs map[string]int64 `json:"delay_ms,omitempty"`
}

// Speed is what the run took.
type Speed struct {
	Events          int64 `json:"events"`
	ElapsedMs       int64 `json:"elapsed_ms"`
	EventsPerSecond int64 `json:"events_per_second,omitempty"`
	MaxRSSBytes     int64 `json:"max_rss_bytes,omitempty"`
}

// Summary returns the report for programs.
func (r *Report) Summary() Summary {
	v := r.Accounts.Views
	s := Summary{
		Format: Format, Spec: r.Spec, Version: r.Version, Intervals: r.Intervals, Finished: r.Finished,
		Balanced:            r.Accounts.Check() == nil,
		Notes:               append([]Note{}, r.Notes()...),
		PositiveRate:        rate(v.N[account.Positives], v.N[account.Samples]),
		PositiveRateOfViews: rate(v.N[account.Positives], v.N[account.Samples]+v.N[account.SampledOut]),
		Kinds:               map[string]KindSummary{},
		Stages:              r.stageSummaries(),
		Outputs:             r.Outputs,
		Accounts:            r.Accounts,
	}
	if r.Unread.Files > 0 {
		s.Unread = &r.Unread
	}
	if r.Stale.Files > 0 {
		s.Stale = &r.Stale
	}
	if from, to := r.span(); !from.IsZero() || !to.IsZero() {
		s.From, s.To = from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano)
	}
	for _, k := range r.kinds() {
		sum := KindSummary{
			MatchRate:    rate(k.N[account.Matched], k.N[account.Read]),
			PositiveRate: rate(k.N[account.Positives], v.N[account.Samples]),
			WindowMs:     k.Window.Milliseconds(),
		}
		if k.Delay.Count() > 0 {
			sum.DelayMs = map[string]int64{"min": k.Delay.Min()}
			for _, q := range quantiles {
				sum.DelayMs[q.name] = k.Delay.Quantile(q.q)
			}
		}
		s.Kinds[k.Name] = sum
	}
	if r.Elapsed > 0 || r.MaxRSS > 0 {
		s.Speed = &Speed{
			Events: r.Events, ElapsedMs: r.Elapsed.Milliseconds(),
			EventsPerSecond: r.perSecond(), MaxRSSBytes: r.MaxRSS,
		}
	}
	return s
}

// JSON writes the Summary as indented JSON, identical for equal reports.
func (r *Report) JSON(w io.Writer) error {
	text, err := account.Indent(r.Summary())
	if err != nil {
		return fmt.Errorf("report as JSON: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	return nil
}

func rate(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	share := float64(part) / float64(whole)
	return &share
}
