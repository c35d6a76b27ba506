package attribution

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/outcome"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// BenchmarkJoin packs, joins and tallies in memory, on one processor and without Beam, and
// alternates with the control: what one would write by hand, a map of views and a lookup for
// each like. The control neither finds duplicates nor judges lateness, accounts for nothing
// and gives samples in no order; "x-control" says how many times as fast as it we are.
func BenchmarkJoin(b *testing.B) {
	p, batches := attributiontest.Hour(b)
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
		require.Equal(b, int64(attributiontest.HourViews), samples)
		runs++
		b.StartTimer()
	}
	ours, theirs := float64(runs*events)/b.Elapsed().Seconds(), float64(runs*events)/control.Seconds()
	b.ReportMetric(ours, "events/s")
	b.ReportMetric(theirs, "control-events/s")
	b.ReportMetric(ours/theirs, "x-control")
}

// BenchmarkStages joins in three stages, and alternates with the join without, its control; blocks are compressed, as in a stream.
// "x-plain" says how many times the time it takes, "x-bytes" how many times the bytes of blocks.
func BenchmarkStages(b *testing.B) {
	plain, batches := attributiontest.Hour(b)
	plain.Compress = true
	plain.DedupWindow = 100_000
	staged := *plain
	staged.Stages = []rules.Stage{
		{Name: "100s", After: 100_000, Bucket: 10_000, Shards: 4, Emit: rules.EmitAll},
		{Name: "5m", After: 300_000, Bucket: 50_000, Shards: 4, Emit: rules.EmitChanged},
		{Name: "all", After: plain.LongestWindow(), OutOfOrderness: plain.OutOfOrderness, Bucket: plain.Bucket, Shards: plain.Shards, Emit: rules.EmitChanged},
	}
	staged.Stage, staged.Marked = 2, true
	require.NoError(b, staged.Validate())
	beside(b, &staged, plain, batches)
}

// BenchmarkSeveralLabels makes three labels of likes, two of them of a field, and alternates with one label, its control. "x-plain" says how
// many times the time it takes, "x-bytes" how many times the bytes of blocks.
func BenchmarkSeveralLabels(b *testing.B) {
	plain, batches := attributiontest.Hour(b)
	several := *plain
	several.Kinds, several.Inputs = slices.Clone(plain.Kinds), slices.Clone(plain.Inputs)
	several.Kinds[0].Label = ""
	several.Kinds[0].Labels = []rules.Label{{Name: "liked", Func: label.Binary}, {Name: "first_like", Func: label.First}, {Name: "last_like", Func: label.Last, Type: sample.CastString}}
	several.Inputs[1].Values = []string{"", several.Inputs[1].EventID, several.Inputs[1].EventID}
	require.NoError(b, several.Validate())
	beside(b, &several, plain, batches)
}

// BenchmarkCredit joins by a key that every view has of its own, with credit for the last view, and alternates with the join by id, its
// control; blocks are compressed, as in a stream. "x-plain" says how many times the time it takes, "x-bytes" how many times the bytes.
func BenchmarkCredit(b *testing.B) {
	plain, batches := attributiontest.Hour(b)
	plain.Compress = true
	for _, buckets := range []int64{6, 4, 2, 1} { // to a window
		b.Run(fmt.Sprintf("%d buckets", buckets), func(b *testing.B) {
			byID := *plain
			byID.Bucket = plain.LongestWindow() / buckets
			byKey := byID
			byKey.Inputs, byKey.Kinds = slices.Clone(plain.Inputs), slices.Clone(plain.Kinds)
			byKey.Inputs[0].Key = byKey.Inputs[0].IDs()
			byKey.Kinds[0].Credit = rules.CreditLast
			require.NoError(b, byKey.Validate())
			beside(b, &byKey, &byID, batches)
		})
	}
}

// BenchmarkCreditOfAWeek is BenchmarkCredit with a window of a week over seven, by the length of buckets in days. The control is the join by id with
// buckets of a day, which are the longest that it takes. "x-state" says how many times the bytes are open at a time: a record waits for its
// bucket to end, half a bucket at the mean, and the window after that.
func BenchmarkCreditOfAWeek(b *testing.B) {
	const day = 86_400_000
	byID, batches := attributiontest.Spread(b, 49*day, 7*day)
	byID.Compress, byID.Bucket = true, day
	for _, days := range []float64{1, 3.5, 7} {
		b.Run(fmt.Sprintf("%g days", days), func(b *testing.B) {
			byKey := *byID
			byKey.Bucket = int64(days * day)
			byKey.Inputs, byKey.Kinds = slices.Clone(byID.Inputs), slices.Clone(byID.Kinds)
			byKey.Inputs[0].Key = byKey.Inputs[0].IDs()
			byKey.Kinds[0].Credit = rules.CreditLast
			require.NoError(b, byKey.Validate())
			more := beside(b, &byKey, byID, batches)
			b.ReportMetric(more*(7+days/2)/(7+1./2), "x-state")
		})
	}
}

