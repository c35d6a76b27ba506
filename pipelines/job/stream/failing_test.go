package stream

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
)

// small is a join of few records, to see what becomes of each.
type small struct {
	t       *testing.T
	spec    *spec.Spec
	brokers []string
	client  *kgo.Client
	resume  Resume
}

// newSmall makes the topics of a spec of views and likes. registry is that of the cluster,
// empty for JSON without one; stream are more settings of the stream.
func newSmall(t *testing.T, registry, stream string) *small {
	t.Helper()
	views, kafka := "{topic: views, format: json}", "brokers: [%q]"
	if registry != "" {
		views, kafka = "{topic: views}", kafka+fmt.Sprintf(", registry: {url: %q}", registry)
	}
	return newSmallOf(t, 1, `
clusters: {main: {`+kafka+`}}
views: {inputs: [`+views+`], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {like: {inputs: [{topic: likes, format: json}], view: view, time: {field: ts, unit: epoch-millis}, window: 1m}}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1`+stream+`}
outputs: {samples: {topic: samples, format: json}}
`)
}

// newSmallOf makes the topics of a spec, in which a verb stands for the broker.
func newSmallOf(t *testing.T, partitions int32, text string) *small {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "16777216"}))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	s := &small{t: t, brokers: fake.ListenAddrs()}
	s.spec, err = spec.Parse("small.yaml", fmt.Appendf(nil, text, s.brokers[0]))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), s.spec, topics.CreateOptions{Inputs: true, Partitions: partitions, Replicas: 1})
	require.NoError(t, err)
	s.client, err = kgo.NewClient(kgo.SeedBrokers(s.brokers...), kgo.ProducerBatchMaxBytes(16<<20))
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	return s
}

// start is the time of the first view.
var start = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

