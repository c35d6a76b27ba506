// Package attributiontest has what tests of the parts of attribution share: rules, and input for benchmarks.
package attributiontest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// Params returns rules in which likes count for 1 s, shares for 3 s; buckets of 10 s; duplicates lie within 100 ms.
func Params() *rules.Params {
	return &rules.Params{
		Kinds: []rules.Kind{
			{Name: "like", Window: 1000, Label: label.Count, Count: rules.CountAll},
			{Name: "share", Window: 3000, Label: label.Binary, Count: rules.CountAll},
		},
		DedupWindow: 100, Bucket: 10_000, Shards: 1, Keep: 1, LogEnd: rules.NoLogEnd, From: 0, To: rules.NoLogEnd,
	}
}

// SampleJSON turns an encoded sample into JSON by the schema it must have.
func SampleJSON(t require.TestingT, p *rules.Params, encoded []byte) string {
	text, err := sample.Schema(p.Columns(), len(p.Stages) > 0, "")
	require.NoError(t, err)
	schema, err := avro.ParseSchema(text)
	require.NoError(t, err)
	toJSON, err := avro.NewJSON(schema)
	require.NoError(t, err)
	out, n, err := toJSON.Append(nil, encoded)
	require.NoError(t, err)
	require.Len(t, encoded, n)
	return string(out)
}

// The input of the benchmarks: an hour of views of about 105 bytes as Avro, in order but for
// 5 s of disorder, and likes of one in ten of them within the window of half an hour.
const (
	HourViews  = 200_000
	hour       = int64(3_600_000)
	HourWindow = int64(1_800_000)
	batch      = 2000 // records
)

const (
	benchViewSchema = `{"type":"record","name":"View","fields":[{"name":"view_id","type":"string"},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"user","type":"string"},{"name":"page","type":"string"}]}`
	benchLikeSchema = `{"type":"record","name":"Like","fields":[{"name":"event_id","type":"string"},{"name":"view_id","type":"string"},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
)

// Hour makes the batches, and the params that read them.
func Hour(tb testing.TB) (*rules.Params, []record.Batch) {
	tb.Helper()
	return Spread(tb, hour, HourWindow)
}

// Spread makes as many views over another length of time, with likes within another window.
func Spread(tb testing.TB, length, window int64) (*rules.Params, []record.Batch) {
	tb.Helper()
	viewSchema, err := avro.ParseSchema(benchViewSchema)
	require.NoError(tb, err)
	likeSchema, err := avro.ParseSchema(benchLikeSchema)
	require.NoError(tb, err)
	p := &rules.Params{
		Kinds: []rules.Kind{{Name: "like", Window: window, Label: label.Binary, Count: rules.CountAll}},
		Inputs: []rules.Input{
			{Kind: rules.Views, ID: "view_id", Time: rules.Field{Path: "ts"}},
			{Kind: 0, ID: "view_id", Time: rules.Field{Path: "ts"}, EventID: "event_id"},
		},
		Schemas:    map[uint64]string{viewSchema.ID(): benchViewSchema, likeSchema.ID(): benchLikeSchema},
		ViewSchema: benchViewSchema, OutOfOrderness: 60_000, DedupWindow: 10_000, Bucket: window / 6, Shards: 16, Keep: 1,
		From: math.MinInt64, To: rules.NoLogEnd, LogEnd: rules.NoLogEnd,
	}
	require.NoError(tb, p.Validate())

	text := func(dst []byte, s string) []byte { return append(binary.AppendVarint(dst, int64(len(s))), s...) }
	random := rand.New(rand.NewSource(1))
	var views, likes [][]byte
	for i := range int64(HourViews) {
		t := i*length/HourViews + random.Int63n(5000)
		id := fmt.Sprintf("view-%016x", random.Uint64())
		record := binary.AppendVarint(text(nil, id), t)
		views = append(views, text(text(record, fmt.Sprintf("user-%08x", random.Uint32())), fmt.Sprintf("https://example.com/%040x", random.Uint64())))
		if random.Intn(10) == 0 {
			record = text(text(nil, fmt.Sprintf("like-%016x", random.Uint64())), id)
			likes = append(likes, binary.AppendVarint(record, t+random.Int63n(window)))
		}
	}
	random.Shuffle(len(likes), func(i, j int) { likes[i], likes[j] = likes[j], likes[i] })
	var batches []record.Batch
	add := func(input int32, schema uint64, records [][]byte) {
		for from := 0; from < len(records); from += batch {
			some := records[from:min(from+batch, len(records))]
			b := record.Batch{Input: input, Partition: input, Schema: schema, Offset: int64(from), MaxTime: record.NoTime, Count: int32(len(some))}
			for _, r := range some {
				b.Records = append(b.Records, r...)
			}
			batches = append(batches, b)
		}
	}
	add(0, viewSchema.ID(), views)
	add(1, likeSchema.ID(), likes)
	return p, batches
}

// Labels are those that take something.
var Labels = []label.Func{label.Binary, label.Count, label.TimeToFirst, label.Sum, label.Min, label.Max, label.First, label.Last}
