package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tributary/pipelines/job/stream"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// AccountsResult compares what the accounts of a stream say of its samples, by bucket, with those of the join.
type AccountsResult struct {
	// Pieces are how many were compared: buckets, older ones put together as accounts keep them.
	Pieces      int                 `json:"pieces"`
	Differences []AccountDifference `json:"differences"`
	// Note says why nothing was compared.
	Note string `json:"note,omitempty"`
}

// AccountDifference is a count that differs, of the views from a time on.
type AccountDifference struct {
	From time.Time `json:"from"`
	// What is counted: samples, or positives of a kind.
	What string `json:"what"`
	Want int64  `json:"want"`
	Got  int64  `json:"got"`
}

// compareAccounts compares the accounts of a stream; nil for a job that has none in a topic, or for a part of the time: old buckets are kept
// together, whatever the range.
func compareAccounts(ctx context.Context, s *spec.Spec, want *expected, sinks []*sink, found []*SinkResult, opt Options) (*AccountsResult, error) {
	if s.Outputs.Topics.Accounts == "" || !opt.From.IsZero() || !opt.To.IsZero() {
		return nil, nil
	}
	last := sinks[0].stages[len(sinks[0].stages)-1]
	for i := range found {
		if found[i].Stages[len(found[i].Stages)-1].AfterIdle > 0 {
			return &AccountsResult{Differences: []AccountDifference{}, Note: "not compared, as they are not of the same samples: see after idle"}, nil
		}
	}
	report, held, err := stream.ReportWithin(ctx, s, s.Stream.TransactionTimeout)
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	if held {
		return &AccountsResult{Differences: []AccountDifference{}, Note: "not compared, as some are behind a transaction that stays open"}, nil
	}
	return accountsOf(want.timeline, report.Accounts.Timeline, last.to), nil
}

// accountsOf compares timelines before a time: what the join has is put together as what the stream has.
func accountsOf(want, got map[int64]*account.Interval, before int64) *AccountsResult {
	starts := slices.DeleteFunc(slices.Sorted(maps.Keys(got)), func(start int64) bool { return start >= before })
	together := map[int64]*account.Interval{}
	for start, interval := range want {
		if start >= before || interval == nil {
			continue
		}
		at, exact := slices.BinarySearch(starts, start)
		if !exact && at > 0 {
			at--
		}
		if at < len(starts) && starts[at] <= start {
			start = starts[at]
		}
		if together[start] == nil {
			together[start] = &account.Interval{Positives: map[string]int64{}}
		}
		together[start].Samples += interval.Samples
		for kind, n := range interval.Positives {
			together[start].Positives[kind] += n
		}
	}
	for _, start := range starts {
		if together[start] == nil {
			together[start] = &account.Interval{}
		}
	}
	out := &AccountsResult{Differences: []AccountDifference{}, Pieces: len(together)}
	for start, w := range together {
		g := cmp.Or(got[start], &account.Interval{})
		differ := func(what string, want, got int64) {
			if want != got {
				out.Differences = append(out.Differences, AccountDifference{time.UnixMilli(start).UTC(), what, want, got})
			}
		}
		differ("samples", w.Samples, g.Samples)
		kinds := map[string]bool{}
		for _, interval := range []*account.Interval{w, g} {
			for kind := range interval.Positives {
				kinds[kind] = true
			}
		}
		for kind := range kinds {
			differ("positives of "+kind, w.Positives[kind], g.Positives[kind])
		}
	}
	slices.SortFunc(out.Differences, func(a, b AccountDifference) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(b.What, a.What))
	})
	return out
}
