package advise

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/sim/replay"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// TestStages joins the same input with each stage that rows tell of.
func TestStages(t *testing.T) {
	s := hard(t, 800)
	r, err := Run(t.Context(), s, Options{})
	require.NoError(t, err)
	require.Greater(t, len(r.Stages), 4)
	text, err := os.ReadFile(s.File)
	require.NoError(t, err)
	late := map[float64]bool{}
	for i := range r.Stages {
		row := &r.Stages[i]
		name := short(row.AfterMs)
		staged, err := spec.Parse(s.File, []byte("stages: ["+name+"]\n"+string(text)))
		require.NoError(t, err)
		require.Equal(t, row.BucketMs, staged.StageCosts()[0].BucketMs)
		require.Equal(t, row.Cost.SamplesWithinMs, staged.StageCosts()[0].SamplesWithinMs)
		sheet := joined(t, staged)
		n := sheet.Stages[name].N
		require.EqualValues(t, n[account.Samples]+n[account.SampledOut], row.Samples.N, name)
		// What is late for all stages is not among those that a stage reads.
		require.EqualValues(t, n[account.Late]+sheet.Views.N[account.Late], row.LateViews.N, name)
		require.EqualValues(t, n[account.Positives], row.Positives.N, name)
		require.EqualValues(t, sheet.Views.N[account.Positives], row.Final.N, name)
		late[row.LateViews.N] = true
	}
	require.Greater(t, len(late), 1)
}

// label is what fake negatives are counted by.
type label struct {
	ViewID string             `json:"view_id"`
	Time   int64              `json:"view_time"`
	Delay  map[string]*int64  `json:"delay_ms"`
	Labels map[string]float64 `json:"labels"`
}

