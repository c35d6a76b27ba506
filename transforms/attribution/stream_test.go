package attribution

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // the batch to compare with is bounded and stateless
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/teststream"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

func TestMain(m *testing.M) {
	// A generated case takes a millisecond, and the rare ones are the point: ten times the
	// usual number, unless the command line says otherwise.
	if err := flag.Set("rapid.checks", "1000"); err != nil {
		panic(err)
	}
	ptest.Main(m)
}

func init() {
	register.Emitter1[record.Batch]()
	dofn.Register(dofn.Method2x1((*openBatchFn).ProcessElement))
	dofn.Register(dofn.Method2x0((*noteSamplesFn).ProcessElement))
	dofn.Register(dofn.Method1x0((*noteLedgerFn).ProcessElement))
	dofn.Register(dofn.Method1x0((*noteRejectedFn).ProcessElement))
}

// Pipelines under test run in this process; what they do is noted by the name of the test.
var (
	notesMu sync.Mutex
	notes   = map[string]*noted{}
)

// noted is what a pipeline did, in order.
type noted struct {
	steps    []string // "read N" for a batch, "bucket START" for the samples of a bucket
	blocks   []sample.Block
	sheet    *account.Sheet
	rejected map[string]int
}

func note(name string, do func(*noted)) {
	notesMu.Lock()
	defer notesMu.Unlock()
	if notes[name] == nil {
		notes[name] = &noted{sheet: account.New(), rejected: map[string]int{}}
	}
	do(notes[name])
}

// openBatchFn reads a batch: TestStream carries plain bytes.
type openBatchFn struct{ Test string }

func (f *openBatchFn) ProcessElement(text []byte, emit func(record.Batch)) error {
	var b record.Batch
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	note(f.Test, func(n *noted) { n.steps = append(n.steps, fmt.Sprintf("read %d@%d", b.Partition, b.Offset)) })
	emit(b)
	return nil
}

type noteSamplesFn struct{ Test string }

func (f *noteSamplesFn) ProcessElement(at beam.EventTime, block sample.Block) {
	note(f.Test, func(n *noted) {
		n.steps = append(n.steps, fmt.Sprintf("samples at %d", at.Milliseconds()))
		n.blocks = append(n.blocks, block)
	})
}

type noteLedgerFn struct{ Test string }

func (f *noteLedgerFn) ProcessElement(l account.Sheet) {
	note(f.Test, func(n *noted) { n.sheet.Merge(&l) })
}

type noteRejectedFn struct{ Test string }

func (f *noteRejectedFn) ProcessElement(r record.Rejected) {
	note(f.Test, func(n *noted) {
		n.rejected[fmt.Sprintf("%s %d@%d %s", r.Reason, r.Partition, r.Offset, r.Record)]++
	})
}

// pipelineOf builds the join of encoded batches with everything it gives noted.
func pipelineOf(test string, p *rules.Params, source func(beam.Scope) beam.PCollection) *beam.Pipeline {
	pipeline, s := beam.NewPipelineWithRoot()
	joined := Join(s, *p, beam.ParDo(s, &openBatchFn{Test: test}, source(s)))
	beam.ParDo0(s, &noteSamplesFn{Test: test}, joined.Samples)
	beam.ParDo0(s, &noteLedgerFn{Test: test}, joined.Accounts)
	beam.ParDo0(s, &noteRejectedFn{Test: test}, joined.Rejected)
	return pipeline
}

// run runs a pipeline; one that is stuck fails the test instead of holding it up.
func run(t *testing.T, execute func(context.Context, *beam.Pipeline) (beam.PipelineResult, error), p *beam.Pipeline) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := execute(ctx, p)
		done <- err
	}()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-ctx.Done():
		t.Fatal("the pipeline is stuck")
	}
}

func encodeForTest(t *testing.T, b record.Batch) []byte {
	t.Helper()
	text, err := json.Marshal(b)
	require.NoError(t, err)
	return text
}

// streamed is a log as a stream brings it: batches, and the runner's watermark between.
type streamed []any // record.Batch, or int64 for a watermark in ms

