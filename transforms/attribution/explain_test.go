package attribution

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
)

// TestExplanationsAddUp: what an Explainer says of each record adds up to the accounts of the join, at each stage, and its samples are the
// join's, byte for byte.
func TestExplanationsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		if rapid.Bool().Draw(t, "staged") {
			drawStages(t, p)
		}
		log := drawLog(t, p, origin)
		want := runInMemory(t, p, log, 1)
		views, kinds := account.Counts{}, map[string]*account.Counts{}
		for i := range p.Kinds {
			kinds[p.Kinds[i].Name] = &account.Counts{}
		}
		of := func(kind int) *account.Counts {
			if kind == rules.Views {
				return &views
			}
			return kinds[p.KindName(kind)]
		}
		known := map[EventPlace]bool{}
		e := NewExplainer(*p, func(s *shuffle.Seen) bool {
			known[EventPlace{s.Partition, s.Offset, max(s.Element-1, 0), s.Kind}] = true
			if s.Fate != account.Read {
				of(s.Kind)[s.Fate]++
			}
			return true
		})
		for _, b := range batches(log, nil, rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))) {
			require.NoError(t, e.Add(b))
		}
		got, err := e.Explain(nil)
		require.NoError(t, err)
		stages := make([]account.Counts, p.StageCount())
		encoded := make([]map[string]int, p.StageCount())
		matches := map[string]int64{}
		for i := range stages {
			encoded[i] = map[string]int{}
		}
		for _, v := range got.Views {
			require.True(t, known[v.At])
			n := &stages[v.Stage]
			n[v.Fate]++
			if v.Fate == account.Samples && v.Given {
				n[account.Given]++
			}
			if v.Withdrawn {
				n[account.Withdrawn]++
			}
			if v.Fate == account.Samples && v.Positive {
				n[account.Positives]++
			}
			if v.Given {
				encoded[v.Stage][string(v.Sample)]++
			}
			final := v.Stage == p.StageCount()-1
			if final {
				views[v.Fate]++
				require.True(t, v.Fate != account.Duplicates || v.Of != nil, "it is known of what")
			}
			positive := false
			for _, pair := range v.Pairs {
				switch pair.Fate {
				case bucket.PairCounts, bucket.PairSuperseded:
					positive = true
					if final {
						matches[p.KindName(pair.At.Kind)]++
					}
				case bucket.PairDuplicate:
					require.NotNil(t, pair.Of)
				case bucket.PairElsewhere:
					require.NotEqual(t, v.At, *pair.Instead)
				default:
				}
			}
			if v.Fate != account.Duplicates && v.Sample != nil {
				require.Equal(t, v.Positive, positive, "a sample is positive if something counts")
			}
		}
		for _, g := range got.Engagements {
			of(g.At.Kind)[g.Fate]++
			require.True(t, g.Fate != account.Duplicates || g.Of != nil, "it is known of what")
		}
		for _, fate := range []account.Count{account.Samples, account.SampledOut, account.Duplicates, account.Late, account.Dead} {
			require.Equal(t, want.sheet.Views.N[fate], views[fate], "views %s, log:\n%s", account.Table()[fate].Key, describe(log))
		}
		for kind, n := range kinds {
			for _, fate := range []account.Count{account.Matched, account.Outside, account.Orphans, account.Duplicates, account.Late, account.Dead} {
				require.Equal(t, want.sheet.Engagements[kind].N[fate], n[fate], "%s %s, log:\n%s", kind, account.Table()[fate].Key, describe(log))
			}
			if p.From == math.MinInt64 { // or there are matches with views that are another interval's
				require.Equal(t, want.sheet.Engagements[kind].N[account.Matches], matches[kind], "%s, log:\n%s", kind, describe(log))
			}
		}
		for i, s := range append(want.early, want.staged) {
			all := map[string]int{}
			for _, one := range s.encoded {
				all[one]++
			}
			require.Equal(t, all, encoded[i], "stage %d", i)
			if len(p.Stages) == 0 {
				continue
			}
			for _, fate := range []account.Count{account.Samples, account.SampledOut, account.Duplicates, account.Given, account.Withdrawn, account.Positives} {
				require.Equal(t, want.sheet.Stages[p.Stages[i].Name].N[fate], stages[i][fate], "stage %d %s, log:\n%s", i, account.Table()[fate].Key, describe(log))
			}
		}
	})
}
