package account

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCheckAcceptsWhatBalances(t *testing.T) {
	require.NoError(t, new(Sheet).Check())
	require.NoError(t, New("like").Check())
	require.NoError(t, full().Check())
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, balanced().Draw(t, "ledger").Check())
	})
}

// Every count of the table, changed by one, must be seen. For most a change either way is; those
// that are Within others are seen when they grow, and full() puts them at their edge.
func TestCheckCatchesAnyCountOffByOne(t *testing.T) {
	// Counts of which more than one rule speaks, beside the table: the delays, and other subjects. A stage's are by itself.
	both := map[Subject][]Count{OfViews: {Positives}, OfEngagements: {Positives}}
	for s, of := range map[Subject]func(*Sheet) *Counts{
		OfViews:       func(l *Sheet) *Counts { return &l.Views.N },
		OfEngagements: func(l *Sheet) *Counts { return &l.Engagements["like"].N },
		OfInput:       func(l *Sheet) *Counts { return &l.Inputs["views.inputs.0"].N },
		OfStage:       func(l *Sheet) *Counts { return &l.Stages["10s"].N },
	} {
		for _, count := range All(s, Beside, Whole, Part) {
			name, use := count.Row().Key, count.Row().In(s)
			change := func(to func(int64) int64) error {
				l := full()
				n := of(l)
				n[count] = to(n[count])
				return l.Check()
			}
			assert.ErrorContains(t, change(func(int64) int64 { return -1 }), name+" is negative: -1", "%d", s)
			more, less := change(func(n int64) int64 { return n + 1 }), change(func(n int64) int64 { return n - 1 })
			switch {
			case slices.Contains(both[s], count), use.Side != Beside && s != OfInput:
				assert.Error(t, more, "%d: %s + 1", s, name)
				assert.Error(t, less, "%d: %s - 1", s, name)
			case use.Within != nil:
				assert.Error(t, more, "%d: %s + 1", s, name)
			case s != OfInput:
				assert.NoError(t, more, "%d: %s + 1", s, name)
			}
		}
	}
}

func TestCheckOfInputs(t *testing.T) {
	l := full()
	l.Inputs["views.inputs.0"].N = Values{Read: 4, Late: 3, Dead: 2}.Counts()
	assert.EqualError(t, l.Check(), "views.inputs.0: 5 late + dead are more than 4 read")
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Sheet)
		want   []string // the lines of the error, in order
	}{
		{
			"a view lost", func(l *Sheet) { l.Views.N[Read]++ },
			[]string{
				"views: 27 read, but 10 samples + 6 sampled_out + 4 duplicates + 3 late + 2 dead + 1 open = 26 (-1)",
				"stage 10s: 27 views read, but 21 read + 3 late for all + 2 dead = 26 (-1)",
			},
		},
		{
			"an engagement counted twice", func(l *Sheet) { l.Engagements["like"].N[Orphans]++ },
			[]string{"like: 32 read, but 8 matched + 7 outside_window + 7 orphans + 5 duplicates + 3 late + 2 dead + 1 open = 33 (+1)"},
		},
		{
			"a delay missing", func(l *Sheet) { l.Engagements["like"].Delay = histogramOf(1) },
			[]string{"like: 7 positives, but 1 delays (-6)"},
		},
		{
			"no delays at all", func(l *Sheet) { l.Engagements["like"].Delay = nil },
			[]string{"like: 7 positives, but 0 delays (-7)"},
		},
		{
			"the timeline short of a sample", func(l *Sheet) { l.Timeline[1000].Samples-- },
			[]string{"timeline: 10 samples of views, but 9 samples in the timeline (-1)"},
		},
		{
			"the timeline short of a positive", func(l *Sheet) { l.Timeline[1500].Positives["like"]-- },
			[]string{"timeline: 7 like positives, but 6 like positives in the timeline (-1)"},
		},
		{"more positives than samples in a bucket", func(l *Sheet) {
			l.Timeline[1000].Positives["like"], l.Timeline[1500].Positives["like"] = 0, 7
		}, []string{"timeline 1500: 7 like positives are more than 6 samples"}},
		{
			"a kind without account", func(l *Sheet) { l.Timeline[1000].Positives["click"] = 1 },
			[]string{"timeline 1000: 1 click positives, a kind that has no account"},
		},
		{
			"positive of no kind", func(l *Sheet) { l.Views.N[Positives] = 9 },
			[]string{"views: 9 positives are more than 7 sum of the kinds' positives"},
		},
		{"time backwards", func(l *Sheet) { l.From = 3000 }, []string{"time: from_ms 3000 is after to_ms 2000"}},
		{"negative bytes", func(l *Sheet) { l.Bytes.Blocks = -4 }, []string{"bytes: blocks is negative: -4"}},
		{
			"nil account", func(l *Sheet) { *l = Sheet{Engagements: map[string]*Engagements{"like": nil}} },
			[]string{"like: no account"},
		},
		{
			"nil interval", func(l *Sheet) { *l = Sheet{Timeline: map[int64]*Interval{7: nil}} },
			[]string{"timeline 7: no counts"},
		},
		{"several at once", func(l *Sheet) { l.Views.N[Dead]--; l.Engagements["like"].N[Matched] -= 2 }, []string{
			"views: 26 read, but 10 samples + 6 sampled_out + 4 duplicates + 3 late + 1 dead + 1 open = 25 (-1)",
			"like: 32 read, but 6 matched + 7 outside_window + 6 orphans + 5 duplicates + 3 late + 2 dead + 1 open = 30 (-2)",
			"stage 10s: 26 views read, but 21 read + 3 late for all + 1 dead = 25 (-1)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := full()
			c.change(l)
			err := l.Check()
			require.Error(t, err)
			assert.Equal(t, strings.Join(c.want, "\n"), err.Error())
		})
	}
}