// source makes the stream one of encoded batches, with the watermarks between.
func (all streamed) source(t *testing.T) func(beam.Scope) beam.PCollection {
	t.Helper()
	config := teststream.NewConfig()
	for _, step := range all {
		switch step := step.(type) {
		case record.Batch:
			require.NoError(t, config.AddElements(0, encodeForTest(t, step)))
		case int64:
			require.NoError(t, config.AdvanceWatermark(step))
		}
	}
	require.NoError(t, config.AdvanceWatermarkToInfinity())
	return func(s beam.Scope) beam.PCollection { return teststream.Create(s, config) }
}

// runStream runs a stream on prism and returns what it did.
func runStream(t *testing.T, p *rules.Params, stream streamed) *noted {
	t.Helper()
	name := t.Name() + "/stream"
	run(t, prism.Execute, pipelineOf(name, p, stream.source(t)))
	return notes[name]
}

// runBatch runs the same batches on the direct runner.
func runBatch(t *testing.T, p *rules.Params, stream streamed) *noted {
	t.Helper()
	var all [][]byte
	for _, step := range stream {
		if b, ok := step.(record.Batch); ok {
			all = append(all, encodeForTest(t, b))
		}
	}
	name := t.Name() + "/batch"
	run(t, direct.Execute, pipelineOf(name, p, func(s beam.Scope) beam.PCollection { return beam.CreateList(s, all) }))
	return notes[name]
}

// samplesOf reads the samples back as "id@time: labels", in order.
func samplesOf(t *testing.T, p *rules.Params, n *noted) (encoded []string, readable []string) {
	t.Helper()
	require.NoError(t, sample.Merge(n.blocks, func(e []byte) error {
		encoded = append(encoded, string(e))
		id, at, err := sample.Key(e)
		require.NoError(t, err)
		w := wantOf(p, attributiontest.SampleJSON(t, p, e))
		readable = append(readable, fmt.Sprintf("%s@%d: %v", id, at, w.Labels))
		return nil
	}))
	return encoded, readable
}

// storyParams: one kind that counts, with a window of 100 ms, buckets of 50 ms.
func storyParams(ordered bool) *rules.Params {
	return &rules.Params{
		Kinds: []rules.Kind{{Name: "like", Window: 100, Label: label.Count, Count: rules.CountAll}},
		Inputs: []rules.Input{
			{Kind: rules.Views, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, Ordered: ordered},
			{Kind: 0, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, EventID: "eid", Ordered: ordered},
		},
		OutOfOrderness: 10, DedupWindow: 5, Bucket: 50, Shards: 3, Keep: 1, SpecVersion: 1, Orphans: true,
		From: math.MinInt64, To: rules.NoLogEnd, LogEnd: rules.NoLogEnd,
	}
}

// viewsAt and likesAt make a batch of one input, each its own partition; before is the
// largest event time before it.
func viewsAt(offset, before int64, records ...string) record.Batch {
	return batchOf(0, offset, before, records)
}

func likesAt(offset, before int64, records ...string) record.Batch {
	return batchOf(1, offset, before, records)
}

func batchOf(input int32, offset, before int64, records []string) record.Batch {
	b := record.Batch{Input: input, Partition: input, Offset: offset, MaxTime: before, Count: int32(len(records)), Framed: true}
	for i, r := range records {
		b.Records = record.AppendFramed(b.Records, int64(i), []byte(r))
	}
	return b
}

