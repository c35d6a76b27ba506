package repair

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/audit"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

var begin = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

const (
	likeWindow = 60_000
	buyWindow  = 120_000
	disorder   = 5000
	bucket     = 60_000
)

// made is an event of a rig.
type made struct {
	id, view string
	time     int64
	amount   int64
	late     bool // by the watermark of its partition; of a view, closed
}

// rig is a stream that has ended, of input of which much came late.
type rig struct {
	*testing.T
	dir     string
	brokers []string
	spec    *spec.Spec
	// decode makes JSON of a sample; nil for samples that are.
	decode func(value []byte) string

	views []made
	likes []made
	buys  []made
}

// newRig has a stream join what a generator made; outputs is what the spec says of samples, more what it says besides.
func newRig(t *testing.T, outputs, more string) *rig {
	t.Helper()
	return newRigWith(t, "", outputs, more)
}

// newRigWith has a registry beside the brokers, if it is not empty: as the spec has it.
func newRigWith(t *testing.T, registry, outputs, more string) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir()}
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	r.brokers = fake.ListenAddrs()
	r.spec, err = spec.Parse(r.dir+"/stream.yaml", []byte(fmt.Sprintf(`
clusters: {main: {brokers: [%q]%s}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view, id: id, time: {field: ts, unit: epoch-millis}, window: 1m}
  buy: {inputs: [{topic: buys, format: json}], view: view, id: id, time: {field: ts, unit: epoch-millis}, window: 2m, label: {sum: amount}}
out_of_orderness: 5s
bucket: 1m
shards: 2
%sstream: {name: made, idle_timeout: never, source_parallelism: 1}
outputs: {samples: %s}
`, r.brokers[0], registry, more, outputs)))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), r.spec, topics.CreateOptions{Inputs: true, Partitions: 2, Replicas: 1})
	require.NoError(t, err)
	r.generate(rand.New(rand.NewPCG(1, 2)))
	r.stream(stream.Options{})
	return r
}

// generate writes ten minutes of input: of engagements a fifth comes minutes after its time, and of views some when they had closed.
func (r *rig) generate(random *rand.Rand) {
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(r, err)
	defer client.Close()
	type log struct {
		topic     string
		partition int32
	}
	largest := map[log]int64{}
	put := func(topic string, e *made, longest int64, text string) {
		to := log{topic, int32(random.IntN(2))}
		// By the partition's largest time before it, all is closed a window and the disorder after it.
		e.late = largest[to] > 0 && e.time+longest <= largest[to]-disorder
		largest[to] = max(largest[to], e.time)
		client.Produce(r.Context(), &kgo.Record{Topic: topic, Partition: to.partition, Value: []byte(text)}, func(_ *kgo.Record, err error) {
			if err != nil {
				r.Error(err)
			}
		})
	}
	var late []func()
	for i := range int64(600) {
		now := begin.UnixMilli() + i*1500
		view := made{id: "v" + strconv.FormatInt(i, 10), time: now - random.Int64N(disorder)}
		if i%37 == 0 {
			view.time -= 100_000 + random.Int64N(60_000)
		}
		put("views", &view, buyWindow, fmt.Sprintf(`{"id":%q,"ts":%d}`, view.id, view.time))
		r.views = append(r.views, view)
		engage := func(kind string, all *[]made, window int64) {
			e := made{id: kind + strconv.FormatInt(i, 10), view: view.id, time: view.time + random.Int64N(window+20_000), amount: 1 + random.Int64N(9)}
			write := func() {
				put(kind, &e, 0, fmt.Sprintf(`{"id":%q,"view":%q,"ts":%d,"amount":%d}`, e.id, e.view, e.time, e.amount))
				*all = append(*all, e)
			}
			if random.IntN(5) > 0 {
				write()
				return
			}
			late = append(late, write)
		}
		if random.IntN(3) == 0 {
			engage("likes", &r.likes, likeWindow)
		}
		if random.IntN(5) == 0 {
			engage("buys", &r.buys, buyWindow)
		}
		if i%40 == 39 && i > 250 {
			for _, write := range late[:len(late)/2] {
				write()
			}
			late = late[len(late)/2:]
		}
	}
	for _, topic := range []string{"views", "likes", "buys"} { // what moves all watermarks on
		for p := range int32(2) {
			for k := range 2 {
				text := fmt.Sprintf(`{"id":"end%d-%d","view":"none","ts":%d,"amount":0}`, p, k, begin.UnixMilli()+600*1500+int64(k)*1000)
				client.Produce(r.Context(), &kgo.Record{Topic: topic, Partition: p, Value: []byte(text)}, nil)
			}
		}
	}
	for _, write := range late {
		write()
	}
	require.NoError(r, client.Flush(r.Context()))
}