func view(id string, after time.Duration, more string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"ts":%d,"more":%q}`, id, start.Add(after).UnixMilli(), more)
}

func like(id string, after time.Duration) []byte {
	return fmt.Appendf(nil, `{"view":%q,"ts":%d}`, id, start.Add(after).UnixMilli())
}

func (s *small) publish(topic string, values ...[]byte) {
	s.t.Helper()
	for _, value := range values {
		require.NoError(s.t, s.client.ProduceSync(s.t.Context(), &kgo.Record{Topic: topic, Value: value}).FirstErr())
	}
}

// run joins what is in the topics, and goes on from the log when it is called again.
func (s *small) run() {
	s.t.Helper()
	s.runPlan(s.plan())
	if s.spec.Stream.Delivery == spec.ExactlyOnce {
		s.resume = FromLog
	}
}

func (s *small) plan() *Plan {
	s.t.Helper()
	plan, err := New(s.t.Context(), s.spec, Options{Stop: source.Stop{At: source.StopAtEnd}, Drain: true, Resume: s.resume, Rest: 20 * time.Millisecond, Run: s.t.Name()})
	require.NoError(s.t, err)
	return plan
}

func (s *small) runPlan(plan *Plan) {
	s.t.Helper()
	run(s.t, plan.Pipeline())
}

// samples are the ids of all samples, those with a like with a + behind.
func (s *small) samples() []string {
	s.t.Helper()
	var out []string
	for value, n := range consume(s.t, s.brokers, "samples") {
		var sample struct {
			ID       string `json:"view_id"`
			Positive bool   `json:"positive"`
		}
		require.NoError(s.t, json.Unmarshal([]byte(value), &sample))
		for range n {
			out = append(out, sample.ID+map[bool]string{true: "+"}[sample.Positive])
		}
	}
	slices.Sort(out)
	return out
}

// rejected are the records of a topic of those that made no sample.
func (s *small) rejected(topic string) []rejected.Record {
	s.t.Helper()
	var out []rejected.Record
	for value := range consume(s.t, s.brokers, topic) {
		var r rejected.Record
		require.NoError(s.t, json.Unmarshal([]byte(value), &r), value)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b rejected.Record) int { return cmp.Compare(a.Offset, b.Offset) })
	return out
}

// TestPoison: records that nothing can be made of are dead letters, each with its reason, and
// all others are joined.
func TestPoison(t *testing.T) {
	s := newSmall(t, "", "")
	poison := []struct{ value, want string }{
		{"\xff\x00\xfe not JSON", ""},
		{"", ""},
		{`{"id":"<no time & all>"}`, "field ts"},
		{`{"id":{"a":1},"ts":1767261600000}`, "field id"},
		{`{"id":"far","ts":99999999999999999}`, "field ts"},
		{strings.Repeat("[", 100_000), ""},
	}
	s.publish("views", view("a", 0, ""))
	for _, p := range poison {
		s.publish("views", []byte(p.value))
	}
	s.publish("views", view("b", time.Second, ""))
	s.publish("likes", []byte("poison"), like("b", 2*time.Second))
	s.run()
	require.Equal(t, []string{"a", "b+"}, s.samples())
	require.Empty(t, s.rejected("samples.late"))
	dead := s.rejected("samples.dead")
	require.Len(t, dead, len(poison)+1)
	require.Equal(t, "like", dead[0].Role)
	for i, p := range poison {
		got := dead[i+1]
		require.EqualValues(t, i+1, got.Offset)
		require.Equal(t, "malformed views main/views/0", fmt.Sprint(got.Reason, " ", got.Role, " ", got.Source))
		require.Contains(t, got.Detail, p.want)
		require.NotEmpty(t, got.Detail)
	}
}

// TestYearsAhead: a record from the future is a dead letter, and does not close the windows
// of all others, as it does when any is believed.
func TestYearsAhead(t *testing.T) {
	for _, tt := range []struct {
		name, stream        string
		samples, late, dead []string
	}{
		{"guarded", "", []string{"a", "b+"}, nil, []string{"event time 2096-10-02T07:06:40Z is ahead of "}},
		{"believed", ", max_future_skew: never", []string{"a", "future"}, []string{"b"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSmall(t, "", tt.stream)
			s.publish("views", view("a", 0, ""), []byte(`{"id":"future","ts":4000000000000}`), view("b", time.Second, ""))
			s.publish("likes", like("b", 2*time.Second))
			s.run()
			require.Equal(t, tt.samples, s.samples())
			late := s.rejected("samples.late")
			require.Len(t, late, len(tt.late))
			for i, id := range tt.late {
				require.Contains(t, string(late[i].Record), fmt.Sprintf("%q", id))
			}
			dead := s.rejected("samples.dead")
			require.Len(t, dead, len(tt.dead))
			for i, why := range tt.dead {
				require.Contains(t, dead[i].Detail, why)
				require.Equal(t, "2096-10-02T07:06:40Z", dead[i].EventTime)
				require.JSONEq(t, `{"id":"future","ts":4000000000000}`, string(dead[i].Record))
			}
		})
	}
}

// TestTenMegabytes: a view so large that the samples' topic does not take it is joined, told
// of among the dead letters, and left out; all others are written, also by a second run.
func TestTenMegabytes(t *testing.T) {
	for _, delivery := range []string{"exactly_once", "at_least_once"} {
		t.Run(delivery, func(t *testing.T) {
			s := newSmall(t, "", ", delivery: "+delivery)
			s.publish("views", view("a", 0, ""), view("large", time.Second, strings.Repeat("x", 10<<20)), view("b", 2*time.Second, ""))
			s.publish("likes", like("large", 2*time.Second), like("b", 3*time.Second))
			want := []string{"a", "b+"}
			for range 2 {
				s.run()
				require.Equal(t, want, s.samples())
				for _, dead := range s.rejected("samples.dead") {
					require.Equal(t, "too large samples samples -1 large", fmt.Sprint(dead.Reason, " ", dead.Role, " ", dead.Source, " ", dead.Offset, " ", dead.ViewID))
					require.Contains(t, dead.Detail, "more than topic samples takes: raise its max.message.bytes, which is ")
				}
				require.NotEmpty(t, s.rejected("samples.dead"))
				if delivery == "at_least_once" {
					want = []string{"a", "a", "b+", "b+"}
				}
			}
		})
	}
}

// TestRegistryWhileRunning: a schema that turns up while the job runs is read, though the
// registry is away for a while.
func TestRegistryWhileRunning(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	const one = `{"type":"record","name":"View","fields":[{"name":"id","type":"string"},{"name":"ts","type":"long"}]}`
	const two = `{"type":"record","name":"View","fields":[{"name":"page","type":"string"},{"name":"id","type":"string"},{"name":"ts","type":"long"}]}`
	register := func(schema string) int {
		id, _, err := registry.RegisterSchema("views-value", sr.Schema{Schema: schema, Type: sr.TypeAvro})
		require.NoError(t, err)
		return id
	}
	text := func(text string) []byte { return append(binary.AppendVarint(nil, int64(len(text))), text...) }
	record := func(id int, parts ...[]byte) []byte {
		framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(id))
		return append(framed, bytes.Join(append(parts, binary.AppendVarint(nil, start.UnixMilli())), nil)...)
	}
	first := register(one)
	s := newSmall(t, registry.URL(), "")
	opt := quick(t.Name(), Fresh) // knows the first schema only
	opt.Drain, opt.Stop = true, source.Stop{At: source.StopAtOffsets, Offsets: map[cluster.Partition]int64{{Cluster: "main", Topic: "views"}: 4, {Cluster: "main", Topic: "likes"}: 1}}
	plan, err := New(t.Context(), s.spec, opt)
	require.NoError(t, err)
	second := register(two)
	s.publish("views", record(first, text("a")), record(second, text("page"), text("b")), record(99, text("c")), record(first, text("d")))
	s.publish("likes", like("b", time.Second))
	var refused atomic.Int32
	registry.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/schemas/ids/") || refused.Add(1) > 4 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	s.runPlan(plan)
	require.Equal(t, []string{"a", "b+", "d"}, s.samples())
	dead := s.rejected("samples.dead")
	require.Len(t, dead, 1)
	require.Contains(t, dead[0].Detail, "99")
	require.Greater(t, refused.Load(), int32(4), "it was asked again")
}

// TestStateKeepsItsSchema: state whose views have a schema of the registry is gone on from though
// the registry has a newer one by now; from the log, the newer one counts.
func TestStateKeepsItsSchema(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	register := func(fields string) {
		_, _, err := registry.RegisterSchema("views-value", sr.Schema{Schema: `{"type":"record","name":"View","fields":[` + fields + `]}`, Type: sr.TypeAvro})
		require.NoError(t, err)
	}
	const idAndTime = `{"name":"id","type":"string"},{"name":"ts","type":"long"}`
	register(idAndTime)
	s := newSmall(t, registry.URL(), "")
	begin := quick("begin", Fresh)
	begin.Readers = 1
	first, err := New(t.Context(), s.spec, begin)
	require.NoError(t, err)
	require.Nil(t, first.Resumed())
	register(`{"name":"page","type":"string","default":""},` + idAndTime)
	opt := quick("state", FromState)
	opt.Readers = 1
	state, err := New(t.Context(), s.spec, opt)
	require.NoError(t, err)
	require.True(t, state.KeptSchema())
	require.Equal(t, first.params.ViewSchema, state.params.ViewSchema)
	require.Equal(t, first.SampleSchema(), state.SampleSchema())
	require.Equal(t, first.params.Meaning().Fingerprint(), state.params.Meaning().Fingerprint(), "the blocks are its own")

	again, err := New(t.Context(), s.spec, quick("log", FromLog))
	require.NoError(t, err)
	require.Contains(t, again.params.ViewSchema, "page")
	require.Equal(t, []string{"schema of views in samples"}, cutAt(again.Resumed().Changed, ":"))

	// One that cannot be read as the state's own schema has it.
	s = newSmall(t, registry.URL(), "")
	_, err = New(t.Context(), s.spec, begin)
	require.NoError(t, err)
	register(`{"name":"id","type":"string"},{"name":"ts","type":"long"}`)
	opt.Run = "other"
	_, err = New(t.Context(), s.spec, opt)
	require.NoError(t, err, "without a field that has a default")
}

// cutAt returns what stands before a separator in each text.
func cutAt(texts []string, separator string) []string {
	out := slices.Clone(texts)
	for i := range out {
		out[i], _, _ = strings.Cut(out[i], separator)
	}
	return out
}

// TestRegistryUnreachable: without the schemas of views there is no plan.
func TestRegistryUnreachable(t *testing.T) {
	registry := srfake.New()
	s := newSmall(t, registry.URL(), "")
	_, err := New(t.Context(), s.spec, Options{})
	require.ErrorContains(t, err, "T1632 views.inputs.0: the registry has no schema of subject views-value")
	url := registry.URL()
	registry.Close()
	_, err = New(t.Context(), s.spec, Options{})
	require.ErrorContains(t, err, strings.TrimPrefix(url, "http://"))
	require.ErrorContains(t, err, "connection refused")
}
