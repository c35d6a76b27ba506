package batch

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/io/watermark"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/decode"
)

// fedRecord is a record that a feed gave, with the clock of its partition before its batch.
type fedRecord struct {
	offset, time int64
	first        bool // of its batch
	clock        record.Clock
}

// fed reads all files of a spec as a stream does, in calls of a piece each, and returns the records of each input and partition
// in the order in which they came.
func fed(t *testing.T, s *spec.Spec, readers int) (all map[[2]int32][]fedRecord, in *Inputs) {
	t.Helper()
	in, err := StreamInputs(t.Context(), s, nil)
	require.NoError(t, err)
	topics := source.Config{Readers: readers, RanksAfter: 1, Topics: []source.Topic{{Name: "a"}, {Name: "b"}}, Rest: 1}
	c := FeedConfig{Params: in.Params, Topics: topics, PieceBytes: 20 << 10}
	pieces := in.Files.pieces(&c)
	encoded, err := encodeFeed(pieces)
	require.NoError(t, err)
	names := in.Files.Partitions(topics.Ranked())
	all = map[[2]int32][]fedRecord{}
	scanners := map[splitKey]*decode.Scanner{}
	for reader := range pieces {
		f := &feedFn{Read: readFn{P: in.Params, Fields: in.Files.plan.fields()}, Pieces: encoded, Plan: 7, Budget: 1, Rest: 1}
		require.NoError(t, f.Setup())
		part := feedPart{Reader: int64(reader), Pieces: int64(len(pieces[reader])), Plan: 7}
		rest, we := f.CreateInitialRestriction(part), watermark.New(record.NoTime)
		for rest.Start < rest.End {
			rt := f.CreateTracker(rest)
			now := we.Millis()
			_, err := f.ProcessElement(t.Context(), we, rt, part, func(at beam.EventTime, b record.Batch) {
				require.GreaterOrEqual(t, at, watermark.EventTime(now))
				require.NotEmpty(t, names.Name(b.Partition))
				require.Equal(t, record.Chapter(b.Offset), record.Chapter(lastOffset(&b)), "a batch is of one chapter")
				key := splitKey{b.Input, b.Schema}
				if scanners[key] == nil {
					scanners[key], err = decode.NewScanner(&in.Params, int(b.Input), b.Schema)
					require.NoError(t, err)
				}
				first, log := true, [2]int32{b.Input, b.Partition}
				scanners[key].Scan(b, func(r decode.Scanned) {
					all[log] = append(all[log], fedRecord{r.Offset, r.Time, first, b.Clock()})
					first = false
					reached := watermarkAt(&in.Params, int(b.Input), b.Clock())
					if r.Time != record.NoTime && r.Time > reached { // it is not late, and a bucket of that time is open
						slack := max(in.Params.OutOfOrderness, 2*in.Params.ClockSkew)
						require.GreaterOrEqual(t, max(r.Time-slack, reached), now)
					}
				})
			}, func(beam.EventTime, record.Rejected) {})
			require.NoError(t, err)
			before := rest.Start
			_, residual, err := rt.TrySplit(0)
			require.NoError(t, err)
			if residual == nil {
				break
			}
			rest = residual.(offsetrange.Restriction)
			require.Greater(t, rest.Start, before)
		}
	}
	return all, in
}

// TestFeed: what a stream reads of files is each partition's log in its order, cut by chapters, with the clock of the log
// before each batch.
func TestFeed(t *testing.T) {
	c := everything(30_000)
	views, engagements, _ := logged(t, c)
	plain, mixed := t.TempDir(), t.TempDir()
	for folder, partitions := range map[string][][]string{"views": views, "engagements": engagements} {
		for i, rows := range partitions {
			writeAvro(t, plain+"/"+folder+"/"+string(rune('0'+i))+".avro", logSchema, 3000, rows...)
		}
		interleave(t, mixed+"/"+folder, partitions, rand.New(rand.NewPCG(1, 1)))
	}
	byFile, in := fed(t, logSpec(t, plain, "file"), 2)
	chapters := 0
	for log, records := range byFile {
		clock := record.NoClock
		for i, r := range records {
			require.Equal(t, int64(i), r.offset, "%v", log)
			if r.first {
				require.Equal(t, clock, r.clock)
			}
			if i > 0 && record.Chapter(r.offset) != record.Chapter(records[i-1].offset) {
				chapters++
				require.True(t, r.first)
			}
			clock.Add(r.time)
		}
	}
	require.Positive(t, chapters, "there are logs of several chapters")
	require.Len(t, byFile, 3*len(in.Params.Inputs))

	// Where records name their partitions, these are the same logs.
	byField, _ := fed(t, logSpec(t, mixed, "{partition: p, offset: o}"), 1)
	require.Len(t, byField, len(byFile))
	for log, records := range byField {
		slot, _ := source.Slot(log[1])
		require.Equal(t, int32(3), slot, "behind the topics")
		clocks := map[int64]record.Clock{}
		clock := record.NoClock
		times := make([]int64, len(records))
		for _, r := range records {
			times[r.offset] = r.time
		}
		for o, at := range times {
			clocks[int64(o)] = clock
			clock.Add(at)
		}
		for _, r := range records {
			if r.first {
				require.Equal(t, clocks[r.offset], r.clock)
			}
		}
	}

	// Without an order there is no clock, and all records come all the same.
	without, _ := fed(t, logSpec(t, plain, "none"), 2)
	require.Len(t, without, len(byFile))
	for log, records := range without {
		require.Len(t, records, len(byFile[log]))
		for i, r := range records {
			require.Equal(t, int64(i), r.offset, "a file is read in its order")
			require.Equal(t, record.NoClock, r.clock)
		}
	}
}

