package attribution

import (
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

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

// TestJoinEqualsReference holds pack, join and tally, run as Beam would run them but in
// memory, against the brute-force reference over generated logs: disorder, duplicates
// with the same and with other times and contents, late and partly late records,
// orphans, ties, window edges, skew, several kinds, with and without view times.
func TestJoinEqualsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		log := drawLog(t, p, origin)
		wantSamples, wantLedger := reference(p, log)
		got := runInMemory(t, p, log, rapid.Int64().Draw(t, "seed"))
		require.Equal(t, wantSamples, got.samples, "log:\n%s", describe(log))
		requireSameOutcomes(t, wantLedger, got.sheet, log)
		require.NoError(t, got.sheet.Check())
	})
}

// TestResultIsAFunctionOfTheLog changes everything that must not matter: bucket length,
// shards, how the log is cut into batches, and the order in which batches are read.
func TestResultIsAFunctionOfTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		log := drawLog(t, p, origin)
		first := runInMemory(t, p, log, 1)
		q := *p
		q.Bucket = rapid.Int64Range(1, 200).Draw(t, "other bucket")
		q.Shards = rapid.IntRange(1, 64).Draw(t, "other shards")
		q.Compress = rapid.Bool().Draw(t, "compress")
		second := runInMemory(t, &q, log, rapid.Int64().Draw(t, "seed"))
		require.Equal(t, first.encoded, second.encoded, "samples, byte for byte")
		requireSameOutcomes(t, first.sheet, second.sheet, log)
		require.Equal(t, first.refused, second.refused)
	})
}

// TestIntervalsMakeTheWhole joins a log interval by interval: samples and accounts add up to those of
// the whole, wherever it is cut.
func TestIntervalsMakeTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		p.From, p.To = origin, origin+400
		log := drawLog(t, p, origin)
		whole := runInMemory(t, p, log, 1)

		cuts := []int64{origin, origin + rapid.Int64Range(1, 399).Draw(t, "cut"), origin + 400}
		var encoded []string
		refused := map[string]int{}
		sheet := p.NewSheet()
		for i := 1; i < len(cuts); i++ {
			q := *p
			q.From, q.To = cuts[i-1], cuts[i]
			piece := runInMemory(t, &q, log, 2)
			encoded = append(encoded, piece.encoded...)
			for r, n := range piece.refused {
				refused[r] += n
			}
			sheet.Merge(piece.sheet)
		}
		require.Equal(t, whole.encoded, encoded)
		requireSameOutcomes(t, whole.sheet, sheet, log)
		require.Equal(t, whole.refused, refused)
	})
}

// drawOrigin draws where a log begins, which is 300 ms long: event times are bounded, and what
// lies near a bound reaches beyond it.
func drawOrigin(t *rapid.T) int64 {
	return rapid.SampledFrom([]int64{record.MinTime, 1_767_225_600_000, record.MaxTime - 300}).Draw(t, "origin")
}

func drawParams(t *rapid.T, origin int64) *rules.Params {
	p := &rules.Params{
		MaxFutureSkew:  rapid.SampledFrom([]int64{0, 1, 30, 90}).Draw(t, "max ahead"),
		OutOfOrderness: rapid.Int64Range(0, 40).Draw(t, "out of orderness"),
		ClockSkew:      rapid.Int64Range(0, 5).Draw(t, "clock skew"),
		DedupWindow:    rapid.Int64Range(0, 20).Draw(t, "duplicates within"),
		Bucket:         rapid.Int64Range(1, 100).Draw(t, "bucket"),
		Shards:         rapid.IntRange(1, 5).Draw(t, "shards"),
		Keep:           rapid.SampledFrom([]float64{1, 0.5}).Draw(t, "keep"),
		SpecVersion:    3,
		Orphans:        rapid.Bool().Draw(t, "orphans"),
		From:           math.MinInt64, To: rules.NoLogEnd, LogEnd: rules.NoLogEnd,
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "kinds") {
		p.Kinds = append(p.Kinds, rules.Kind{
			Name:   string(rune('a' + i)),
			Window: rapid.Int64Range(1, 80).Draw(t, "window"),
			Label:  rapid.SampledFrom(attributiontest.Labels).Draw(t, "label"),
			Count:  rapid.SampledFrom([]rules.Count{rules.CountAll, rules.CountFirst, rules.CountLast}).Draw(t, "credit"),
		})
	}
	if rapid.Bool().Draw(t, "interval") {
		p.From = origin + rapid.Int64Range(0, 150).Draw(t, "from")
		p.To = p.From + rapid.Int64Range(1, 150).Draw(t, "length")
	}
	keyed := rapid.Bool().Draw(t, "keyed")
	for i := range p.Kinds {
		if !keyed {
			break
		}
		k := &p.Kinds[i]
		k.Credit = rapid.SampledFrom([]rules.Credit{rules.CreditAll, rules.CreditFirst, rules.CreditLast, rules.CreditEven}).Draw(t, "share")
		if k.Credit == rules.CreditEven {
			k.Label = rapid.SampledFrom([]label.Func{label.BinaryParts, label.CountParts, label.Sum}).Draw(t, "label of parts")
		}
	}
	if keyed {
		drawAfter(t, p)
	}
	// Two inputs of each role, one with an order and one without.
	for kind := rules.Views; kind < len(p.Kinds); kind++ {
		for _, ordered := range []bool{true, false} {
			in := rules.Input{Kind: kind, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, Ordered: ordered}
			if keyed && kind == rules.Views {
				in.Key = []string{"k"}
			}
			if kind != rules.Views {
				in.ViewTime, in.EventID, in.Value = rules.Field{Path: "vt", Unit: record.UnitEpochMs}, "eid", "value"
			}
			p.Inputs = append(p.Inputs, in)
		}
	}
	for kind := range p.Kinds {
		if rapid.IntRange(0, 2).Draw(t, "several labels") == 0 {
			drawLabels(t, p, kind)
		}
	}
	return p
}

