package attribution

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
	"tributary/io/record"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/outcome"
	"tributary/transforms/sample"
)

// TestElements: Beam writes every element of a join by the coder of its type, behind its length: state of
// a stream is read for as long as those write the same.
func TestElements(t *testing.T) {
	p := storyParams(true)
	batch := viewsAt(0, record.NoTime, `{"id":"a","t":1}`)
	rejected := record.Rejected{Reason: record.ReasonLate, Count: 1, Record: []byte("r")}
	partials := outcome.NewPartials(7).Append(p, &bucket.Engagement{ViewID: []byte("a")}, bucket.PartialOutcome{Owner: true})
	samples := sample.NewBlock(sample.Header{Shard: 1}, sample.AppendTo(nil, []byte("sample")))
	for _, c := range []struct {
		element any
		encoded []byte
	}{
		{batch, record.EncodeBatch(batch)},
		{rejected, record.EncodeRejected(rejected)},
		{partials, outcome.EncodePartials(partials)},
		{samples, sample.EncodeBlock(samples)},
	} {
		var written bytes.Buffer
		require.NoError(t, beam.NewElementEncoder(reflect.TypeOf(c.element)).Encode(c.element, &written))
		require.Equal(t, append(binary.AppendUvarint(nil, uint64(len(c.encoded))), c.encoded...), written.Bytes(), "%T", c.element)
		back, err := beam.NewElementDecoder(reflect.TypeOf(c.element)).Decode(&written)
		require.NoError(t, err)
		require.Equal(t, c.element, back)
	}

	pipeline := pipelineOf(t.Name(), p, func(s beam.Scope) beam.PCollection { return beam.CreateList(s, [][]byte{[]byte("{}")}) })
	require.NoError(t, dofn.Check(pipeline))
}

// TestConnections: blocks and partial outcomes, both by shard, do not reach one another's DoFn.
func TestConnections(t *testing.T) {
	p := storyParams(true)
	_, s := beam.NewPipelineWithRoot()
	batches := beam.ParDo(s, &openBatchFn{Test: t.Name()}, beam.CreateList(s, [][]byte{[]byte("{}")}))
	blocks, _, _ := beam.ParDo3(s, &packFn{P: *p}, batches)
	buckets := beam.GroupByKey(s, blocks)
	_, partials, _, _ := beam.ParDo4(s, &joinFn{P: *p}, buckets)
	require.Panics(t, func() { beam.ParDo2(s, &tallyFn{P: *p}, buckets) }, "blocks to the merger")
	require.Panics(t, func() { beam.ParDo4(s, &joinFn{P: *p}, beam.GroupByKey(s, partials)) }, "partial outcomes to the join")
	require.NotPanics(t, func() { beam.ParDo2(s, &tallyFn{P: *p}, beam.GroupByKey(s, partials)) })
}