// stream runs the stream up to where the topics end now.
func (r *rig) stream(opt stream.Options) {
	r.Helper()
	opt.Rest, opt.Readers, opt.Stop = 50*time.Millisecond, prism.Readers, source.Stop{At: source.StopAtEnd}
	plan, err := stream.New(r.Context(), r.spec, opt)
	require.NoError(r, err)
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(r, prism.Run(ctx, plan.Pipeline()))
}

// resume has the stream go on from the log.
func (r *rig) resume() {
	r.Helper()
	r.stream(stream.Options{Resume: stream.FromLog})
}

// truth is the label of a view with all engagements let in, by looking at each.
type truth struct {
	like   bool
	amount int64
}

func (r *rig) truth(v *made) (t truth) {
	for _, e := range r.likes {
		t.like = t.like || e.view == v.id && v.time <= e.time && e.time < v.time+likeWindow
	}
	for _, e := range r.buys {
		if e.view == v.id && v.time <= e.time && e.time < v.time+buyWindow {
			t.amount += e.amount
		}
	}
	return t
}

// written is a sample in the topic.
type written struct {
	*kgo.Record
	text      string
	version   [2]int64 // the field, and the header
	corrected string
}

// topic are the committed samples.
func (r *rig) topic() (all []written) {
	r.Helper()
	require.NoError(r, cluster.ReadAll(r.Context(), cluster.Config{Brokers: r.brokers}, "samples", func(rec *kgo.Record) error {
		one := written{Record: rec, text: string(rec.Value)}
		if r.decode != nil {
			one.text = r.decode(rec.Value)
		}
		for _, h := range rec.Headers {
			switch h.Key {
			case "version":
				one.version[1], _ = strconv.ParseInt(string(h.Value), 10, 64)
			case "corrected":
				one.corrected = string(h.Value)
			}
		}
		one.version[0] = gjson.Get(one.text, "version").Int()
		all = append(all, one)
		return nil
	}))
	return all
}

// newest are the samples that count, by view: of each the one with the highest version.
func newest(all []written) map[string]written {
	out := map[string]written{}
	for _, s := range all {
		if best, some := out[string(s.Key)]; !some || slices.Compare(s.version[:], best.version[:]) >= 0 {
			out[string(s.Key)] = s
		}
	}
	return out
}

// fix repairs the topic.
func (r *rig) fix(opt CorrectOptions) *Corrected {
	r.Helper()
	found, err := Correct(r.Context(), r.spec, opt)
	require.NoError(r, err)
	return found
}

func late(opt CorrectOptions) CorrectOptions {
	opt.Late = true
	return opt
}

// requireTruth holds what counts in the topic of the views before a time against the truth, and returns how many positives there are.
func (r *rig) requireTruth(before time.Time, kept bool) (views, positives int) {
	r.Helper()
	have := newest(r.topic())
	for i := range r.views {
		v := &r.views[i]
		if v.time >= before.UnixMilli() {
			continue
		}
		s, there := have[v.id]
		if v.late {
			require.False(r, there, "view %s is late, and stays so", v.id)
			continue
		}
		want := r.truth(v)
		positive := want.like || want.amount > 0
		if !there {
			require.True(r, !positive && !kept, "view %s has no sample and must have %+v", v.id, want)
			continue
		}
		views++
		if positive {
			positives++
		}
		got := truth{gjson.Get(s.text, "labels.like").Int() == 1, int64(gjson.Get(s.text, "labels.buy").Float())}
		require.Equal(r, want, got, "view %s: %s", v.id, s.text)
		require.Equal(r, positive, gjson.Get(s.text, "positive").Bool(), s.text)
	}
	return views, positives
}

