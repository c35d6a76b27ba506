package account

import (
	"reflect"
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

// Every count, found by reflection, changed by one must be seen. For most a change
// either way is; the exceptions stand in one inequality only, or in none, and full()
// puts them at its edge.
func TestCheckCatchesAnyCountOffByOne(t *testing.T) {
	onlyUpward := []string{
		"Views.DuplicatesDiffering", "Views.DuplicatesChained", "Views.Immature", "Views.Resent", "Views.LateAfterIdle", "Engagements.LateAfterIdle", "Engagements.PartlyLate", "Engagements.WithoutID",
		"Engagements.WithoutValue", "Engagements.BadValues", "Engagements.OrphansLikeFloats",
	}
	// No rule but that they are not negative: they are under no total.
	free := []string{"Views.Damages", "Engagements.Filtered", "Engagements.Matches", "Engagements.Overflows", "Engagements.Damages"}

	for _, target := range []struct {
		name string
		of   func(*Sheet) reflect.Value
	}{
		{"Views", func(l *Sheet) reflect.Value { return reflect.ValueOf(&l.Views).Elem() }},
		{"Engagements", func(l *Sheet) reflect.Value { return reflect.ValueOf(l.Engagements["like"]).Elem() }},
	} {
		typ := target.of(full()).Type()
		for i := range typ.NumField() {
			field := typ.Field(i)
			if field.Type.Kind() != reflect.Int64 {
				continue
			}
			name := target.name + "." + field.Name
			change := func(to func(int64) int64) error {
				l := full()
				v := target.of(l).Field(i)
				v.SetInt(to(v.Int()))
				return l.Check()
			}
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			negative := change(func(int64) int64 { return -1 })
			assert.ErrorContains(t, negative, key+" is negative: -1", name)

			more := change(func(n int64) int64 { return n + 1 })
			if slices.Contains(free, name) {
				assert.NoError(t, more, name)
				continue
			}
			assert.Error(t, more, name+" + 1")
			less := change(func(n int64) int64 { return n - 1 })
			if slices.Contains(onlyUpward, name) {
				assert.NoError(t, less, name)
				continue
			}
			assert.Error(t, less, name+" - 1")
		}
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Sheet)
		want   []string // the lines of the error, in order
	}{
		{
			"a view lost", func(l *Sheet) { l.Views.Read++ },
			[]string{"views: 27 read, but 10 samples + 6 sampled_out + 4 duplicates + 3 late + 2 dead + 1 open = 26 (-1)"},
		},
		{
			"an engagement counted twice", func(l *Sheet) { l.Engagements["like"].Orphans++ },
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
			"positive of no kind", func(l *Sheet) { l.Views.Positives = 9 },
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
		{"several at once", func(l *Sheet) { l.Views.Dead--; l.Engagements["like"].Matched -= 2 }, []string{
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
