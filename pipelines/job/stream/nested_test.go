package stream

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/fileio"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/prism"
	"tributary/transforms/account"
)

// TestNestedRecordsEqualBatch joins a feed whose records are lists: views and purchases that are elements of theirs, told apart by computed fields and
// by headers, with ids of several fields, and a key of which a part is a header. The samples of the stream are those of a batch of the topics, and the truth.
func TestNestedRecordsEqualBatch(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	f := newFeed(t, fake.ListenAddrs()[0], 300)
	f.join(Options{Rest: 20 * time.Millisecond, Readers: prism.Readers}, func(p *beam.Pipeline) { run(t, p) })
}

// TestNestedRecordsOnFlinkEqualBatch does so with servers as they are in production.
func TestNestedRecordsOnFlinkEqualBatch(t *testing.T) {
	_, kafka := servicestest.Start(t, "kafka")
	_, flinkAt := servicestest.Start(t, "flink")
	f := newFeed(t, string(kafka), 3000)
	f.join(Options{}, func(p *beam.Pipeline) { runOnFlink(t, flinkAt, p) })
}

// feedSpec is of JOB's topics at BROKER.
const feedSpec = `
clusters: {main: {brokers: ["BROKER"]}}
views:
  inputs: [{topic: JOB.views, format: json}]
  each: items
  fields: {code: '"i" + string(items.id)', near: items.position < 6}
  where: {$headers.kind: page, near: true}
  id: [request, items.id]
  key: [$headers.user, code]
  time: {field: ts, unit: epoch-millis}
engagements:
  click:
    inputs: [{topic: JOB.acts, format: json}]
    where: {$headers.kind: click}
    key: [$headers.user, item]
    id: [$partition, $offset]
    time: $timestamp
    window: 20s
    label: count
  buy:
    inputs: [{topic: JOB.acts, format: json}]
    each: lines
    fields: {code: '"i" + string(lines.id)', eur: double(lines.cents) / 100.0}
    where: 'event == "buy" && eur >= 1.0'
    key: [$headers.user, code]
    id: [order, $index]
    time: $timestamp
    window: 1m
    label: {sum: eur}
sample: {fields: [request, {item: items.id}, code], view: none}
out_of_orderness: 5s
bucket: 30s
shards: 3
stream: {name: JOB, idle_timeout: never, source_parallelism: 2}
outputs: {samples: {topic: JOB, format: json}}
`

// feed is a job whose topics are filled, and what must come of it.
type feed struct {
	t    *testing.T
	text string
	name string
	spec *spec.Spec
	// truth are the samples by the ids of their views.
	truth map[string]*feedSample
	// Views that are there a second time, and those that conditions leave out, with empty pages.
	twice, filtered int
}

// feedSample is a sample as consumers see it.
type feedSample struct {
	ID       string         `json:"view_id"`
	Time     int64          `json:"view_time"`
	Positive bool           `json:"positive"`
	Labels   map[string]any `json:"labels"`
	Request  string         `json:"request"`
	Item     int64          `json:"item"`
	Code     string         `json:"code"`
}

// partitions of each of the topics.
const feedPartitions = 3

// newFeed makes and fills the topics with pages of as many requests.
func newFeed(t *testing.T, broker string, requests int64) *feed {
	t.Helper()
	f := &feed{t: t, name: "feed" + fmt.Sprint(time.Now().UnixNano()), truth: map[string]*feedSample{}}
	f.text = strings.NewReplacer("BROKER", broker, "JOB", f.name).Replace(feedSpec)
	var err error
	f.spec, err = spec.Parse("feed.yaml", []byte(f.text))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), f.spec, topics.CreateOptions{Inputs: true, Partitions: feedPartitions, Replicas: 1})
	require.NoError(t, err)
	f.fill(broker, requests)
	return f
}

