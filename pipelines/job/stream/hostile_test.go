package stream

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/rejected"
	"tributary/pipelines/sim/generate/hostile"
	"tributary/pipelines/spec"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/prism"
	"tributary/transforms/account"
)

// TestHostileRecords joins topics of good and hostile records on Prism.
func TestHostileRecords(t *testing.T) {
	for i, format := range []hostile.Format{hostile.JSON, hostile.Avro, hostile.Registry} {
		t.Run(string(format), func(t *testing.T) {
			fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "16777216"}))
			require.NoError(t, err)
			t.Cleanup(fake.Close)
			h := newBeset(t, fake.ListenAddrs()[0], format, int64(i), []int{10 << 20, 2 << 20, 2 << 20}[i])
			for _, resume := range []Resume{Fresh, FromLog} {
				h.join(Options{Resume: resume, Rest: 20 * time.Millisecond, Readers: prism.Readers}, func(p *beam.Pipeline) { run(t, p) })
			}
		})
	}
}

// TestHostileRecordsOnFlink does the same with servers as they are in production.
func TestHostileRecordsOnFlink(t *testing.T) {
	_, kafka := servicestest.Start(t, "kafka")
	_, cluster := servicestest.Start(t, "flink")
	h := newBeset(t, string(kafka), hostile.Registry, 4, 500<<10)
	h.join(Options{}, func(p *beam.Pipeline) { runOnFlink(t, cluster, p) })
}

// beset is a job whose topics hold hostile records beside good ones.
type beset struct {
	t      *testing.T
	broker string
	name   string
	spec   *spec.Spec
	// sums are the labels of the good views; read is how many records there are of views and likes.
	sums        map[string]float64
	views, like int64
}

// newBeset makes and fills the topics: two partitions each, of which the second has hostile
// records only.
func newBeset(t *testing.T, broker string, format hostile.Format, seed int64, large int) *beset {
	t.Helper()
	t.Logf("seed %d", seed)
	h := &beset{t: t, broker: broker, name: "beset" + fmt.Sprint(time.Now().UnixNano()), sums: map[string]float64{}}
	o := hostile.Options{Format: format, Base: start, Large: large}
	cluster, input := fmt.Sprintf("brokers: [%q]", broker), "format: json"
	switch format {
	case hostile.Avro:
		schema := t.TempDir() + "/event.avsc"
		require.NoError(t, os.WriteFile(schema, []byte(hostile.Schema), 0o600))
		input = "format: avro, schema: " + schema
	case hostile.Registry:
		registry := srfake.New()
		t.Cleanup(registry.Close)
		register := func(subject string, schema sr.Schema) int32 {
			id, _, err := registry.RegisterSchema(subject, schema)
			require.NoError(t, err)
			return int32(id)
		}
		other := func(fields string) sr.Schema {
			return sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"Other","fields":[` + fields + `]}`}
		}
		o.SchemaID = register(h.name+".views-value", sr.Schema{Type: sr.TypeAvro, Schema: hostile.Schema})
		register(h.name+".likes-value", sr.Schema{Type: sr.TypeAvro, Schema: hostile.Schema})
		o.Useless = []int32{
			register("empty", other("")), register("others", other(`{"name":"id","type":"string"}`)),
			register("boolean time", other(`{"name":"id","type":"string"},{"name":"t","type":"boolean"}`)),
			register("no id", other(`{"name":"t","type":"long"}`)), register("id of arrays", other(`{"name":"t","type":"long"},{"name":"id","type":{"type":"array","items":"long"}}`)),
			register("json", sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object"}`}),
			register("refers", sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"Refers","fields":[{"name":"t","type":"Other"}]}`, References: []sr.SchemaReference{{Name: "Other", Subject: "others", Version: 1}}}),
		}
		cluster, input = cluster+fmt.Sprintf(", registry: {url: %q}", registry.URL()), "format: avro"
	default: // JSON
	}
	var err error
	h.spec, err = spec.Parse("beset.yaml", []byte(strings.NewReplacer("CLUSTER", cluster, "INPUT", input, "NAME", h.name).Replace(`