// twins are two ids that have one hash, which few have.
var twins = [2]string{"tui8mYVo", "Fn0iosJ"}

func TestTwins(t *testing.T) {
	require.Equal(t, rules.HashID([]byte(twins[0])), rules.HashID([]byte(twins[1])))
}

// drawLog draws records over a few ids and a short time, so that everything collides.
// Each input has one partition of its own.
func drawLog(t *rapid.T, p *rules.Params, origin int64) []*rec {
	var log []*rec
	n := rapid.IntRange(0, 25).Draw(t, "records")
	for range n {
		input, own := rapid.IntRange(0, len(p.Inputs)-1).Draw(t, "input"), ""
		in := p.Inputs[input]
		r := &rec{
			partition: int32(input), ordered: in.Ordered, view: in.Kind == rules.Views, kind: in.Kind,
			id: rapid.SampledFrom([]string{"u", "v", twins[0], twins[1]}).Draw(t, "id"), time: origin + rapid.Int64Range(0, 300).Draw(t, "time"),
			viewTime: record.NoTime, value: rapid.Int64Range(0, 2).Draw(t, "value"), other: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "other"),
		}
		if r.view {
			if p.Keyed() {
				own = rapid.SampledFrom([]string{"a", "b", twins[0], twins[1]}).Draw(t, "own id")
			}
			r.nameView(p, own)
		} else {
			r.eventID = rapid.SampledFrom([]string{"", "e", "f"}).Draw(t, "event id")
			if rapid.IntRange(0, 3).Draw(t, "has view time") == 0 {
				r.viewTime = origin + rapid.Int64Range(0, 300).Draw(t, "view time")
			}
		}
		log = append(log, r)
		// Half of the records are followed by a relative: a duplicate, a near miss, an edge.
		if k := len(log); k > 1 && rapid.Bool().Draw(t, "relative") {
			r.id = log[k-2].id
			window := int64(1)
			if !r.view {
				window = p.Kinds[r.kind].Window
			}
			near := log[k-2].time + rapid.SampledFrom([]int64{
				0, 0, 1, p.DedupWindow, p.DedupWindow + 1, window, window - 1,
				-p.ClockSkew, -p.ClockSkew - 1, p.LongestWindow(), p.LongestWindow() + p.Slack(), p.LongestWindow() + p.Slack() - 1,
			}).Draw(t, "near")
			r.time = min(max(near, origin), origin+300)
			if r.view {
				r.nameView(p, own)
			} else if r.viewTime != record.NoTime && log[k-2].view {
				r.viewTime = log[k-2].time
			}
		}
	}
	next := map[int32]int64{}
	for _, r := range log {
		r.offset = next[r.partition]
		next[r.partition]++
	}
	return log
}

// nameView makes a view as the log has it. Views with keys have ids of their own, of which few have one hash.
func (r *rec) nameView(p *rules.Params, own string) {
	r.payload = fmt.Sprintf(`{"id":%q,"t":%d,"x":%d}`, r.id, r.time, r.value)
	if p.Keyed() {
		if r.own = own; r.id != "u" {
			r.own = r.id + own // samples of one id and time are in no order
		}
		r.payload = fmt.Sprintf(`{"id":%q,"k":%q,"t":%d,"x":%d}`, r.own, r.id, r.time, r.value)
	}
}