// TestFeedRefuses: state of a reading of other files, and files that are not as they were planned, are not read.
func TestFeedRefuses(t *testing.T) {
	dir := t.TempDir()
	newShop(50).write(t, dir, "jsonl")
	in, err := StreamInputs(t.Context(), shopSpec(t, dir, "jsonl", "", ""), nil)
	require.NoError(t, err)
	encoded, err := encodeFeed(in.Files.pieces(&FeedConfig{Params: in.Params}))
	require.NoError(t, err)
	f := &feedFn{Read: readFn{P: in.Params, Fields: in.Files.plan.fields()}, Pieces: encoded, Plan: 7}
	require.NoError(t, f.Setup())
	read := func(plan int64) error {
		part := feedPart{Pieces: int64(len(f.readers[0])), Plan: plan}
		_, err := f.ProcessElement(t.Context(), watermark.New(math.MinInt64), f.CreateTracker(f.CreateInitialRestriction(part)), part,
			func(beam.EventTime, record.Batch) {}, func(beam.EventTime, record.Rejected) {})
		return err
	}
	require.NoError(t, read(7))
	require.ErrorContains(t, read(8), "the state is of a reading of files that were others")
	before, err := planHash(in.Files.pieces(&FeedConfig{Params: in.Params}))
	require.NoError(t, err)
	later := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(dir+"/views/part-1.jsonl", later, later))
	touched, err := StreamInputs(t.Context(), shopSpec(t, dir, "jsonl", "", ""), nil)
	require.NoError(t, err)
	after, err := planHash(touched.Files.pieces(&FeedConfig{Params: in.Params}))
	require.NoError(t, err)
	require.Equal(t, before, after, "the bytes are the same")
	other, err := planHash(touched.Files.pieces(&FeedConfig{Params: in.Params, Topics: source.Config{Readers: 2}}))
	require.NoError(t, err)
	require.NotEqual(t, before, other)
	require.ErrorContains(t, read(7), "/views/part-1.jsonl has changed since the run began")
}

// TestKeptFiles: a run that goes on reads the files of the run before, as they were, and no others.
func TestKeptFiles(t *testing.T) {
	dir := t.TempDir()
	log := newShop(50)
	log.write(t, dir, "jsonl")
	s := shopSpec(t, dir, "jsonl", "", "")
	first, err := StreamInputs(t.Context(), s, nil)
	require.NoError(t, err)
	text, err := first.Files.Kept.Text()
	require.NoError(t, err)
	kept, err := ParseKept(text)
	require.NoError(t, err)
	require.Equal(t, first.Files.Kept, kept)
	require.Less(t, len(text), 2000)
	_, err = ParseKept(text[:len(text)/2])
	require.ErrorContains(t, err, "files of the run before")

	later := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(dir+"/views/part-0.jsonl", later, later)) // the same bytes
	write(t, dir+"/views/part-9.jsonl", `{"view_id":"new","ts":1767225600000}`+"\n")
	again, err := StreamInputs(t.Context(), s, kept)
	require.NoError(t, err)
	require.Equal(t, first.Files.Count(), again.Files.Count())
	fresh, err := StreamInputs(t.Context(), s, nil)
	require.NoError(t, err)
	require.Equal(t, first.Files.Count()+1, fresh.Files.Count())
	other := kept["views.inputs.0"]
	other.Pattern = dir + "/views/part-[01].jsonl"
	changed, err := StreamInputs(t.Context(), s, Kept{"views.inputs.0": other})
	require.NoError(t, err)
	require.Equal(t, fresh.Files.Count(), changed.Files.Count(), "of another pattern nothing is kept")

	content, err := os.ReadFile(dir + "/views/part-0.jsonl")
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(dir+"/views/part-0.jsonl", content, 0o600))
	require.NoError(t, os.Remove(dir+"/views/part-1.jsonl"))
	_, err = StreamInputs(t.Context(), s, kept)
	var problems problem.List
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 1)
	require.Equal(t, "T2014", problems[0].Code)
	require.Contains(t, problems[0].Message, "/views/part-1.jsonl is gone")
	require.NoError(t, os.WriteFile(dir+"/views/part-1.jsonl", nil, 0o600))
	_, err = StreamInputs(t.Context(), s, kept)
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 2)
	require.Contains(t, problems[0].Message, "is not as the run before has read it")
}