// labelled joins a spec and returns its samples by view.
func labelled(t *testing.T, s *spec.Spec) map[string]label {
	t.Helper()
	moved := *s
	o, to := &moved.Outputs, t.TempDir()
	o.Samples.Path, o.Late, o.DeadLetters, o.Accounts = to+"/samples", to+"/late", to+"/dead", to+"/accounts"
	_, err := batch.Run(t.Context(), &moved, batch.Options{})
	require.NoError(t, err)
	files, err := fileio.List(t.Context(), to+"/samples/dt=*/*.avro")
	require.NoError(t, err)
	all := map[string]label{}
	for _, f := range files {
		in, err := fileio.Open(t.Context(), f.Path)
		require.NoError(t, err)
		_, err = avro.EachRow(in, func(_ []byte, row label) error {
			all[row.ViewID+short(row.Time)] = row
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, in.Close())
	}
	return all
}

// TestFakeNegatives holds those of a window against a second run by which nothing is late, with windows as long as the horizon: the samples that
// are negative in the first and positive in the second.
func TestFakeNegatives(t *testing.T) {
	s := hard(t, 800)
	r, err := Run(t.Context(), s, Options{})
	require.NoError(t, err)
	all := *s
	all.Engagements, all.OutOfOrderness = slices.Clone(s.Engagements), time.Hour
	for i := range all.Engagements {
		all.Engagements[i].Window = ms(r.HorizonMs)
	}
	truth := labelled(t, &all)
	check := func(s *spec.Spec, o *Outcome) {
		fakes := map[string]float64{}
		for id, got := range labelled(t, s) {
			for _, e := range s.Engagements {
				if got.Delay[e.Kind] == nil && truth[id].Delay[e.Kind] != nil {
					fakes[e.Kind]++
				}
			}
		}
		for i := range o.Kinds {
			require.Equal(t, fakes[o.Kinds[i].Name], o.Kinds[i].FakeNegatives.N, o.Kinds[i].Name)
		}
	}
	check(s, &r.Now.Outcome)
	require.Positive(t, r.Now.Outcome.Kinds[0].FakeNegatives.N+r.Now.Outcome.Kinds[1].FakeNegatives.N)
	for kind := range r.Kinds {
		row, other := &r.Kinds[kind].Windows[1], *s
		other.Engagements = slices.Clone(s.Engagements)
		other.Engagements[kind].Window = ms(row.WindowMs)
		check(&other, &row.Outcome)
	}
	row, other := &r.Disorder[0], *s
	other.OutOfOrderness = ms(row.OutOfOrdernessMs)
	check(&other, &row.Outcome)
}

// TestSampled keeps the events of some ids only: what is told of all is near what a join counts, within the bounds nearly always.
func TestSampled(t *testing.T) {
	s := hard(t, 4000)
	whole, err := Run(t.Context(), s, Options{})
	require.NoError(t, err)
	part, err := Run(t.Context(), s, Options{Events: 2000})
	require.NoError(t, err)
	require.Equal(t, 0.25, part.Read.Kept)
	require.LessOrEqual(t, part.Read.EventsKept, int64(2000))
	require.Greater(t, part.Read.EventsKept, int64(1000))
	within, figures := 0, 0
	hold := func(got, want *Figure) {
		require.NotNil(t, got.Low)
		require.Nil(t, want.Low)
		require.LessOrEqual(t, *got.Low, got.N)
		figures++
		if *got.Low <= want.N && want.N <= *got.High {
			within++
		}
		require.LessOrEqual(t, math.Abs(got.N-want.N), 2.2*(*got.High-*got.Low)/2+1, "%+v %+v", got, want)
	}
	for kind := range whole.Kinds {
		for i := range whole.Kinds[kind].Windows {
			full := &whole.Kinds[kind].Windows[i]
			at := slices.IndexFunc(part.Kinds[kind].Windows, func(r WindowRow) bool { return r.WindowMs == full.WindowMs })
			if at < 0 {
				continue
			}
			some := &part.Kinds[kind].Windows[at]
			a, b := &some.Outcome.Kinds[kind], &full.Outcome.Kinds[kind]
			hold(&a.Caught, &b.Caught)
			hold(&a.Late, &b.Late)
			hold(a.FakeNegatives, b.FakeNegatives)
			hold(a.Positives, b.Positives)
			hold(&some.Outcome.LateViews, &full.Outcome.LateViews)
			if some.Share != nil { // of the whole, the bounds of a part are wider
				require.LessOrEqual(t, some.Share.Low, full.Share.High)
				require.GreaterOrEqual(t, some.Share.High, full.Share.Low)
			}
		}
	}
	require.Greater(t, figures, 40)
	require.GreaterOrEqual(t, float64(within), 0.8*float64(figures), "%d of %d", within, figures) // rows are of the same ids: they err together
}

// TestSampledBounds keeps a quarter of the ids, another one each time: the bounds of each number hold the true one 19 times of 20.
func TestSampledBounds(t *testing.T) {
	in, err := batch.OpenWhole(t.Context(), hard(t, 3000), batch.WholeOptions{})
	require.NoError(t, err)
	l, err := read(t.Context(), in, DefaultEvents)
	require.NoError(t, err)
	a := &advisor{log: l, horizon: 300_000}
	figures := func(l *log) (all []Figure) {
		w := newWhatIf(l, a.windows(), a.disorder(), l.base.MaxFutureSkew, a.horizon)
		l.groups(w.judge)
		o := w.outcome(l)
		all = append(all, o.Samples, o.LateViews, *o.Positives)
		for i := range o.Kinds {
			k := &o.Kinds[i]
			all = append(all, k.Caught, k.Outside, k.Late, *k.Positives)
		}
		return all
	}
	truth := figures(l)
	const draws = 400
	within := make([]int, len(truth))
	for salt := range uint64(draws) {
		part := *l
		part.level, part.kept, part.events = 2, 0.25, nil
		for _, e := range l.events {
			h := (e.name ^ (salt+1)*0xbf58476d1ce4e5b9) * 0x94d049bb133111eb
			if part.keeps(h ^ h>>31) {
				part.events = append(part.events, e)
			}
		}
		for i, f := range figures(&part) {
			if *f.Low <= truth[i].N && truth[i].N <= *f.High {
				within[i]++
			}
		}
	}
	for i, n := range within {
		require.GreaterOrEqual(t, n, draws*9/10, "figure %d, %v", i, truth[i].N)
		if truth[i].N > 100 { // the bounds of a few are wider than they need be
			require.Less(t, n, draws*99/100, "figure %d, %v", i, truth[i].N)
		}
	}
}

// TestTopics has the same records in topics: what is said of them is what it is of files.
func TestTopics(t *testing.T) {
	s := hard(t, 600)
	files, err := Run(t.Context(), s, Options{})
	require.NoError(t, err)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	text, err := os.ReadFile(s.File)
	require.NoError(t, err)
	edited := strings.NewReplacer(
		"{path: views/*.avro, order: file}", "{topic: views, format: avro, schema: view.avsc}",
		"{path: engagements/*.avro, order: file}", "{topic: engagements, format: avro, schema: engagement.avsc}",
		"samples: out/samples", "samples: {topic: samples}",
		"clock_skew:", `clusters: {main: {brokers: ["`+fake.ListenAddrs()[0]+"\"]}}\nstream: {name: made, source_parallelism: 2}\nclock_skew:",
	).Replace(string(text))
	streamed, err := spec.Parse(s.File, []byte(edited))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), streamed, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	for _, topic := range []string{"views", "engagements"} {
		from, err := replay.Open(t.Context(), strings.TrimSuffix(s.File, "/spec.yaml")+"/"+topic, topic, "ts")
		require.NoError(t, err)
		require.NoError(t, replay.Run(t.Context(), cluster.Config{Brokers: fake.ListenAddrs()}, replay.Options{}, from))
	}
	r, err := Run(t.Context(), streamed, Options{})
	require.NoError(t, err)
	require.Equal(t, files.Now.Outcome, r.Now.Outcome)
	require.Equal(t, files.Kinds[0].Windows[1].Outcome, r.Kinds[0].Windows[1].Outcome)
	require.Equal(t, files.Advice[0].Then, r.Advice[0].Then)
	require.NotEmpty(t, r.Readers)
	require.EqualValues(t, 6, r.Readers[0].Partitions, "three of views, three of engagements, one reader")
}