type blockKey struct{ shard, bucket int64 }

// inMemory is what a join gives; samples and encoded are those of its last stage.
type inMemory struct {
	staged
	early   []staged
	sheet   *account.Sheet
	refused map[string]int
}

// staged is what a stage gives.
type staged struct {
	samples []want
	encoded []string
}

// runInMemory runs the transform's parts as Join connects them. The seed decides how the
// log is cut into batches and in which order they come.
func runInMemory(t require.TestingT, p *rules.Params, log []*rec, seed int64) inMemory {
	return runFrom(t, p, log, nil, seed)
}

// runFrom does so with the records of each partition from an offset on.
func runFrom(t require.TestingT, p *rules.Params, log []*rec, from map[int32]int64, seed int64) inMemory {
	random := rand.New(rand.NewSource(seed))
	got := inMemory{sheet: p.NewSheet(), refused: map[string]int{}}
	refuse := func(r record.Rejected) {
		rec := string(r.Record)
		if r.Reason == record.ReasonOrphan {
			rec = "" // of which only the id has travelled
		}
		got.refused[fmt.Sprintf("%s %d@%d %s", r.Reason, r.Partition, r.Offset, rec)]++
	}
	blocks := make([]map[blockKey][]shuffle.Block, p.StageCount())
	for i := range blocks {
		blocks[i] = map[blockKey][]shuffle.Block{}
	}
	k := shuffle.NewPacker(p, func(at shuffle.Place, block shuffle.Block) {
		of := p.OfStage(at.Stage)
		requireBucket(t, &of, at.Bucket)
		key := blockKey{at.Shard, at.Bucket}
		blocks[at.Stage][key] = append(blocks[at.Stage][key], block)
	}, refuse)
	for _, b := range batches(log, from, random) {
		require.NoError(t, k.Add(b))
		if random.Intn(4) == 0 {
			got.sheet.Merge(flushed(p, k))
		}
	}
	got.sheet.Merge(flushed(p, k))
	for stage := range blocks {
		of := p.OfStage(stage)
		got.early = append(got.early, joinInMemory(t, &of, blocks[stage], random, got.sheet, refuse))
	}
	got.staged, got.early = got.early[len(got.early)-1], got.early[:len(got.early)-1]
	return got
}

// joinInMemory joins the blocks of one stage.
func joinInMemory(t require.TestingT, p *rules.Params, blocks map[blockKey][]shuffle.Block, random *rand.Rand, sheet *account.Sheet, refuse func(record.Rejected)) (got staged) {
	join := joinFn{P: *p}
	join.Setup()
	joiner, encoder := join.joiner, &join.encoder
	encoder.JSONViews = true
	joiner.HeavyFrom = 1 + random.Intn(10) // ids are heavy with and without
	var samples []sample.Block
	partials := map[owner][]outcome.Partials{}
	var bucket bucket.Bucket
	for key, all := range blocks {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		bucket.Reset(key.bucket)
		for _, block := range all {
			require.NoError(t, block.AddTo(&bucket, p.Meaning().Fingerprint(), p.Bucket))
		}
		var last sample.Header
		part := 0
		out := newOutput(p, p.Meaning().Fingerprint(), encoder, key.shard, &bucket, func(b sample.Block) {
			var err error
			last, _, err = b.Open()
			require.NoError(t, err)
			require.Equal(t, sample.Header{Start: key.bucket * p.Bucket, Shard: key.shard, Part: part, Last: last.Last, Unchanged: last.Unchanged, Withdrawn: last.Withdrawn}, last)
			if !last.Unchanged {
				samples = append(samples, b)
			}
			part++
		})
		joiner.Join(&bucket, out)
		out.finish()
		require.Equal(t, part > 0, last.Last, "the last part says so")
		sheet.Merge(out.sheet)
		for _, r := range out.orphans {
			refuse(r)
		}
		for at, s := range out.partials {
			requireBucket(t, p, at.bucket)
			partials[at] = append(partials[at], s)
		}
	}
	for _, all := range partials {
		tally := outcome.NewMerger(p)
		for _, s := range all {
			require.NoError(t, tally.Add(s))
		}
		tally.Merge(sheet, refuse)
	}

	require.NoError(t, sample.Merge(samples, func(encoded []byte) error {
		got.encoded = append(got.encoded, string(encoded))
		got.samples = append(got.samples, wantOf(p, attributiontest.SampleJSON(t, p, encoded)))
		return nil
	}))
	return got
}