func TestStream(t *testing.T) {
	const none = record.NoTime
	tests := []struct {
		name   string
		stream streamed
		want   []string
		reject []string
	}{
		{
			name:   "a like makes a positive, none a negative",
			stream: streamed{viewsAt(0, none, `{"id":"a","t":10}`, `{"id":"b","t":20}`), likesAt(0, none, `{"id":"a","t":60}`), int64(200)},
			want:   []string{"a@10: [1]", "b@20: [0]"},
		},
		{
			name: "the window is half-open, to the millisecond",
			stream: streamed{
				viewsAt(0, none, `{"id":"first","t":10}`, `{"id":"last","t":10}`, `{"id":"over","t":10}`, `{"id":"under","t":10}`),
				likesAt(0, none, `{"id":"under","t":9}`, `{"id":"first","t":10}`, `{"id":"last","t":109}`, `{"id":"over","t":110}`), int64(300),
			},
			want: []string{"first@10: [1]", "last@10: [1]", "over@10: [0]", "under@10: [0]"},
		},
		{
			name:   "a like that arrives before its view counts",
			stream: streamed{likesAt(0, none, `{"id":"a","t":60}`), viewsAt(0, none, `{"id":"a","t":10}`), int64(200)},
			want:   []string{"a@10: [1]"},
		},
		{
			name: "duplicates count once, and the first view is kept",
			stream: streamed{
				viewsAt(0, none, `{"id":"a","t":10}`), likesAt(0, none, `{"id":"a","t":20,"eid":"e"}`),
				viewsAt(1, 10, `{"id":"a","t":12}`, `{"id":"a","t":10}`), likesAt(1, 20, `{"id":"a","t":20,"eid":"e"}`), int64(200),
			},
			want: []string{"a@10: [1]"},
		},
		{
			name: "late by its own partition's watermark, though the runner's is far behind",
			stream: streamed{
				viewsAt(0, none, `{"id":"a","t":10}`, `{"id":"z","t":500}`, `{"id":"late","t":20}`),
				likesAt(0, none, `{"id":"z","t":510}`, `{"id":"a","t":30}`), int64(5), int64(700),
			},
			want:   []string{"a@10: [0]", "z@500: [1]"},
			reject: []string{`late 0@2 {"id":"late","t":20}`, `late 1@1 {"id":"a","t":30}`},
		},
		{
			name: "a time in which nothing comes",
			stream: streamed{
				viewsAt(0, none, `{"id":"a","t":10}`), int64(100), int64(400), int64(800),
				viewsAt(1, 10, `{"id":"b","t":900}`), likesAt(0, none, `{"id":"b","t":950}`), int64(1200),
			},
			want: []string{"a@10: [0]", "b@900: [1]"},
		},
		{
			name:   "orphans and malformed records are told",
			stream: streamed{viewsAt(0, none, `{"id":"a","t":10}`, `{"t":11}`), likesAt(0, none, `{"id":"nobody","t":30}`), int64(300)},
			want:   []string{"a@10: [0]"},
			reject: []string{`malformed 0@1 {"t":11}`, "orphan 1@0 nobody"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storyParams(true)
			got := runStream(t, p, tt.stream)
			_, readable := samplesOf(t, p, got)
			require.Equal(t, tt.want, readable)
			var rejected []string
			for r := range got.rejected {
				rejected = append(rejected, r)
			}
			slices.Sort(rejected)
			require.Equal(t, tt.reject, rejected)
			require.NoError(t, got.sheet.Check())
		})
	}
}

// TestBucketClosesWithTheWatermark: the samples of a bucket come when the watermark
// passes its end plus the window, not before, and do not wait for the end of the stream.
func TestBucketClosesWithTheWatermark(t *testing.T) {
	p := storyParams(true)
	p.Shards = 1
	got := runStream(t, p, streamed{
		viewsAt(0, record.NoTime, `{"id":"a","t":10}`),
		int64(149), // the bucket ends at 50, the window is 100
		viewsAt(1, 10, `{"id":"b","t":120}`),
		int64(150),
		viewsAt(2, 120, `{"id":"c","t":160}`),
	})
	require.Equal(t, []string{"read 0@0", "read 0@1", "samples at 149", "read 0@2"}, got.steps[:4])
}

