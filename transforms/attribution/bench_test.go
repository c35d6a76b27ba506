package attribution

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// The input of the benchmarks: an hour of views of about 105 bytes as Avro, in order but for
// 5 s of disorder, and likes of one in ten of them within the window of half an hour.
const (
	benchViews  = 200_000
	benchHour   = int64(3_600_000)
	benchWindow = int64(1_800_000)
	benchBatch  = 2000 // records
)

const (
	benchViewSchema = `{"type":"record","name":"View","fields":[{"name":"view_id","type":"string"},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"user","type":"string"},{"name":"page","type":"string"}]}`
	benchLikeSchema = `{"type":"record","name":"Like","fields":[{"name":"event_id","type":"string"},{"name":"view_id","type":"string"},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
)

// benchInput makes the batches, and the params that read them.
func benchInput(tb testing.TB) (*Params, []record.Batch) {
	tb.Helper()
	viewSchema, err := avro.ParseSchema(benchViewSchema)
	require.NoError(tb, err)
	likeSchema, err := avro.ParseSchema(benchLikeSchema)
	require.NoError(tb, err)
	p := &Params{
		Kinds: []Kind{{Name: "like", Window: benchWindow, Label: label.Binary, Credit: CreditAll}},
		Inputs: []Input{
			{Kind: Views, ID: "view_id", Time: Field{Path: "ts"}},
			{Kind: 0, ID: "view_id", Time: Field{Path: "ts"}, EventID: "event_id"},
		},
		Schemas:    map[uint64]string{viewSchema.ID(): benchViewSchema, likeSchema.ID(): benchLikeSchema},
		ViewSchema: benchViewSchema, OutOfOrderness: 60_000, DedupWindow: 10_000, Bucket: benchWindow / 6, Shards: 16, Keep: 1,
		From: math.MinInt64, To: NoLogEnd, LogEnd: NoLogEnd,
	}
	require.NoError(tb, p.Validate())

	text := func(dst []byte, s string) []byte { return append(binary.AppendVarint(dst, int64(len(s))), s...) }
	random := rand.New(rand.NewSource(1))
	var views, likes [][]byte
	for i := range int64(benchViews) {
		t := i*benchHour/benchViews + random.Int63n(5000)
		id := fmt.Sprintf("view-%016x", random.Uint64())
		record := binary.AppendVarint(text(nil, id), t)
		views = append(views, text(text(record, fmt.Sprintf("user-%08x", random.Uint32())), fmt.Sprintf("https://example.com/%040x", random.Uint64())))
		if random.Intn(10) == 0 {
			record = text(text(nil, fmt.Sprintf("like-%016x", random.Uint64())), id)
			likes = append(likes, binary.AppendVarint(record, t+random.Int63n(benchWindow)))
		}
	}
	random.Shuffle(len(likes), func(i, j int) { likes[i], likes[j] = likes[j], likes[i] })
	var batches []record.Batch
	add := func(input int32, schema uint64, records [][]byte) {
		for from := 0; from < len(records); from += benchBatch {
			some := records[from:min(from+benchBatch, len(records))]
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

// BenchmarkJoin packs, joins and tallies in memory, on one processor and without Beam, and
// alternates with the control: what one would write by hand, a map of views and a lookup for
// each like. The control neither finds duplicates nor judges lateness, accounts for nothing
// and gives samples in no order; "x-control" says how many times as fast as it we are.
func BenchmarkJoin(b *testing.B) {
	p, batches := benchInput(b)
	events := int64(0)
	for _, batch := range batches {
		events += int64(batch.Count)
	}
	var control time.Duration
	runs := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		sheet := joinBatches(b, p, batches)

		b.StopTimer()
		started := time.Now()
		samples, positives := joinByHand(b, p, batches)
		control += time.Since(started)
		require.Equal(b, [2]int64{sheet.Views.N[account.Samples], sheet.Views.N[account.Positives]}, [2]int64{samples, positives})
		require.Equal(b, int64(benchViews), samples)
		runs++
		b.StartTimer()
	}
	ours, theirs := float64(runs*events)/b.Elapsed().Seconds(), float64(runs*events)/control.Seconds()
	b.ReportMetric(ours, "events/s")
	b.ReportMetric(theirs, "control-events/s")
	b.ReportMetric(ours/theirs, "x-control")
}

// joinBatches is our join, from batches to blocks of samples.
func joinBatches(tb testing.TB, p *Params, batches []record.Batch) *account.Sheet {
	tb.Helper()
	type place struct{ shard, bucket int64 }
	blocks := map[place][][]byte{}
	k := newPacker(p, func(shard, bucket int64, block []byte) {
		blocks[place{shard, bucket}] = append(blocks[place{shard, bucket}], block)
	}, func(r record.Rejected) { tb.Fatalf("rejected: %+v", r) })
	for _, b := range batches {
		require.NoError(tb, k.add(b))
	}
	sheet := flushed(k)
	joiner, encoder := NewJoiner(p), sample.Encoder{Columns: []sample.Column{{Kind: "like", Func: label.Binary}}}
	var bucket Bucket
	tallies := map[owner]*outcomeMerger{}
	for at, some := range blocks {
		bucket.Reset(at.bucket)
		for _, block := range some {
			require.NoError(tb, addBlock(&bucket, block, p.Meaning().Fingerprint(), p.Bucket))
		}
		out := newOutput(p, p.Meaning().Fingerprint(), &encoder, at.shard, at.bucket, func([]byte) {})
		joiner.Join(&bucket, out)
		out.finish()
		sheet.Merge(out.sheet)
		for at, partials := range out.partials {
			if tallies[at] == nil {
				tallies[at] = newOutcomeMerger(p)
			}
			require.NoError(tb, tallies[at].add(partials))
		}
	}
	for _, t := range tallies {
		t.merge(sheet, func(record.Rejected) {})
	}
	require.NoError(tb, sheet.Check())
	return sheet
}

// joinByHand is the control: it decodes with a decoder made for these very records, and
// encodes samples as we do.
func joinByHand(tb testing.TB, p *Params, batches []record.Batch) (samples, positives int64) {
	tb.Helper()
	type view struct {
		time    int64
		payload []byte
		first   int64 // like's time; -1 if there is none
		likes   int64
	}
	type like struct {
		viewID string
		time   int64
	}
	text := func(b []byte) (s, rest []byte) {
		size, n := binary.Varint(b)
		return b[n : n+int(size)], b[n+int(size):]
	}
	views := map[string]*view{}
	var likes []like
	for _, b := range batches {
		for rest := b.Records; len(rest) > 0; {
			first, after := text(rest)
			if b.Input == 1 {
				id, after := text(after)
				t, n := binary.Varint(after)
				likes, rest = append(likes, like{string(id), t}), after[n:]
				continue
			}
			t, n := binary.Varint(after)
			_, after = text(after[n:])
			_, after = text(after)
			views[string(first)] = &view{time: t, payload: append([]byte(nil), rest[:len(rest)-len(after)]...), first: -1}
			rest = after
		}
	}
	for _, l := range likes {
		if v := views[l.viewID]; v != nil && v.time <= l.time && l.time < v.time+benchWindow {
			v.likes++
			if v.first < 0 || l.time < v.first {
				v.first = l.time
			}
		}
	}
	encoder := sample.Encoder{Columns: []sample.Column{{Kind: "like", Func: label.Binary}}}
	s := sample.Sample{Labels: make([]label.Totals, 1), Rate: 1, Weight: 1, Maturity: p.longestWindow()}
	var block []byte
	for id, v := range views {
		s.ViewID, s.ViewTime, s.View, s.Positive = []byte(id), v.time, v.payload, v.likes > 0
		s.Labels[0] = label.Totals{Count: v.likes}
		if s.Positive {
			s.Labels[0].Delay = v.first - v.time
			positives++
		}
		if len(block) > sampleBlockBytes {
			block = block[:0]
		}
		block = encoder.Append(block, &s)
		samples++
	}
	return samples, positives
}

// BenchmarkBlocks appends the records of a bucket to a block and reads them back.
func BenchmarkBlocks(b *testing.B) {
	p, batches := benchInput(b)
	var largest []byte
	k := newPacker(p, func(_, _ int64, block []byte) {
		if len(block) > len(largest) {
			largest = block
		}
	}, func(record.Rejected) {})
	for _, batch := range batches {
		require.NoError(b, k.add(batch))
	}
	flushed(k)
	var bucket Bucket
	read := func() {
		index, err := blockBucket(largest)
		require.NoError(b, err)
		bucket.Reset(index)
		require.NoError(b, addBlock(&bucket, largest, p.Meaning().Fingerprint(), p.Bucket))
	}
	read()
	records := len(bucket.Views) + len(bucket.Engagements)
	report := func(b *testing.B) {
		b.SetBytes(int64(len(largest)))
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records), "ns/record")
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read()
		}
		report(b)
	})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		w := blockWriter{block: make([]byte, 0, 2*len(largest))}
		for b.Loop() {
			w.open(p.Meaning().Fingerprint(), bucket.Index, bucket.Index*p.Bucket)
			for i := range bucket.Views {
				w.view(&bucket.Views[i], inside(&bucket.Views[i]))
			}
			for i := range bucket.Engagements {
				w.engagement(&bucket.Engagements[i])
			}
		}
		require.Len(b, w.block, len(largest))
		report(b)
	})
}