// TestCost holds the model of what waits against the bytes that a join has in its blocks.
func TestCost(t *testing.T) {
	c := generate.Default()
	c.Out, c.Views, c.Duration = t.TempDir(), 20_000, 6*time.Hour
	_, err := generate.Run(t.Context(), c, nil)
	require.NoError(t, err)
	s, err := spec.Load(c.Out + "/spec.yaml")
	require.NoError(t, err)
	for _, bucket := range []time.Duration{2 * time.Minute, 10 * time.Minute, 30 * time.Minute} {
		s.Bucket = bucket
		r, err := Run(t.Context(), s, Options{})
		require.NoError(t, err)
		sheet := joined(t, s)
		views, engagements := float64(r.Read.Views), float64(r.Read.Engagements)
		in, err := batch.OpenWhole(t.Context(), s, batch.WholeOptions{})
		require.NoError(t, err)
		l, err := read(t.Context(), in, DefaultEvents)
		require.NoError(t, err)
		rates := l.rates(s)
		model := views*(rates.viewBytes+besideView) + engagements*float64(r.Now.Cost.EngagementCopies)*ofEngagement
		t.Logf("bucket %s: blocks %d, by the model %.0f: %.2f", bucket, sheet.Bytes.Blocks, model, model/float64(sheet.Bytes.Blocks))
		require.InEpsilon(t, sheet.Bytes.Blocks, model, 0.15, "bucket %s", bucket)
	}
}

