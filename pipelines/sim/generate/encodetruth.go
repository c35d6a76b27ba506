package generate

import (
	"github.com/linkedin/goavro/v2"

	"tributary/io/format/avro"
)

// truthEncoder encodes rows of the truth by goavro, from their values and the schema: what the join is held
// to is not written by hand. A row takes about a microsecond.
type truthEncoder struct {
	*model
	codec *goavro.Codec
	dice  *dice
	id    []byte
}

func newTruthEncoder(m *model, schema *avro.Schema) (*truthEncoder, error) {
	codec, err := schema.Codec()
	return &truthEncoder{model: m, codec: codec, dice: newDice()}, err
}

// append appends the record of a row.
func (e *truthEncoder) append(out []byte, r *row, labels []trueLabel) ([]byte, error) {
	_, pos := e.dice.page(e.Seed, r.view, false)
	e.id = appendViewID(e.id[:0], e.Seed, r.view)
	positive, kinds := false, make(map[string]any, len(labels))
	for i, l := range labels {
		var delay any
		if l.count > 0 {
			positive, delay = true, goavro.Union("long", l.delay)
		}
		kinds[e.Kinds[i].Name] = map[string]any{"count": l.count, "sum_amount": l.sum, "delay_ms": delay}
	}
	return e.codec.BinaryFromNative(out, map[string]any{
		"view_id": string(e.id), "view_time": r.time, "positive": positive, "pos": pos, "labels": kinds,
	})
}
