package account

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// resold is a count that only tests have: one row.
var resold = Define(Row{
	Key: "resold", Label: "resold", Colour: "spare",
	Views: &Use{Doc: "Views that were sold again", Side: Part, Optional: true, Metric: "views_resold"},
	Note:  &Note{Code: "resold", Title: "Resold", Form: Share, Of: Read, Advice: "Sell them once."},
})

// All that is said of a count follows from its row.
func TestARowIsAllThatACountNeeds(t *testing.T) {
	l := full()
	require.NoError(t, l.Check())
	assert.NotContains(t, text(t, l), "resold", "optional")
	l.Views.N[resold] = 3
	assert.EqualError(t, l.Check(), "views: 26 read, but 10 samples + 6 sampled_out + 4 duplicates + 3 late + 2 dead + 1 open + 3 resold = 29 (+3)")
	l.Views.N[Read] += 3
	l.Stages["10s"].N[Read], l.Stages["10s"].N[Late] = 24, 8 // which has read them as well
	require.NoError(t, l.Check())
	assert.Contains(t, text(t, l), `"resold": 3`)

	back, err := Decode([]byte(text(t, l)))
	require.NoError(t, err)
	assert.EqualValues(t, 3, back.Views.N[resold])
	assert.EqualValues(t, 6, merged(l, back).Views.N[resold])

	assert.Contains(t, All(OfViews, Part), resold)
	assert.NotContains(t, All(OfEngagements, Beside, Whole, Part), resold)
	assert.Equal(t, "resold", resold.Row().Key)
}

func TestDefineRefuses(t *testing.T) {
	require.PanicsWithValue(t, "account.Define: late: the key is taken, or there are 64 counts", func() { Define(Row{Key: "late"}) })
}

// Each subject has one whole, keys and labels are told apart, and what a row refers to is there.
func TestTableHolds(t *testing.T) {
	labels, codes := map[string]bool{}, map[string]bool{}
	for i, r := range table {
		assert.NotEmpty(t, r.Key, "row %d", i)
		assert.False(t, labels[r.Label], r.Label)
		labels[r.Label] = true
		for s := range OfStage + 1 {
			use := r.In(s)
			if use == nil {
				continue
			}
			assert.NotEmpty(t, use.Doc, r.Key)
			assert.True(t, use.Side != Part || r.Colour != "", "%s: a part has a colour", r.Key)
			for _, w := range use.Within {
				assert.NotNil(t, w.Row().In(s), "%s is within %s, which the same subject lacks", r.Key, w.Row().Key)
			}
		}
		if r.Note != nil {
			assert.False(t, codes[r.Note.Code], r.Note.Code)
			codes[r.Note.Code] = true
		}
	}
	for s := range OfStage + 1 {
		assert.Equal(t, []Count{Read}, All(s, Whole))
	}
}
