package report

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

// Each threshold from both sides.
func TestNotes(t *testing.T) {
	// good are accounts without notes: 100,000 views and likes.
	good := func() *Report {
		l := account.New("like")
		l.Views = account.Views{N: account.Values{account.Read: 100_000, account.Samples: 90_000, account.Duplicates: 10_000, account.Positives: 80_000}.Counts()}
		like := l.Engagements["like"]
		like.N[account.Read], like.N[account.Matched], like.N[account.Positives] = 100_000, 100_000, 80_000
		for range 80_000 {
			like.Delay.Record(100)
		}
		l.Timeline[0] = &account.Interval{Samples: 90_000, Positives: map[string]int64{"like": 80_000}}
		return &Report{Accounts: l, Windows: map[string]time.Duration{"like": time.Second}}
	}
	like := func(r *Report) *account.Engagements { return r.Accounts.Engagements["like"] }
	delays := func(r *Report, counts map[int64]int) {
		like(r).Delay = &account.Histogram{}
		for ms, n := range counts {
			for range n {
				like(r).Delay.Record(ms)
			}
		}
	}
	stage := func(r *Report, name string, late int64) {
		r.Accounts.Views.N[account.Read], r.Accounts.Views.N[account.Duplicates] = 90_000, 0
		r.Accounts.StageOf(name).N = account.Values{account.Read: 90_000, account.Samples: 90_000 - late, account.Late: late}.Counts()
	}
	inputs := func(r *Report, of ...account.Input) {
		for i, in := range of {
			*r.Accounts.InputOf(fmt.Sprintf("engagements.like.inputs.%d", i)) = in
		}
	}
	for _, c := range []struct {
		name   string
		change func(*Report)
		want   string // codes, and kinds in brackets
	}{
		{"all is well", func(*Report) {}, ""},
		{"orphans at 1 %", func(r *Report) { like(r).N[account.Matched], like(r).N[account.Orphans] = 99_000, 1_000 }, ""},
		{"orphans above 1 %", func(r *Report) { like(r).N[account.Matched], like(r).N[account.Orphans] = 98_999, 1_001 }, "orphans(like)"},
		{"late at 0.1 %", func(r *Report) { like(r).N[account.Matched], like(r).N[account.Late] = 99_900, 100 }, ""},
		{"late above 0.1 %", func(r *Report) { like(r).N[account.Matched], like(r).N[account.Late] = 99_899, 101 }, "late(like)"},
		{"late views at 0.1 %", func(r *Report) { r.Accounts.Views.N[account.Duplicates], r.Accounts.Views.N[account.Late] = 9_900, 100 }, ""},
		{"late views above 0.1 %", func(r *Report) { r.Accounts.Views.N[account.Duplicates], r.Accounts.Views.N[account.Late] = 9_899, 101 }, "late"},
		{"one dead view", func(r *Report) { r.Accounts.Views.N[account.Duplicates], r.Accounts.Views.N[account.Dead] = 9_999, 1 }, "dead"},
		{"one dead engagement", func(r *Report) { like(r).N[account.Matched], like(r).N[account.Dead] = 99_999, 1 }, "dead(like)"},
		{"outside at 5 %", func(r *Report) { like(r).N[account.Matched], like(r).N[account.Outside] = 95_000, 5_000 }, ""},
		{"outside above 5 %", func(r *Report) { like(r).N[account.Matched], like(r).N[account.Outside] = 94_999, 5_001 }, "outside_window(like)"},
		{"p99 in the last tenth", func(r *Report) { r.Windows["like"] = 111 * time.Millisecond }, "window_short(like)"},
		{"p99 before the last tenth", func(r *Report) { r.Windows["like"] = 112 * time.Millisecond }, ""},
		{"window not known", func(r *Report) { r.Windows = nil }, ""},
		{"late for a stage at 1 %", func(r *Report) { stage(r, "10s", 900) }, ""},
		{"late for a stage above 1 %", func(r *Report) { stage(r, "10s", 901) }, "late_for_stage(10s)"},
		{"late for stages", func(r *Report) { stage(r, "10s", 950); stage(r, "1m", 920); stage(r, "1h", 0) }, "late_for_stage(10s) late_for_stage(1m)"},
		{"immature", func(r *Report) { r.Accounts.Views.N[account.Immature] = 1 }, "immature"},
		{"differing duplicates", func(r *Report) { r.Accounts.Views.N[account.DuplicatesDiffering] = 1 }, "duplicates_differing"},
		{"late after idleness", func(r *Report) {
			r.Accounts.Views.N[account.Duplicates], r.Accounts.Views.N[account.Late], r.Accounts.Views.N[account.LateAfterIdle] = 9_999, 1, 1
			like(r).N[account.Matched], like(r).N[account.Late], like(r).N[account.LateAfterIdle] = 99_999, 1, 1
		}, "late_after_idle late_after_idle(like)"},
		{"chained duplicates", func(r *Report) { r.Accounts.Views.N[account.DuplicatesChained] = 1 }, "duplicates_chained"},
		{"unbalanced", func(r *Report) { like(r).N[account.Read]++; r.Accounts.Views.N[account.Read]-- }, "unbalanced unbalanced"},
		{"engagements count for several views", func(r *Report) { like(r).N[account.Matches] = 100_001 }, "several_views(like)"},
		{"each counts for one view", func(r *Report) { like(r).N[account.Matches] = 100_000 }, ""},
		{"views sent again", func(r *Report) { r.Accounts.Views.N[account.Resent] = 1 }, "resent"},
		{"an id that no record has", func(r *Report) {
			like(r).N[account.WithoutID], like(r).N[account.Matched], like(r).N[account.Dead] = 99_999, 99_999, 1
		}, "dead(like) without_id(like)"},
		{"an id that some have", func(r *Report) { like(r).N[account.WithoutID] = 99_999 }, ""},
		{"a value that no record has", func(r *Report) { like(r).N[account.WithoutValue] = 100_000 }, "without_value(like)"},
		{"a value that some have", func(r *Report) { like(r).N[account.WithoutValue] = 99_999 }, ""},
		{"values that are no numbers", func(r *Report) { like(r).N[account.BadValues], like(r).N[account.Overflows] = 1, 1 }, "bad_values(like) overflows(like)"},
		{"delays of 0", func(r *Report) { delays(r, map[int64]int{0: 40_000, 100: 40_000}) }, "zero_delays(like)"},
		{"less than half the delays are 0", func(r *Report) { delays(r, map[int64]int{0: 39_999, 100: 40_001}) }, ""},
		{"orphans like floats", func(r *Report) {
			like(r).N[account.Matched], like(r).N[account.Orphans], like(r).N[account.OrphansLikeFloats] = 99_999, 1, 1
		}, "orphans_like_floats(like)"},
		{"unread", func(r *Report) { r.Unread.Files = 1 }, "unread"},
		{"empty folders", func(r *Report) { r.EmptyFolders = []string{"v/a.json/"} }, "empty_folders"},
		{"stale", func(r *Report) { r.Stale.Files = 1 }, "stale"},
		{"pruned", func(r *Report) { r.Stale = Stale{Files: 1, Removed: true} }, "pruned"},
		{"damages", func(r *Report) { r.Accounts.Views.N[account.Damages], like(r).N[account.Damages] = 1, 1 }, "damaged damaged(like)"},
		{"where lets nothing of an input through", func(r *Report) {
			inputs(r, account.Input{N: account.Values{account.Read: 100_000}.Counts()}, account.Input{N: account.Values{account.Filtered: 7}.Counts()})
		}, "where_matches_nothing(engagements.like.inputs.1)"},
		{"where lets nothing of a kind through", func(r *Report) {
			*r = Report{Accounts: account.New("like")}
			r.Accounts.Views.N[account.Read], r.Accounts.Views.N[account.SampledOut] = 5, 5
			like(r).N[account.Filtered] = 7
			inputs(r, account.Input{N: account.Values{account.Filtered: 3}.Counts()}, account.Input{N: account.Values{account.Filtered: 4}.Counts()})
		}, "where_matches_nothing(like)"},
		{"where of the views lets nothing through", func(r *Report) {
			*r = Report{Accounts: account.New()}
			r.Accounts.Views.N[account.Filtered] = 7
			r.Accounts.InputOf("views.inputs.0").N[account.Filtered] = 3
			r.Accounts.InputOf("views.inputs.1").N[account.Filtered] = 4
		}, "where_matches_nothing"},
		{"where lets no view of an input through", func(r *Report) {
			r.Accounts.Views.N[account.Filtered] = 7
			r.Accounts.InputOf("views.inputs.0").N[account.Read] = 10_000
			r.Accounts.InputOf("views.inputs.1").N[account.Filtered] = 7
		}, "where_matches_nothing(views.inputs.1)"},
		{"an input is dead", func(r *Report) {
			like(r).N[account.Matched], like(r).N[account.Dead] = 99_993, 7
			inputs(r, account.Input{N: account.Values{account.Read: 99_993}.Counts()}, account.Input{N: account.Values{account.Read: 7, account.Dead: 7}.Counts()})
		}, "dead(engagements.like.inputs.1) dead(like)"},
		{"all are late or dead", func(r *Report) {
			*like(r) = account.Engagements{N: account.Values{account.Read: 7, account.Late: 3, account.Dead: 4}.Counts(), Delay: &account.Histogram{}}
			r.Accounts.Views.N[account.Positives], r.Accounts.Timeline[0].Positives = 0, nil
		}, "unusable(like) dead(like) late(like) no_positives"},
		{"nothing read", func(r *Report) { *r = Report{Accounts: account.New("like")} }, "no_views no_engagements(like)"},
		{"nothing matched: orphans are not said twice", func(r *Report) {
			*r = Report{Accounts: account.New("like")}
			r.Accounts.Views.N[account.Read], r.Accounts.Views.N[account.Samples] = 5, 5
			r.Accounts.Timeline[0] = &account.Interval{Samples: 5}
			like(r).N[account.Read], like(r).N[account.Orphans] = 7, 7
		}, "nothing_matched(like) no_positives"},
	} {
		r := good()
		c.change(r)
		var got []string
		for _, n := range r.Notes() {
			code := n.Code
			if about := cmp.Or(n.Input, n.Kind, n.Stage); about != "" {
				code += "(" + about + ")"
			}
			got = append(got, code)
		}
		assert.Equal(t, c.want, strings.Join(got, " "), c.name)
	}
}