// BenchmarkAfter joins by a key, with credit for the last view that had a click by then, and alternates with credit for the last view, its
// control; each like comes with a click in both. "x-plain" says how many times the time it takes, "x-bytes" how many times the bytes.
func BenchmarkAfter(b *testing.B) {
	last, batches := attributiontest.Hour(b)
	last.Compress = true
	last.Bucket = last.LongestWindow()
	last.Inputs[0].Key = last.Inputs[0].IDs()
	last.Inputs = append(last.Inputs, last.Inputs[1])
	last.Inputs[2].Kind = 1
	last.Kinds[0].Credit = rules.CreditLast
	last.Kinds = append(last.Kinds, last.Kinds[0])
	last.Kinds[1].Name = "click"
	for _, batch := range batches {
		if batch.Input == 1 {
			batch.Input, batch.Partition = 2, 2
			batches = append(batches, batch)
		}
	}
	require.NoError(b, last.Validate())
	after := *last
	after.Kinds = slices.Clone(last.Kinds)
	after.Kinds[0].After = "click"
	require.NoError(b, after.Validate())
	beside(b, &after, last, batches)
}

// beside joins by some params, and alternates with others, the control: how many times the time, and the bytes of blocks, which it returns.
func beside(b *testing.B, p, control *rules.Params, batches []record.Batch) (moreBytes float64) {
	var without time.Duration
	var bytes, plain int64
	b.ReportAllocs()
	for b.Loop() {
		bytes = joinBatches(b, p, batches).Bytes.Blocks

		b.StopTimer()
		started := time.Now()
		plain = joinBatches(b, control, batches).Bytes.Blocks
		without += time.Since(started)
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()/without.Seconds(), "x-plain")
	moreBytes = float64(bytes) / float64(plain)
	b.ReportMetric(moreBytes, "x-bytes")
	return moreBytes
}

// joinBatches is our join, from batches to blocks of samples. A bundle is some batches.
func joinBatches(tb testing.TB, p *rules.Params, batches []record.Batch) *account.Sheet {
	tb.Helper()
	const bundle = 10
	blocks := map[shuffle.Place][]shuffle.Block{}
	k := shuffle.NewPacker(p, func(at shuffle.Place, block shuffle.Block) {
		blocks[at] = append(blocks[at], block)
	}, func(r record.Rejected) { tb.Fatalf("rejected: %+v", r) })
	sheet := p.NewSheet()
	for i, b := range batches {
		require.NoError(tb, k.Add(b))
		if i%bundle == bundle-1 {
			sheet.Merge(flushed(p, k))
		}
	}
	sheet.Merge(flushed(p, k))
	var stages []rules.Params
	var joiners []*bucket.Joiner
	var meanings []uint64
	for stage := range p.StageCount() {
		stages = append(stages, p.OfStage(stage))
		joiners = append(joiners, bucket.NewJoiner(&stages[stage]))
		meanings = append(meanings, stages[stage].Meaning().Fingerprint())
	}
	encoder := sample.Encoder{Columns: p.Columns()}
	var bucket bucket.Bucket
	tallies := map[owner]*outcome.Merger{}
	for at, some := range blocks {
		p, joiner, meaning := &stages[at.Stage], joiners[at.Stage], meanings[at.Stage]
		bucket.Reset(at.Bucket)
		for _, block := range some {
			require.NoError(tb, block.AddTo(&bucket, meaning, p.Bucket))
		}
		out := newOutput(p, meaning, &encoder, at.Shard, &bucket, func(sample.Block) {})
		joiner.Join(&bucket, out)
		out.finish()
		sheet.Merge(out.sheet)
		for at, partials := range out.partials {
			if tallies[at] == nil {
				tallies[at] = outcome.NewMerger(p)
			}
			require.NoError(tb, tallies[at].Add(partials))
		}
	}
	for _, t := range tallies {
		t.Merge(sheet, func(record.Rejected) {})
	}
	require.NoError(tb, sheet.Check())
	return sheet
}

// joinByHand is the control: it decodes with a decoder made for these very records, and
// encodes samples as we do.
func joinByHand(tb testing.TB, p *rules.Params, batches []record.Batch) (samples, positives int64) {
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
		if v := views[l.viewID]; v != nil && v.time <= l.time && l.time < v.time+attributiontest.HourWindow {
			v.likes++
			if v.first < 0 || l.time < v.first {
				v.first = l.time
			}
		}
	}
	encoder := sample.Encoder{Columns: []sample.Column{{Kind: "like", Func: label.Binary}}}
	s := sample.Sample{Labels: make([]label.Totals, 1), Rate: 1, Weight: 1, Maturity: p.LongestWindow()}
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
