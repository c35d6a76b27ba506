package shuffle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/expression"
	"tributary/io/record"
	"tributary/transforms/account"
)

// TestFilteredViews: a record of the views' input that does not meet the conditions is counted as filtered where its time is
// accounted for, whatever else it lacks, and moves its partition's watermark all the same.
func TestFilteredViews(t *testing.T) {
	p := unreadableParams()
	p.From, p.To = 1000, 900_000_000
	p.Inputs[0].Name = "views.inputs.0"
	p.Inputs[0].Where = []expression.Condition{{Field: "event", Value: "view"}}
	reasons := map[record.Reason]int{}
	k := NewPacker(p, func(Place, Block) {}, func(r record.Rejected) { reasons[r.Reason]++ })
	b := record.Batch{MaxTime: record.NoTime, Framed: true}
	for _, rec := range []string{
		`{"event":"view","id":"a","t":1000}`,
		`{"event":"like","id":"b","t":1000}`, `{"event":"like","t":1000}`, `{"event":"like"}`, `{"t":1000,"id":"c"}`, `{"event":null,"id":"d","t":1000}`,
		`{"event":"like","t":999}`,       // not of this interval
		`{"event":"view","t":1000}`,      // dead
		`{"event":"like","t":800000000}`, // the watermark passes all that follow
		`{"event":"like","t":800000000}`, // two, for one alone might be a mistake
		`{"event":"view","id":"e","t":2000}`, `{"event":"like","id":"f","t":2000}`,
	} {
		b.Records = record.AppendFramed(b.Records, int64(b.Count), []byte(rec))
		b.Count++
	}
	require.NoError(t, k.Add(b))
	sheet := packed(p, k)
	require.EqualValues(t, 8, sheet.Views.N[account.Filtered])
	require.EqualValues(t, 8, sheet.InputOf("views.inputs.0").N[account.Filtered])
	require.EqualValues(t, 3, sheet.Views.N[account.Read])
	require.Equal(t, map[record.Reason]int{record.ReasonMalformed: 1, record.ReasonLate: 1}, reasons)
}

// TestOtherTypesAreNotLookedAt: a record of a type that the input does not take is filtered, once, whatever it has in place of the list
// that those of the type hold.
func TestOtherTypesAreNotLookedAt(t *testing.T) {
	p := unreadableParams()
	p.Inputs[0].Where = []expression.Condition{{Field: record.OwnType, Value: "View"}}
	p.Inputs[0].Each, p.Inputs[0].ID = "items", "items.id"
	reasons := map[record.Reason]int{}
	k := NewPacker(p, func(Place, Block) {}, func(r record.Rejected) { reasons[r.Reason]++ })
	b := record.Batch{MaxTime: record.NoTime, Framed: true, Own: true}
	for _, rec := range [][2]string{
		{"View", `{"items":[{"id":"a"},{"id":"b"}],"t":1000}`},
		{"View", `{"items":3,"t":1000}`},                      // dead
		{"Buy", `{"items":3,"t":1000}`},                       // no list
		{"Buy", `{"items":[{"id":"a"},{"id":"b"}],"t":1000}`}, // two elements, one record
		{"Buy", `{"t":`},
		{"Buy", `{"items":[1],"t":1000,"items":2}`}, // of which nothing can be read
	} {
		own := record.AppendOwned(nil, record.AppendOwn(nil, record.OwnType, record.Value{Kind: record.String, Text: []byte(rec[0])}), []byte(rec[1]))
		b.Records = record.AppendFramed(b.Records, int64(b.Count), own)
		b.Count++
	}
	require.NoError(t, k.Add(b))
	sheet := packed(p, k)
	require.EqualValues(t, 4, sheet.Views.N[account.Filtered])
	require.EqualValues(t, 3, sheet.Views.N[account.Read])
	require.Equal(t, map[record.Reason]int{record.ReasonMalformed: 1}, reasons)
}
