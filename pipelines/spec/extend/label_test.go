// Package extend shows what specs need for a part that is new: nothing of theirs.
package extend

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/transforms/label"
	"tributary/transforms/label/labeltest"
	"tributary/transforms/sample"
)

const buying = `version: 1
views: {inputs: [views.jsonl], id: view_id, time: ts}
engagements:
  buy: {inputs: [buys.jsonl], view: view_id, time: ts, window: 1h, label: `

// A label function is one file under transforms/label: specs and samples know it from there.
func TestALabelFunctionIsOneFile(t *testing.T) {
	s, err := spec.Parse("spec.yaml", []byte(buying+"{mean: price}}\noutputs: {samples: out/samples}\n"))
	require.NoError(t, err)
	require.Equal(t, spec.Label{Func: labeltest.Mean, Field: "price"}, s.Engagement("buy").Label)

	_, err = spec.Parse("spec.yaml", []byte(buying+"mean}\noutputs: {samples: out/samples}\n"))
	require.ErrorContains(t, err, "mean needs a field")
	_, err = spec.Parse("spec.yaml", []byte(buying+"{median: price}}\noutputs: {samples: out/samples}\n"))
	require.ErrorContains(t, err, "mean")

	columns := []sample.Column{{Kind: "buy", Func: labeltest.Mean}}
	schema, err := sample.Schema(columns, false, "")
	require.NoError(t, err)
	require.Contains(t, schema, `{"name":"buy","type":"double"}`)
	encoder := sample.Encoder{Columns: columns, JSONViews: true}
	row := encoder.Append(nil, &sample.Sample{Labels: []label.Totals{{Count: 2, Numbers: 2, Sum: 5}}})
	bits := math.Float64bits(2.5)
	require.Contains(t, string(row), string([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24), byte(bits >> 32), byte(bits >> 40), byte(bits >> 48), byte(bits >> 56)}))
}