// Each rule of a stage, beside those of the table.
func TestCheckOfStages(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(l *Sheet, s *Stage)
		want   string
	}{
		{
			"a view that no count has", func(_ *Sheet, s *Stage) { s.N[Late]-- },
			"stage 10s: 21 read, but 8 samples + 4 sampled_out + 3 duplicates + 4 late + 1 open = 20 (-1)",
		},
		{
			"a view that it has not read", func(_ *Sheet, s *Stage) { s.N[Read], s.N[Late] = 20, 4 },
			"stage 10s: 26 views read, but 20 read + 3 late for all + 2 dead = 25 (-1)",
		},
		{
			"a dead view among those read", func(_ *Sheet, s *Stage) { s.N[Read], s.N[Late] = 23, 7 },
			"stage 10s: 26 views read, but 23 read + 3 late for all + 2 dead = 28 (+2)",
		},
		{"more given than there are", func(_ *Sheet, s *Stage) { s.N[Given] = 9 }, "stage 10s: 9 given are more than 8 samples"},
		{"more positives than samples", func(_ *Sheet, s *Stage) { s.N[Positives] = 9 }, "stage 10s: 9 positives are more than 8 samples"},
		{"more taken back than left out", func(_ *Sheet, s *Stage) { s.N[Withdrawn] = 5 }, "stage 10s: 5 withdrawn are more than 4 sampled_out"},
		{"more corrected than samples", func(_ *Sheet, s *Stage) { s.Corrected["like"] = 9 }, "stage 10s: 9 like corrected are more than 8 samples"},
		{"corrected less than never", func(_ *Sheet, s *Stage) { s.Corrected["like"] = -1 }, "stage 10s: like corrected is negative: -1"},
		{
			"another stage of the same views", func(l *Sheet, _ *Stage) { l.StageOf("1m").N = Values{Read: 20, Samples: 20}.Counts() },
			"stage 1m: 26 views read, but 20 read + 3 late for all + 2 dead = 25 (-1)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := full()
			c.change(l, l.Stages["10s"])
			assert.EqualError(t, l.Check(), c.want)
		})
	}
	l := full()
	l.StageOf("1m").N = Values{Read: 21, Samples: 12, SampledOut: 9, Given: 2}.Counts()
	assert.NoError(t, l.Check(), "each by itself")
}
