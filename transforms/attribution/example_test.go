package attribution_test

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // bounded and stateless is what it is for

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

func init() {
	register.Function1x1(printSamples)
	register.Function1x0(printRejected)
}

// batch is a run of JSON records of one input and partition, in order.
func batch(input, partition int32, records ...string) record.Batch {
	b := record.Batch{
		Input: input, Partition: partition, MaxTime: record.NoTime, SecondTime: record.NoTime,
		Count: int32(len(records)), Framed: true,
	}
	for i, text := range records {
		b.Records = record.AppendFramed(b.Records, int64(i), []byte(text))
	}
	return b
}

// printSamples prints a block of samples as JSON lines.
func printSamples(block sample.Block) error {
	text, err := sample.Schema([]sample.Column{{Kind: "click", Func: label.Binary}}, false, "")
	if err != nil {
		return err
	}
	schema, err := avro.ParseSchema(text)
	if err != nil {
		return err
	}
	json, err := sample.NewJSON(schema, true)
	if err != nil {
		return err
	}
	return sample.Merge([]sample.Block{block}, func(encoded []byte) error {
		line, err := json.Append(nil, encoded)
		fmt.Println(string(line))
		return err
	})
}

func printRejected(r record.Rejected) { fmt.Println(r.Reason, r.Detail) }

// Two views, of which one was clicked within a second, the other later, and a click on neither.
func ExampleJoin() {
	ms := record.UnitEpochMs
	params := rules.Params{
		Kinds: []rules.Kind{{Name: "click", Window: 1000, Label: label.Binary, Count: rules.CountAll}},
		Inputs: []rules.Input{
			{Kind: rules.Views, ID: "view_id", Time: rules.Field{Path: "ts", Unit: ms}},
			{Kind: 0, ID: "view_id", Time: rules.Field{Path: "ts", Unit: ms}},
		},
		Bucket: 60_000, Shards: 1, Keep: 1, SpecVersion: 1, Orphans: true,
		OutOfOrderness: 500, To: record.MaxTime, LogEnd: 70_000,
	}

	pipeline, s := beam.NewPipelineWithRoot()
	batches := beam.CreateList(s, []record.Batch{
		batch(0, 0, `{"view_id":"v1","ts":5000}`, `{"view_id":"v2","ts":6000}`),
		batch(1, 1, `{"view_id":"v1","ts":5400}`, `{"view_id":"v9","ts":5600}`, `{"view_id":"v2","ts":7000}`),
	})
	joined := attribution.Join(s, params, batches)
	beam.ParDo0(s, printSamples, joined.Samples)
	beam.ParDo0(s, printRejected, joined.Rejected)
	if _, err := direct.Execute(context.Background(), pipeline); err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// {"view_id":"v1","view_time":5000,"positive":true,"labels":{"click":1},"delay_ms":{"click":400},"maturity_ms":1000,"sampling_rate":1,"weight":1,"spec_version":1,"view":{"view_id":"v1","ts":5000}}
	// {"view_id":"v2","view_time":6000,"positive":false,"labels":{"click":0},"delay_ms":{"click":null},"maturity_ms":1000,"sampling_rate":1,"weight":1,"spec_version":1,"view":{"view_id":"v2","ts":6000}}
	// orphan no view with the id "v9" in reach
}