const staged = "stages: [{after: 10s, emit: positives}, {after: 30s, emit: all}]\n"

// TestLate: late engagements are let in: what counts in the topic then is what looking at each engagement gives, and is what an audit takes.
// A dry run writes nothing and says as much; a second run finds nothing to do.
func TestLate(t *testing.T) {
	for _, c := range []struct {
		name, samples, more string
		kept                bool
	}{
		{"no stages", "{topic: samples, format: json}", "", true},
		{"negatives sampled", "{topic: samples, format: json}", "negatives: {keep: 0.3}\n", false},
		{"stages", "{topic: samples, format: json}", staged, true},
		{"stages, negatives sampled", "{topic: samples, format: json}", staged + "negatives: {keep: 0.3}\n", false},
		{"the last stage", "{topic: samples, format: json, stages: final}", "stages: [10s, {after: 2m, emit: all}]\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.samples, c.more)
			was := r.topic()
			dry := r.fix(late(CorrectOptions{DryRun: true}))
			require.Len(t, r.topic(), len(was), "a dry run writes nothing")
			require.GreaterOrEqual(t, dry.Different+dry.Missing, int64(20))
			if !c.kept {
				require.Positive(t, dry.Missing, "negatives that were not kept are positives now")
			}
			require.Zero(t, dry.Extra+dry.Left.Sum()+dry.Written)
			require.Equal(t, dry.Views, dry.Right+dry.Different+dry.Missing)
			require.EqualValues(t, 0, audited(t, r).Findings)

			found := r.fix(late(CorrectOptions{}))
			require.Equal(t, dry.Different+dry.Missing, found.Written)
			require.Equal(t, dry.Changes, found.Changes)
			all := r.topic()
			require.Len(t, all, len(was)+int(found.Written))
			views, positives := r.requireTruth(*found.To, c.kept)
			require.Greater(t, views, 100)
			require.Greater(t, positives, 50)
			before, counts, before2 := newest(was), map[string]map[[2]string]int64{}, int64(0)
			for _, s := range all {
				if s.corrected == "" {
					continue
				}
				old, some := before[string(s.Key)]
				require.Equal(t, max(old.version[1], 1)+1, s.version[1])
				if c.more != "" && strings.Contains(c.more, "stages") {
					require.Equal(t, max(old.version[0], int64(len(r.spec.Stages))-1)+1, s.version[0])
					require.True(t, gjson.Get(s.text, "final").Bool())
				}
				require.True(t, gjson.Get(s.corrected, "late").Bool())
				var told audit.Corrected
				require.NoError(t, json.Unmarshal([]byte(s.corrected), &told))
				require.NotEmpty(t, told.Changed)
				for field, values := range told.Changed {
					require.Equal(t, cmp.Or(gjson.Get(s.text, field).Raw, "null"), string(values[1]))
					if some {
						require.Equal(t, gjson.Get(old.text, field).Raw, string(values[0]))
					}
					if strings.HasPrefix(field, "labels.") {
						if counts[field] == nil {
							counts[field] = map[[2]string]int64{}
						}
						counts[field][[2]string{string(values[0]), string(values[1])}]++
					}
				}
				before2++
			}
			require.Equal(t, found.Written, before2)
			for _, change := range found.Changes["labels.like"] {
				require.Equal(t, counts["labels.like"][[2]string{string(change.From), string(change.To)}], change.Samples)
			}
			require.NotEmpty(t, found.Changes["labels.like"])

			again := r.fix(late(CorrectOptions{}))
			require.Zero(t, again.Written)
			require.Len(t, r.topic(), len(all))
			kept := r.fix(CorrectOptions{})
			require.Zero(t, kept.Written, "what late engagements corrected stays")
			require.Equal(t, found.Written, kept.Left.ForLate)
			a := audited(t, r)
			require.EqualValues(t, found.Written, a.Sinks[0].Stages[len(a.Sinks[0].Stages)-1].Corrected)
		})
	}
}

// audited audits the job, which must find nothing.
func audited(t *testing.T, r *rig) *audit.Result {
	t.Helper()
	found, err := audit.Run(t.Context(), r.spec, audit.Options{})
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, found.Text(&text, 120))
	require.Zero(t, found.Findings, text.String())
	return found
}