// fill publishes a page of items every 200 ms of event time, and acts on them, and works out what must come of it: an act is for the last of the views
// of its user and item in the window before it, whatever order they are read in.
func (f *feed) fill(broker string, requests int64) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(f.t, err)
	defer client.Close()
	var records []*kgo.Record
	publish := func(topic string, partition int64, at int64, headers []kgo.RecordHeader, value string) {
		records = append(records, &kgo.Record{
			Topic: f.name + topic, Partition: int32(partition % feedPartitions), Timestamp: time.UnixMilli(at), Headers: headers, Value: []byte(value),
		})
	}
	of := func(kind string, user int64) []kgo.RecordHeader {
		return []kgo.RecordHeader{{Key: "kind", Value: []byte(kind)}, {Key: "user", Value: fmt.Appendf(nil, "u|%d", user)}}
	}
	random := rand.New(rand.NewPCG(7, 8))
	shown := map[string][]*feedSample{} // by user and item, in order of time
	last := func(user, item, at int64, window time.Duration) *feedSample {
		var found *feedSample
		for _, view := range shown[fmt.Sprint(user, item)] {
			if view.Time <= at && at < view.Time+window.Milliseconds() {
				found = view
			}
		}
		return found
	}
	for n := range requests {
		const users, items = 5, 12
		user, request, at := random.Int64N(users), fmt.Sprintf(`r|%d`, n), start.UnixMilli()+n*200
		kind := "page"
		if n%10 == 9 {
			kind = "widget"
		}
		published := 1
		if n%7 == 0 { // it is there again
			published = 2
		}
		var list []string
		for position, item := range random.Perm(items)[:random.IntN(9)] {
			list = append(list, fmt.Sprintf(`{"id":%d,"position":%d}`, item, position))
			if kind != "page" || position >= 6 {
				f.filtered += published
				continue
			}
			view := &feedSample{
				ID: fmt.Sprintf(`r\|%d|%d`, n, item), Time: at, Request: request, Item: int64(item), Code: fmt.Sprint("i", item),
				Labels: map[string]any{"click": 0.0, "buy": 0.0},
			}
			f.truth[view.ID] = view
			shown[fmt.Sprint(user, item)] = append(shown[fmt.Sprint(user, item)], view)
			f.twice += published - 1
		}
		if len(list) == 0 {
			f.filtered += published // the record itself
		}
		for range published {
			publish(".views", n, at, of(kind, user), fmt.Sprintf(`{"request":%q,"ts":%d,"items":[%s]}`, request, at, strings.Join(list, ",")))
		}

		// Acts on what was shown some time before, by users and on items that are often those of no view.
		act := at - random.Int64N(4000)
		user, item := random.Int64N(users+1), random.Int64N(items)
		publish(".acts", random.Int64N(feedPartitions), act, of("click", user), fmt.Sprintf(`{"event":"click","item":"i%d"}`, item))
		if view := last(user, item, act, 20*time.Second); view != nil {
			view.Labels["click"] = view.Labels["click"].(float64) + 1
			view.Positive = true
		}
		if n%3 != 0 {
			continue
		}
		var lines []string
		user = random.Int64N(users)
		for range random.IntN(4) {
			item, cents := random.Int64N(items), random.Int64N(8)*50 // sums of their doubles are exact
			lines = append(lines, fmt.Sprintf(`{"id":%d,"cents":%d}`, item, cents))
			if view := last(user, item, act, time.Minute); view != nil && cents >= 100 {
				view.Labels["buy"] = view.Labels["buy"].(float64) + float64(cents)/100
				view.Positive = true
			}
		}
		order, partition := fmt.Sprintf(`{"event":"buy","order":%d,"ts":%d,"lines":[%s]}`, n, act, strings.Join(lines, ",")), random.Int64N(feedPartitions)
		for range 1 + n%2 { // some are there twice
			publish(".acts", partition, act, of("buy", user), order)
		}
	}
	at := start.UnixMilli() + requests*200
	publish(".views", 0, at, of("page", 1)[:1], fmt.Sprintf(`{"request":"no user","ts":%d,"items":[{"id":1,"position":1}]}`, at))
	publish(".views", 0, at, of("page", 1), fmt.Sprintf(`{"request":"no list","ts":%d,"items":3}`, at))
	publish(".views", 0, at, of("page", 1), fmt.Sprintf(`{"request":"no position","ts":%d,"items":[{"id":1}]}`, at))
	publish(".acts", 0, at, of("buy", 1), fmt.Sprintf(`{"event":"buy","order":"no cents","ts":%d,"lines":[{"id":1,"cents":"dear"}]}`, at))
	require.NoError(f.t, client.ProduceSync(f.t.Context(), records...).FirstErr())
}

