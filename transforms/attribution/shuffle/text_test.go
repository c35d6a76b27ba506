package shuffle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// TestTextOfViews: a view with a string that is not UTF-8, wherever it stands, is refused by
// itself: its sample would make readers refuse the whole file. Engagements are not passed on.
func TestTextOfViews(t *testing.T) {
	const schema = `{"type":"record","name":"V","fields":[{"name":"t","type":"long"},{"name":"id","type":"string"},
		{"name":"tags","type":{"type":"map","values":["null","string"]}}]}`
	parsed, err := avro.ParseSchema(schema)
	require.NoError(t, err)
	rec := func(id byte, tag ...byte) []byte {
		return append(append([]byte{20, 2, id, 2, 2, 'k', 2, byte(2 * len(tag))}, tag...), 0)
	}
	records := [][]byte{rec('a', 'x'), rec('b', 'x', 0xff), rec('c', 0), rec('\xff', 'x'), rec('d', 0xc3, 0xa9)}
	for kind, want := range map[int][]int64{rules.Views: {1, 3}, 0: {3}} {
		for _, framed := range []bool{false, true} {
			p := unreadableParams()
			p.Inputs[0].Kind = kind
			p.Inputs[0].Time.Unit = record.UnitEpochMs
			p.ViewSchema = schema
			var rejected []record.Rejected
			k := NewPacker(p, func(Place, Block) {}, func(r record.Rejected) { rejected = append(rejected, r) })
			b := record.Batch{MaxTime: record.NoTime, Framed: framed, Schema: parsed.ID(), SchemaText: schema}
			for _, r := range records {
				if framed {
					r = record.AppendFramed(nil, int64(b.Count), r)
				}
				b.Records = append(b.Records, r...)
				b.Count++
			}
			require.NoError(t, k.Add(b))
			var offsets []int64
			for _, r := range rejected {
				offsets = append(offsets, r.Offset)
				require.EqualValues(t, 10, r.EventTime)
			}
			require.Equal(t, want, offsets)
			if kind == rules.Views {
				require.Equal(t, "field tags[]: its text is not UTF-8, at byte 8 of the record", rejected[0].Detail)
			}
		}
	}
}