// TestStreamEqualsBatch joins generated logs as a stream on prism, with a watermark that is
// the smallest of the partitions', and as a batch on the direct runner.
func TestStreamEqualsBatch(t *testing.T) {
	for seed := range int64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p, log := storyParams(true), generatedLog(seed)
			random := rand.New(rand.NewSource(seed))
			stream := streamOf(p, batches(log, nil, random))
			streamedSamples, _ := samplesOf(t, p, runStream(t, p, stream))
			name := t.Name()
			batchSamples, _ := samplesOf(t, p, runBatch(t, p, stream))
			require.Equal(t, batchSamples, streamedSamples)
			require.Equal(t, notes[name+"/batch"].rejected, notes[name+"/stream"].rejected)
			want, sheet := reference(p, log)
			require.Len(t, batchSamples, len(want))
			for _, kind := range []string{"/batch", "/stream"} {
				requireSameOutcomes(t, sheet, notes[name+kind].sheet, log)
			}
		})
	}
}

// generatedLog has records in two ordered partitions, with disorder
// beyond what is allowed now and then.
func generatedLog(seed int64) []*rec {
	random := rand.New(rand.NewSource(seed))
	var log []*rec
	offsets := map[int32]int64{}
	for i := range int64(150) {
		r := &rec{ordered: true, view: random.Intn(2) == 0, time: max(0, i*4-random.Int63n(12)), viewTime: record.NoTime, id: fmt.Sprint(random.Intn(60))}
		if random.Intn(25) == 0 {
			r.time = max(0, r.time-random.Int63n(200))
		}
		if r.view {
			r.kind, r.payload = rules.Views, fmt.Sprintf(`{"id":%q,"t":%d}`, r.id, r.time)
		} else {
			r.partition, r.eventID = 1, fmt.Sprint(random.Intn(3))
		}
		r.offset = offsets[r.partition]
		offsets[r.partition]++
		log = append(log, r)
	}
	return log
}

// streamOf puts batches in the order of their partitions, as sources read them, and the
// watermark behind each that all partitions have reached.
func streamOf(p *rules.Params, all []record.Batch) streamed {
	slices.SortFunc(all, func(a, b record.Batch) int {
		return cmp.Or(cmp.Compare(a.MaxTime, b.MaxTime), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	var stream streamed
	next := map[int32]int64{0: record.NoTime, 1: record.NoTime} // largest time before the next batch
	told := int64(0)
	for i, b := range all {
		stream = append(stream, b)
		next[b.Partition] = math.MaxInt64
		for _, later := range all[i+1:] {
			if later.Partition == b.Partition {
				next[b.Partition] = later.MaxTime
				break
			}
		}
		if reached := min(next[0], next[1]); reached != record.NoTime && reached != math.MaxInt64 && reached-p.OutOfOrderness > told {
			told = reached - p.OutOfOrderness
			stream = append(stream, told)
		}
	}
	return stream
}

// TestRegistered: what is not registered is called by reflection here and not at all in
// another process.
func TestRegistered(t *testing.T) {
	pipeline := pipelineOf(t.Name(), storyParams(true), func(s beam.Scope) beam.PCollection {
		return beam.CreateList(s, [][]byte{[]byte("{}")})
	})
	found, err := vet.Evaluate(t.Context(), pipeline)
	require.NoError(t, err)
	require.True(t, found.Performant(), "something is not registered")
}

// TestEndsOfTime: events at the first and the last time that is taken reach into buckets
// that no view can be in, and Beam has no windows of their own for those before the epoch.
func TestEndsOfTime(t *testing.T) {
	p := storyParams(false)
	p.OutOfOrderness = 5000
	stream := streamed{
		viewsAt(0, record.NoTime, `{"id":"a","t":1700000000000}`, `{"id":"first","t":0}`, `{"id":"last","t":7258118399999}`),
		likesAt(0, record.NoTime, `{"id":"a","t":0}`, `{"id":"first","t":0}`, `{"id":"a","t":1700000000001}`, `{"id":"a","t":7258118399999}`, `{"id":"last","t":7258118399999}`),
	}
	for name, got := range map[string]*noted{"direct": runBatch(t, p, stream), "prism": runStream(t, p, stream)} {
		_, readable := samplesOf(t, p, got)
		require.Equal(t, []string{"first@0: [1]", "a@1700000000000: [1]", "last@7258118399999: [1]"}, readable, name)
		require.EqualValues(t, 2, got.sheet.Engagements["like"].N[account.Orphans], name)
		require.NoError(t, got.sheet.Check(), name)
	}
}
