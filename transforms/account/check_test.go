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
	// Counts of which more than one rule speaks, beside the table: the delays, and other subjects.
	both := map[Subject][]Count{OfViews: {Positives}, OfEngagements: {Positives}}
	for s, of := range map[Subject]func(*Sheet) *Counts{
		OfViews:       func(l *Sheet) *Counts { return &l.Views.N },
		OfEngagements: func(l *Sheet) *Counts { return &l.Engagements["like"].N },
		OfInput:       func(l *Sheet) *Counts { return &l.Inputs["views.inputs.0"].N },
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
			[]string{"views: 27 read, but 10 samples + 6 sampled_out + 4 duplicates + 3 late + 2 dead + 1 open = 26 (-1)"},
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