// TestBounds holds the bounds of shares against the values of others: Wilson's in Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
func TestBounds(t *testing.T) {
	for _, one := range []struct{ part, whole, low, high float64 }{
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718},
	} {
		r := ratio{}
		for i := range int(one.whole) {
			n := 0.0
			if float64(i) < one.part {
				n = 1
			}
			r.add(n, 1)
		}
		s := r.share()
		require.InDelta(t, one.low, s.Low, 0.00005)
		require.InDelta(t, one.high, s.High, 0.00005)
		require.InDelta(t, 1, s.DesignEffect, 0.05)
		// All of them four times, together with the same view, say no more than once.
		again := ratio{}
		for i := range int(one.whole) {
			n := 0.0
			if float64(i) < one.part {
				n = 4
			}
			again.add(n, 4)
		}
		require.InDelta(t, s.Low, again.share().Low, 0.004)
		require.InDelta(t, s.High, again.share().High, 0.004)
	}
}

// TestCoverage draws logs of which the share is known: the bounds hold it 19 times of 20.
func TestCoverage(t *testing.T) {
	held, draws := 0, 2000
	for i := range draws {
		r, n := ratio{}, 0
		for view := range 300 { // of views with 1 to 4 engagements, which all come in time or all late
			h := uint64(i*300+view+1) * 0x9e3779b97f4a7c15
			h ^= h >> 29
			h *= 0xbf58476d1ce4e5b9
			h ^= h >> 32
			whole, in := float64(1+h%4), 0.0
			if float64(h>>8%1000)/1000 < 0.9 {
				in = whole
			}
			r.add(in, whole)
			n++
		}
		if s := r.share(); s.Low <= 0.9 && 0.9 <= s.High {
			held++
		}
	}
	require.InDelta(t, 0.95, float64(held)/float64(draws), 0.02)
}

// TestRefused tells what cannot be told.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	parse := func(text string) *spec.Spec {
		s, err := spec.Parse(dir+"/spec.yaml", []byte(text))
		require.NoError(t, err)
		return s
	}
	const ads = `views: {inputs: [views.jsonl], id: id, key: user, time: ts}
engagements:
  click: {inputs: [acts.jsonl], where: {kind: click}, key: user, time: ts, id: id, window: 30m}
  buy: {inputs: [acts.jsonl], where: {kind: buy}, key: user, time: ts, id: id, window: 1d, credit: {after: click}}
outputs: {samples: out}
`
	_, err := Run(t.Context(), parse(ads), Options{})
	require.ErrorContains(t, err, "engagements.buy counts after click: what it counts for depends on the windows of both")
	_, err = Run(t.Context(), parse(strings.Replace(ads, "[views.jsonl]", `[{path: "-", format: json}]`, 1)), Options{})
	require.ErrorContains(t, err, "reads stdin")
	plain := parse(strings.Replace(ads, ", credit: {after: click}", "", 1))
	_, err = Run(t.Context(), plain, Options{Catch: 2})
	require.ErrorContains(t, err, "catch: must be above 0 and at most 1")
	require.NoError(t, os.WriteFile(dir+"/views.jsonl", []byte("{}\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/acts.jsonl", []byte("{}\n"), 0o600))
	_, err = Run(t.Context(), plain, Options{})
	require.ErrorContains(t, err, "no view that could be a sample")
}

// TestText has every part in it, and JSON all of it.
func TestText(t *testing.T) {
	r, err := Run(t.Context(), hard(t, 600), Options{})
	require.NoError(t, err)
	var text, again strings.Builder
	require.NoError(t, r.Text(&text, 100))
	for _, part := range []string{"like: share of engagements by delay", "100 ┤", "Out of order", "A first stage", "bucket:", "shards:", "Advice:", "With all of it", "note: "} {
		require.Contains(t, text.String(), part)
	}
	for line := range strings.Lines(text.String()) {
		require.LessOrEqual(t, len([]rune(line)), 140, line)
	}
	require.NoError(t, r.JSON(&again))
	var back map[string]any
	require.NoError(t, json.Unmarshal([]byte(again.String()), &back))
	require.Contains(t, back, "advice")
}
