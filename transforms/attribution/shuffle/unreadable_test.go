package shuffle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
)

// unreadableParams: views in order, that close 1 s after their time.
func unreadableParams() *rules.Params {
	p := attributiontest.Params()
	p.Kinds = p.Kinds[:1]
	p.From, p.ViewSchema, p.Schemas = 0, "", map[uint64]string{}
	p.Inputs = []rules.Input{{Kind: rules.Views, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, Ordered: true}}
	return p
}

// TestUnreadableRecordMovesTheWatermark: a source that cuts the log tells the largest event
// time so far from times alone, so a record of which nothing else can be read counts for it
// whether the cut comes before it or after.
func TestUnreadableRecordMovesTheWatermark(t *testing.T) {
	log := []string{`{"id":"a","t":1000}`, `{"id":{"no":"id"},"t":9000}`, `{"id":"b","t":2000}`}
	for cut := range len(log) {
		p := unreadableParams()
		reasons := map[record.Reason]int{}
		k := NewPacker(p, func(Place, Block) {}, func(r record.Rejected) { reasons[r.Reason]++ })
		maxTimes := []int64{record.NoTime, 1000, 9000}
		first := record.Batch{MaxTime: record.NoTime, Framed: true}
		second := record.Batch{MaxTime: maxTimes[cut], Offset: int64(cut), Framed: true}
		for i, rec := range log {
			b := &first
			if i >= cut {
				b = &second
			}
			b.Records = record.AppendFramed(b.Records, int64(i)-b.Offset, []byte(rec))
			b.Count++
		}
		require.NoError(t, k.Add(first))
		require.NoError(t, k.Add(second))
		require.Equal(t, map[record.Reason]int{record.ReasonMalformed: 1, record.ReasonLate: 1}, reasons, "cut before record %d", cut)
	}
}

// TestSchemasThatTurnUp: a batch brings its own schema. One that is not known is used, and
// one that lacks what the join needs makes its records dead letters, each by itself.
func TestSchemasThatTurnUp(t *testing.T) {
	const good = `{"type":"record","name":"V","fields":[{"name":"t","type":"long"},{"name":"id","type":"string"}]}`
	const bad = `{"type":"record","name":"V","fields":[{"name":"t","type":"long"}]}`
	p := unreadableParams()
	p.ViewSchema = good
	var rejected []record.Rejected
	k := NewPacker(p, func(Place, Block) {}, func(r record.Rejected) { rejected = append(rejected, r) })
	batch := func(schema string, records ...[]byte) record.Batch {
		parsed, err := avro.ParseSchema(schema)
		require.NoError(t, err)
		b := record.Batch{MaxTime: record.NoTime, Framed: true, Schema: parsed.ID(), SchemaText: schema}
		for i, r := range records {
			b.Records = record.AppendFramed(b.Records, int64(i), r)
			b.Count++
		}
		return b
	}
	require.NoError(t, k.Add(batch(good, []byte{2, 2, 'a'}, []byte{4, 2, 'b'})))
	require.Empty(t, rejected)
	require.NoError(t, k.Add(batch(bad, []byte{2}, []byte{4})))
	require.Len(t, rejected, 2)
	for i, r := range rejected {
		require.Equal(t, record.ReasonMalformed, r.Reason)
		require.Equal(t, int64(i), r.Offset)
		require.Contains(t, r.Detail, `id`)
		require.Equal(t, bad, r.SchemaText)
		require.Equal(t, int64(i+1), r.EventTime, "which can be read still")
	}
	sheet := packed(p, k)
	require.Equal(t, int64(4), sheet.Views.N[account.Read])
	require.Equal(t, int64(2), sheet.Views.N[account.Dead])

	require.EqualError(t, k.Add(record.Batch{Schema: 1}), "input 0: no schema with fingerprint 0000000000000001")
}

// TestFieldsThatNobodyAsksFor: a view goes into its sample as it is, so it is held to its schema
// in all its fields. What is wrong in one that ends where it should costs no other record.
func TestFieldsThatNobodyAsksFor(t *testing.T) {
	const schema = `{"type":"record","name":"V","fields":[{"name":"t","type":"long"},{"name":"id","type":"string"},
		{"name":"ok","type":"boolean"},{"name":"tags","type":{"type":"array","items":"string"}},{"name":"tree","type":["null","V"]}]}`
	view := func(id byte, rest ...byte) []byte { return append([]byte{20, 2, id}, rest...) }
	deep := func(id byte, depth int) (out []byte) {
		for range depth {
			out = append(out, view(id, 1, 0, 2)...)
		}
		return append(out, view(id, 1, 0, 0)...)
	}
	for _, framed := range []bool{false, true} {
		p := unreadableParams()
		p.Inputs[0].Time.Unit = record.UnitEpochMs
		p.ViewSchema = schema
		parsed, err := avro.ParseSchema(schema)
		require.NoError(t, err)
		var rejected []record.Rejected
		k := NewPacker(p, func(Place, Block) {}, func(r record.Rejected) { rejected = append(rejected, r) })
		b := record.Batch{MaxTime: record.NoTime, Framed: framed, Schema: parsed.ID(), SchemaText: schema}
		for _, r := range [][]byte{
			view('a', 1, 0, 0), view('b', 2, 0, 0), view('c', 1, 3, 2, 0xff, 0, 0), deep('d', 400), deep('e', 999), view('f', 0, 0, 0),
		} {
			if framed {
				b.Records = record.AppendFramed(b.Records, int64(b.Count), append(r, "behind it"...))
			} else {
				b.Records = append(b.Records, r...)
			}
			b.Count++
		}
		require.NoError(t, k.Add(b))
		var offsets []int64
		for _, r := range rejected {
			require.EqualValues(t, 1, r.Count)
			offsets = append(offsets, r.Offset)
		}
		// In a sample a view is a level deeper, and the fifth is too deep for that.
		require.Equal(t, []int64{1, 2, 4}, offsets, "framed %v", framed)
		require.EqualValues(t, 6, packed(p, k).Views.N[account.Read])
	}
}