// What fails a join, and what does not.
func TestLost(t *testing.T) {
	limits := func(dead, late, unmatched string) (l Limits) {
		for flag, text := range map[*Limit]string{&l.Dead: dead, &l.Late: late, &l.Unmatched: unmatched} {
			if text != "" {
				require.NoError(t, flag.Set(text))
			}
		}
		return l
	}
	for _, c := range []struct {
		name   string
		views  account.Views
		like   account.Engagements
		limits Limits
		want   string // the error; empty for none
	}{
		{name: "nothing", want: ""},
		{name: "one dead view", views: account.Views{N: account.Values{account.Read: 1, account.Dead: 1}.Counts()}, want: "Dead: views all 1."},
		{name: "all late", views: account.Views{N: account.Values{account.Read: 3, account.Late: 3}.Counts()}, like: account.Engagements{N: account.Values{account.Read: 2, account.Late: 2}.Counts()}, want: "Late: views all 3, like all 2."},
		{name: "some", views: account.Views{N: account.Values{account.Read: 4, account.Dead: 3, account.Samples: 1}.Counts()}},
		{name: "at the limit", views: account.Views{N: account.Values{account.Read: 100, account.Dead: 3, account.SampledOut: 97}.Counts()}, limits: limits("3%", "0", "")},
		{name: "over the limit", views: account.Views{N: account.Values{account.Read: 100, account.Dead: 3, account.SampledOut: 97}.Counts()}, limits: limits("2.5%", "", ""), want: "Dead: views 3 (3.0 %, more than 2.5%)."},
		{name: "over a count", views: account.Views{N: account.Values{account.Read: 100, account.Late: 3, account.SampledOut: 97}.Counts()}, limits: limits("", "2", ""), want: "Late: views 3 (3.0 %, more than 2)."},
		{name: "one stray", like: account.Engagements{N: account.Values{account.Read: 1, account.Orphans: 1}.Counts()}},
		{name: "none matched", like: account.Engagements{N: account.Values{account.Read: 2, account.Orphans: 1, account.Outside: 1}.Counts()}, want: "Nothing matched: like none of 2."},
		{name: "some still may", like: account.Engagements{N: account.Values{account.Read: 3, account.Orphans: 2, account.Open: 1}.Counts()}},
		{name: "unmatched", like: account.Engagements{N: account.Values{account.Read: 20, account.Matched: 18, account.Orphans: 1, account.Outside: 1}.Counts()}, limits: limits("", "", "5%"), want: "Unmatched: like 2 (10.0 %, more than 5%)."},
	} {
		l := account.New("like")
		l.Views, *l.Engagements["like"] = c.views, c.like
		err := (&Report{Accounts: l, Limits: c.limits}).Lost()
		if c.want == "" {
			assert.NoError(t, err, c.name)
			continue
		}
		assert.EqualError(t, err, "too much was lost. "+c.want+" All else is written; the report has the reasons.", c.name)
	}
}

func TestLimitIsAShareOrACount(t *testing.T) {
	for text, want := range map[string]string{"1%": "1%", " 0.5 %": "0.5%", "100": "100", "0": "0", "100%": "100%"} {
		var l Limit
		require.NoError(t, l.Set(text))
		assert.Equal(t, want, l.String())
	}
	for _, text := range []string{"", "%", "101%", "-1%", "NaN%", "-1", "0.01", "some", "1 percent"} {
		assert.Error(t, new(Limit).Set(text), "%q", text)
	}
}