// join runs the stream up to its end, and then the batch of its topics.
func (f *feed) join(opt Options, run func(*beam.Pipeline)) {
	f.t.Helper()
	opt.Stop, opt.Drain, opt.Run = source.Stop{At: source.StopAtEnd}, true, f.name
	plan, err := New(f.t.Context(), f.spec, opt)
	require.NoError(f.t, err)
	run(plan.Pipeline())
	brokers := f.spec.Clusters[0].Brokers
	ofStream := consume(f.t, brokers, f.name)
	streamed, err := Report(f.t.Context(), f.spec)
	require.NoError(f.t, err)
	require.NoError(f.t, streamed.Accounts.Check())

	positives := f.requireTruth(ofStream)
	require.Greater(f.t, positives, len(f.truth)/20)
	require.Less(f.t, positives, len(f.truth))
	views := streamed.Accounts.Views.N
	require.EqualValues(f.t, len(f.truth), views[account.Samples])
	require.EqualValues(f.t, f.twice, views[account.Duplicates])
	require.EqualValues(f.t, f.filtered, views[account.Filtered])
	require.Zero(f.t, views[account.Late])
	f.requireDead(consume(f.t, brokers, f.name+".dead"))

	dir := f.t.TempDir()
	bounded, err := spec.Parse(dir+"/batch.yaml", []byte(strings.Replace(f.text, "samples: {topic: "+f.name+",", "samples: {path: out/samples,", 1)))
	require.NoError(f.t, err)
	report, err := batch.Run(f.t.Context(), bounded, batch.Options{})
	require.NoError(f.t, err)
	require.Equal(f.t, report.Accounts.Views, streamed.Accounts.Views)
	require.Equal(f.t, report.Accounts.Engagements, streamed.Accounts.Engagements)
	ofBatch := map[string]int{}
	files, err := fileio.List(f.t.Context(), dir+"/out/samples/**/*.jsonl")
	require.NoError(f.t, err)
	for _, file := range files {
		text, err := os.ReadFile(file.Path)
		require.NoError(f.t, err)
		for line := range strings.Lines(string(text)) {
			ofBatch[strings.TrimSuffix(line, "\n")]++
		}
	}
	require.True(f.t, maps.Equal(ofBatch, ofStream), "samples differ from the batch's")
}

// requireTruth demands that samples are those of the truth, each once, and returns how many are positive.
func (f *feed) requireTruth(samples map[string]int) (positives int) {
	f.t.Helper()
	require.Len(f.t, samples, len(f.truth))
	for text, times := range samples {
		require.Equal(f.t, 1, times, text)
		var got feedSample
		require.NoError(f.t, json.Unmarshal([]byte(text), &got), text)
		require.Contains(f.t, f.truth, got.ID)
		require.Equal(f.t, *f.truth[got.ID], got, text)
		if got.Positive {
			positives++
		}
	}
	return positives
}

// requireDead demands a dead letter with its reason for each record that nothing can be made of.
func (f *feed) requireDead(letters map[string]int) {
	f.t.Helper()
	var details []string
	for text := range letters {
		var r rejected.Record
		require.NoError(f.t, json.Unmarshal([]byte(text), &r), text)
		details = append(details, r.Role+" "+r.Detail)
	}
	require.ElementsMatch(f.t, []string{
		"views field $headers.user: null is not an id; expected text or an integer",
		"views field items is a number, not a list",
		"views views.fields.near, line 1, column 16: does not go with these types, where items.position is null",
		`buy engagements.buy.fields.eur, line 1, column 7: type conversion error from 'string' to 'double', where lines.cents is "dear"`,
	}, details)
}