clusters: {main: {CLUSTER}}
views: {inputs: [{topic: NAME.views, INPUT}], id: id, time: {field: t, unit: epoch-millis}}
engagements: {like: {inputs: [{topic: NAME.likes, INPUT}], view: id, time: {field: t, unit: epoch-millis}, id: own, window: 1m, label: {sum: amount}}}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: NAME, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: NAME, format: json}, orphans: {topic: NAME.orphans}}
`)))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), h.spec, topics.CreateOptions{Inputs: true, Partitions: 2, Replicas: 1})
	require.NoError(t, err)
	var views, likes [][]byte
	for i := range 100 {
		id, at := fmt.Sprintf("g%03d", i), start.Add(time.Duration(i)*time.Second)
		views = append(views, hostile.Good(format, o.SchemaID, id, at))
		h.sums[id] = 0
		if i%3 == 0 {
			likes = append(likes, hostile.Good(format, o.SchemaID, id, at.Add(time.Second)), hostile.Good(format, o.SchemaID, id, at.Add(2*time.Second)))
			h.sums[id] = 2
		}
	}
	require.Equal(t, spec.ExactlyOnce, h.spec.Stream.Delivery)
	if format == hostile.JSON { // at the head of a partition
		h.publishBomb(".views")
	}
	h.views += h.publish(".views", hostile.Mix(seed, views, hostile.Records(seed, o)), hostile.Records(seed+100, o))
	h.like = h.publish(".likes", hostile.Mix(seed+1, likes, hostile.Records(seed+200, o)), hostile.Records(seed+300, o))
	return h
}

// publishBomb sends a batch that unpacks a thousandfold.
func (h *beset) publishBomb(topic string) {
	h.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(h.broker), kgo.ProducerBatchMaxBytes(1<<28), kgo.BrokerMaxWriteBytes(1<<29),
		kgo.ProducerBatchCompression(kgo.GzipCompression()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(h.t, err)
	defer client.Close()
	require.NoError(h.t, client.ProduceSync(h.t.Context(), &kgo.Record{Topic: h.name + topic, Value: make([]byte, 130<<20)}).FirstErr())
	h.views++
}

func (h *beset) publish(topic string, partitions ...[]hostile.Record) (n int64) {
	h.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(h.broker), kgo.ProducerBatchMaxBytes(16<<20), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(h.t, err)
	defer client.Close()
	for partition, records := range partitions {
		for _, r := range records {
			result := client.ProduceSync(h.t.Context(), &kgo.Record{Topic: h.name + topic, Partition: int32(partition), Key: r.Key, Value: r.Value})
			if len(r.Key) > 900<<10 && result.FirstErr() != nil {
				continue // a real broker does not take it
			}
			require.NoError(h.t, result.FirstErr(), r.Name)
			n++
		}
	}
	return n
}

// join joins the topics to their ends. The samples of the good views are there, each once, and
// every record is accounted for.
func (h *beset) join(opt Options, run func(*beam.Pipeline)) {
	h.t.Helper()
	opt.Run, opt.Stop, opt.Drain = h.t.Name()+fmt.Sprint(time.Now().UnixNano()), source.Stop{At: source.StopAtEnd}, true
	plan, err := New(h.t.Context(), h.spec, opt)
	require.NoError(h.t, err)
	run(plan.Pipeline())

	sums, samples := map[string]float64{}, int64(0)
	for value, n := range consume(h.t, []string{h.broker}, h.name) {
		var one struct {
			ID     string             `json:"view_id"`
			Labels map[string]float64 `json:"labels"`
		}
		require.NoError(h.t, json.Unmarshal([]byte(value), &one), "%.200s", value)
		require.Equal(h.t, 1, n, one.ID)
		samples++
		if strings.HasPrefix(one.ID, "g") {
			sums[one.ID] = one.Labels["like"]
		}
	}
	require.Equal(h.t, h.sums, sums)

	report, err := Report(h.t.Context(), h.spec)
	require.NoError(h.t, err)
	require.NoError(h.t, report.Accounts.Check())
	v, e := report.Accounts.Views, report.Accounts.Engagements["like"]
	require.Equal(h.t, h.views, v.N[account.Read]+v.N[account.Tombstones])
	require.Equal(h.t, h.like, e.N[account.Read]+e.N[account.Tombstones])
	require.Positive(h.t, v.N[account.Tombstones])
	dead, large := int64(0), int64(0)
	for value := range consume(h.t, []string{h.broker}, h.name+".dead") {
		var one rejected.Record
		require.NoError(h.t, json.Unmarshal([]byte(value), &one), "%.200s", value)
		require.NotEmpty(h.t, one.Detail)
		if one.Role == "samples" {
			large++
			continue
		}
		dead++
	}
	require.Equal(h.t, v.N[account.Dead]+e.N[account.Dead], dead)
	require.Equal(h.t, v.N[account.Samples], samples+large)
	require.Greater(h.t, dead, int64(100))
}
