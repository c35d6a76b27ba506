package batch

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// TestEstimateThatFails: what samples would take as JSON is an estimate for the report. A sample
// that is none in JSON is written all the same where the output is Avro.
func TestEstimateThatFails(t *testing.T) {
	const view = `{"type":"record","name":"V","fields":[{"name":"ok","type":"boolean"}]}`
	id := 0
	for !rules.InSample(strconv.AppendInt(nil, int64(id), 10)) {
		id++
	}
	columns := []sample.Column{{Kind: "like", Func: label.Binary}}
	schema, err := sample.Schema(columns, false, view)
	require.NoError(t, err)
	encoder := sample.Encoder{Columns: columns, SpecVersion: 1}
	encoded := encoder.Append(nil, &sample.Sample{
		ViewID: strconv.AppendInt(nil, int64(id), 10), ViewTime: 1, Labels: make([]label.Totals, 1), Rate: 1, Weight: 1, View: []byte{2}, // no boolean
	})
	block := sample.NewBlock(sample.Header{Last: true}, sample.AppendTo(nil, encoded))
	write := func(format spec.Format) (l account.Sheet, err error) {
		f := &writeSamplesFn{Files: []sampleFile{{Path: t.TempDir() + "/out"}}, Format: job.SampleFormat{Format: string(format), Schema: schema}}
		left := []sample.Block{block}
		err = f.ProcessElement(t.Context(), 0, func(b *sample.Block) bool {
			if len(left) == 0 {
				return false
			}
			*b, left = left[0], nil
			return true
		}, func(one account.Sheet) { l = one })
		return l, err
	}
	l, err := write(spec.Avro)
	require.NoError(t, err)
	require.NotZero(t, l.Bytes.Out)
	require.Zero(t, l.Bytes.JSON)
	_, err = write(spec.JSON)
	require.Error(t, err, "no such view gets here")
}