// requireBucket: no view can be in a bucket that lies outside the event times that are taken,
// and Beam's fixed windows run into one another where those of a bucket before them would be.
func requireBucket(t require.TestingT, p *rules.Params, bucket int64) {
	require.GreaterOrEqual(t, bucket, p.BucketOf(record.MinTime))
	require.GreaterOrEqual(t, p.EventTime(bucket), int64(0))
	require.LessOrEqual(t, bucket, p.BucketOf(record.MaxTime))
}

// refusal is what runInMemory notes of a record that was refused.
func refusal(reason record.Reason, r *rec) string {
	text := jsonOf(r)
	if reason == record.ReasonOrphan {
		text = ""
	}
	return fmt.Sprintf("%s %d@%d %s", reason, r.partition, r.offset, text)
}

// batches cuts each partition's log, from an offset on, into batches at random and shuffles
// them.
func batches(log []*rec, from map[int32]int64, random *rand.Rand) []record.Batch {
	var out []record.Batch
	open := map[int32]int{} // index in out
	clocks := map[int32]record.Clock{}
	for _, r := range log {
		before, seen := clocks[r.partition]
		if !seen {
			before = record.NoClock
		}
		after := before
		after.Add(r.time)
		clocks[r.partition] = after
		if r.offset < from[r.partition] {
			continue
		}
		at, ok := open[r.partition]
		if !ok || random.Intn(3) == 0 {
			at = len(out)
			open[r.partition] = at
			out = append(out, record.Batch{Input: r.partition, Partition: r.partition, Offset: r.offset, MaxTime: before.Largest, SecondTime: before.Second, Framed: true})
		}
		b := &out[at]
		b.Records = record.AppendFramed(b.Records, r.offset-b.Offset, []byte(jsonOf(r)))
		b.Count++
	}
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func jsonOf(r *rec) string {
	if r.view {
		return r.payload
	}
	text := fmt.Sprintf(`{"id":%q,"t":%d,"value":%d`, r.id, r.time, r.value)
	if r.viewTime != record.NoTime {
		text += fmt.Sprintf(`,"vt":%d`, r.viewTime)
	}
	if r.other != "" {
		text += fmt.Sprintf(`,"other":%q`, r.other)
	}
	if r.eventID != "" {
		text += fmt.Sprintf(`,"eid":%q`, r.eventID)
	}
	return text + "}"
}

// wantOf reads a sample back from JSON, as far as its label functions tell.
func wantOf(p *rules.Params, text string) want {
	s := gjson.Parse(text)
	w := want{
		ID: s.Get("view_id").String(), Time: s.Get("view_time").Int(), Payload: s.Get("view").String(),
		Positive: s.Get("positive").Bool(), Rate: s.Get("sampling_rate").Float(),
		Withdrawn: s.Get("weight").Float() == 0,
	}
	for _, c := range p.Columns() {
		w.Labels = append(w.Labels, s.Get("labels."+c.Label()).Raw)
	}
	for _, k := range p.Kinds {
		w.Delays = append(w.Delays, s.Get("delay_ms."+k.Name).Raw)
	}
	return w
}

func requireSameOutcomes(t require.TestingT, want, got *account.Sheet, log []*rec) {
	wantViews, gotViews := want.Views, got.Views
	for _, v := range []*account.Views{&wantViews, &gotViews} {
		v.N[account.Resent], v.N[account.DuplicatesChained] = 0, 0 // at least: what a bucket knows
		v.Reasons = nil                                            // the reference has none
	}
	require.Equal(t, wantViews, gotViews, "log:\n%s", describe(log))
	for kind, e := range want.Engagements {
		w, g := *e, *got.Engagements[kind]
		w.Delay, g.Delay = nil, nil
		w.N[account.Positives], g.N[account.Positives] = 0, 0
		if w.Reasons == nil {
			g.Reasons = nil
		}
		require.Equal(t, w, g, "kind %s, log:\n%s", kind, describe(log))
	}
}

func describe(log []*rec) string {
	var b strings.Builder
	for _, r := range log {
		fmt.Fprintf(&b, "%d@%d ordered=%v kind=%d %s closed=%d outcome=%s\n", r.partition, r.offset, r.ordered, r.kind, jsonOf(r), r.closedThrough, r.outcome)
	}
	return b.String()
}
