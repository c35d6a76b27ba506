package stream

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/io/fileio"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

const (
	stampSchema = `{"type":"record","name":"Stamp","fields":[{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
	seenSchema  = `{"type":"record","name":"Seen","fields":[{"name":"id","type":"string"},{"name":"at","type":"Stamp"}]}`
)

// newRegistry is a registry without schemas.
func newRegistry(t *testing.T) *srfake.Registry {
	t.Helper()
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	return schemas
}

// registered registers a schema and returns what precedes values with it, and in headers.
func registered(t *testing.T, schemas *srfake.Registry, subject, text string, kind sr.SchemaType, refs ...sr.SchemaReference) (before, header []byte) {
	t.Helper()
	id, version, err := schemas.RegisterSchema(subject, sr.Schema{Schema: text, Type: kind, References: refs})
	require.NoError(t, err)
	found, ok := schemas.GetSchema(subject, version)
	require.True(t, ok)
	guid := uuid.MustParse(found.GUID)
	return binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), append([]byte{1}, guid[:]...)
}

// joinFiles runs a join whose samples are JSON in files below a folder, and returns these and its result.
func joinFiles(t *testing.T, dir, text string) (samples map[string]int, result *report.Report) {
	t.Helper()
	s, err := spec.Parse(dir+"/spec.yaml", []byte(text))
	require.NoError(t, err)
	result, err = batch.Run(t.Context(), s, batch.Options{})
	require.NoError(t, err)
	samples = map[string]int{}
	all, err := fileio.List(t.Context(), dir+"/out/samples/**/*.jsonl")
	require.NoError(t, err)
	for _, file := range all {
		content, err := os.ReadFile(file.Path)
		require.NoError(t, err)
		for _, sample := range strings.Split(strings.TrimSpace(string(content)), "\n") {
			samples[sample]++
		}
	}
	return samples, result
}

// TestSeveralRegistries joins views whose schema refers to another, some with its GUID in a header, with likes of another cluster and another
// registry that are written with a JSON Schema: its ids are other schemas' in the registry of the views. Stream and batch are the same.
func TestSeveralRegistries(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := newRegistry(t), newRegistry(t)
	registered(t, ours, "stamp", stampSchema, sr.TypeAvro)
	before, header := registered(t, ours, "views-shop.Seen", seenSchema, sr.TypeAvro, sr.SchemaReference{Name: "Stamp", Subject: "stamp", Version: 1})
	registered(t, theirs, "other", `{"type":"string"}`, sr.TypeJSON)
	liked, _ := registered(t, theirs, "likes-value", `{"type":"object"}`, sr.TypeJSON)
	require.Equal(t, before, liked)
	other, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(other.Close)
	text := `
clusters:
  default: {brokers: [%q], registry: {url: "` + ours.URL() + `"}}
  other: {brokers: ["` + other.ListenAddrs()[0] + `"], registry: {url: "` + theirs.URL() + `"}}
views: {inputs: [{topic: views, subject: views-shop.Seen}], id: id, time: at.ts}
engagements:
  like: {inputs: [{topic: likes, cluster: other, format: json, registry: true}], view: view, time: {field: ts, unit: epoch-millis}, window: 1m}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`
	s := newSmallOf(t, 1, text)
	likes, err := kgo.NewClient(kgo.SeedBrokers(other.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(likes.Close)
	want := map[string]bool{}
	for i := range 30 {
		id, at := fmt.Sprintf("v%02d", i), start.Add(time.Duration(i)*2*time.Second)
		value := append(append(binary.AppendVarint(nil, int64(len(id))), id...), binary.AppendVarint(nil, at.UnixMilli())...)
		r := &kgo.Record{Topic: "views", Value: append(before[:5:5], value...)}
		if i%2 == 0 {
			r.Value, r.Headers = value, []kgo.RecordHeader{{Key: "__value_schema_id", Value: header}}
		}
		require.NoError(t, s.client.ProduceSync(t.Context(), r).FirstErr())
		if want[id] = i%3 == 0; want[id] {
			require.NoError(t, likes.ProduceSync(t.Context(), &kgo.Record{Topic: "likes", Value: append(liked[:5:5], like(id, time.Duration(i)*2*time.Second)...)}).FirstErr())
		}
	}
	require.NoError(t, likes.ProduceSync(t.Context(), &kgo.Record{Topic: "likes", Value: like("v00", 0)}).FirstErr())
	s.run()
	ofStream := consume(t, s.brokers, "samples")
	ofBatch, _ := joinFiles(t, dir, strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
	require.Equal(t, ofStream, ofBatch)
	got := map[string]bool{}
	for sample := range ofBatch {
		var fields struct {
			ID       string `json:"view_id"`
			Positive bool   `json:"positive"`
		}
		require.NoError(t, json.Unmarshal([]byte(sample), &fields))
		got[fields.ID] = fields.Positive
	}
	require.Equal(t, want, got)
	dead := s.rejected("samples.dead")
	require.Len(t, dead, 1)
	require.Equal(t, "not in the registry's wire format: begins with byte 0x7b, not 0x00", dead[0].Detail)
}

// problemsAtStart are those of a spec whose views are of an input, more is what they have besides; the registry has nothing of its likes.
func problemsAtStart(t *testing.T, kafka *kfake.Cluster, schemas *srfake.Registry, input, more string) (list problem.List) {
	t.Helper()
	s, err := spec.Parse("spec.yaml", []byte(`
clusters: {main: {brokers: ["`+kafka.ListenAddrs()[0]+`"], registry: {url: "`+schemas.URL()+`"}}}
views: {inputs: [`+input+`]`+more+`, id: id, time: ts}
engagements:
  like: {inputs: [{topic: nothing}], view: view, time: ts, window: 1m}
outputs: {samples: {topic: samples, format: json}}
`))
	require.NoError(t, err)
	_, err = New(t.Context(), s, Options{})
	require.ErrorAs(t, err, &list)
	return list
}

// TestRegistryAtStart: what the registry says against a spec is a problem before the job starts, all of it at once.
func TestRegistryAtStart(t *testing.T) {
	schemas := newRegistry(t)
	registered(t, schemas, "json-value", `{"type":"object"}`, sr.TypeJSON)
	registered(t, schemas, "avro-value", stampSchema, sr.TypeAvro)
	registered(t, schemas, "proto-value", `syntax = "proto3"; message M {}`, sr.TypeProtobuf)
	registered(t, schemas, "broken-value", `{"type":"record","name":"R","fields":[{"name":"a","type":"Nobody"}]}`, sr.TypeAvro)
	registered(t, schemas, "union-value", unionSchema, sr.TypeAvro)
	registered(t, schemas, "text-value", `"string"`, sr.TypeAvro)
	plain := t.TempDir() + "/union.avsc"
	require.NoError(t, os.WriteFile(plain, []byte(unionSchema), 0o600))
	registered(t, schemas, "events-shop.View", stampSchema, sr.TypeAvro)
	registered(t, schemas, "events-shop.Like", stampSchema, sr.TypeAvro)
	registered(t, schemas, "events-key", stampSchema, sr.TypeAvro)
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "samples"))
	require.NoError(t, err)
	t.Cleanup(kafka.Close)
	for _, tt := range []struct {
		name, input, code, message string
		allowed                    []string
		hint                       string
	}{
		{"JSON Schema for Avro", "{topic: json}", "T1631", "subject json-value has a schema of type JSON, and format avro takes AVRO", nil, "write `format: json` and `registry: true`"},
		{"Avro for JSON Schema", "{topic: avro, format: json, registry: true}", "T1631", "subject avro-value has a schema of type AVRO, and format json takes JSON", nil, "write `format: avro` and `registry: true`"},
		{"Protobuf", "{topic: proto}", "T1631", "subject proto-value has a schema of type PROTOBUF, and format avro takes AVRO", nil, "write `format: protobuf` and `registry: true`"},
		{"Avro for Protobuf", "{topic: avro, format: protobuf}", "T1631", "subject avro-value has a schema of type AVRO, and format protobuf takes PROTOBUF", nil, "write `format: avro`"},
		{"no subject of the topic", "{topic: events}", "T1632", "the registry has no schema of subject events-value", []string{"events-shop.Like", "events-shop.View"}, "name the subject that has the schema of the values of topic events, as `subject: NAME`"},
		{"another that is not there", "{topic: views, subject: shop.View}", "T1632", "the registry has no schema of subject shop.View", []string{"avro-value", "broken-value", "events-key", "events-shop.Like", "events-shop.View", "json-value", "proto-value", "text-value", "union-value"}, ""},
		{"a union", "{topic: union}", "T1636", "subject union-value is a union of several records, and an input takes those of one", []string{"shop.View", "shop.Buy", "shop.Page"}, "say which, like `where: {$type: shop.View}`"},
		{"a union beside the registry", "{topic: union, registry: true, schema: " + plain + "}", "T1636", "schema " + plain + " is a union of several records, and an input takes those of one", []string{"shop.View", "shop.Buy", "shop.Page"}, "say which"},
		{"no record", "{topic: text}", "T1636", "subject text-value is of type string, and no record", nil, ""},
		{"of a type that nobody defines", "{topic: broken}", "T1633", `subject broken-value: schema id 4: parse Avro schema: a: unknown type "Nobody"`, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := problemsAtStart(t, kafka, schemas, tt.input, "")
			require.Len(t, list, 2)
			require.Equal(t, tt.code, list[0].Code)
			require.Equal(t, tt.message, list[0].Message)
			require.Equal(t, tt.allowed, list[0].Allowed)
			require.Contains(t, list[0].Hint, tt.hint)
			require.Equal(t, "views.inputs.0", list[0].Field)
			require.Equal(t, 3, list[0].Line)
			require.Equal(t, "T1632", list[1].Code)
		})
	}
}

// TestTypeAtStart: a type that no record of the subject's schema is of is a problem before the job starts: all would be filtered.
func TestTypeAtStart(t *testing.T) {
	schemas := newRegistry(t)
	registered(t, schemas, "avro-value", stampSchema, sr.TypeAvro)
	registered(t, schemas, "union-value", unionSchema, sr.TypeAvro)
	registered(t, schemas, "json-value", `{"type":"object","title":"View"}`, sr.TypeJSON)
	registered(t, schemas, "untitled-value", `{"type":"object"}`, sr.TypeJSON)
	registered(t, schemas, "both-value", `{"type":"object","title":"View"}`, sr.TypeJSON)
	registered(t, schemas, "both-value", `{"type":"object","title":"Like"}`, sr.TypeJSON)
	registered(t, schemas, "proto-value", `syntax = "proto3"; package shop; message View { message Inner {} map<string, string> m = 1; } message Like {}`, sr.TypeProtobuf)
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "samples"))
	require.NoError(t, err)
	t.Cleanup(kafka.Close)
	for _, tt := range []struct {
		name, input, where string
		allowed            []string // nil if nothing is wrong
		hint               string
	}{
		{"Avro", "{topic: avro}", "{$type: Stump}", []string{"Stamp"}, "name the subject of that type"},
		{"Avro, as it is called", "{topic: avro}", "{$type: Stamp}", nil, ""},
		{"a record of a union", "{topic: union}", "{$type: shop.Buy}", nil, ""},
		{"none of a union", "{topic: union}", "{$type: shop.Veiw}", []string{"shop.View", "shop.Buy", "shop.Page"}, "name the subject of that type"},
		{"one of several", "{topic: avro}", `'$type in ["shop.Old", "Stamp"]'`, nil, ""},
		{"none of several", "{topic: avro}", `'$type in ["shop.Old", "shop.New"] && ts > 0'`, []string{"Stamp"}, "name the subject of that type"},
		{"JSON Schema", "{topic: json, format: json, registry: true}", "{$type: view}", []string{"View"}, "name the subject of that type"},
		{"JSON Schema, as it is called", "{topic: json, format: json, registry: true}", "{$type: View}", nil, ""},
		{"of an older version", "{topic: both, format: json, registry: true}", "{$type: View}", nil, ""},
		{"of no version", "{topic: both, format: json, registry: true}", "{$type: Veiw}", []string{"Like", "View"}, "name the subject of that type"},
		{"no title", "{topic: untitled, format: json, registry: true}", "{$type: View}", []string{}, "no version of the schema has a title"},
		{"Protobuf", "{topic: proto, format: protobuf}", "{$type: View}", []string{"shop.View", "shop.View.Inner", "shop.Like"}, "name the subject of that type"},
		{"Protobuf, declared in another", "{topic: proto, format: protobuf}", "{$type: shop.View.Inner}", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := problemsAtStart(t, kafka, schemas, tt.input, ", where: "+tt.where)
			list = slices.DeleteFunc(list, func(p problem.Problem) bool { return p.Code == "T1632" }) // of likes
			if tt.allowed == nil {
				require.Empty(t, list)
				return
			}
			require.Len(t, list, 1)
			require.Equal(t, "T1460", list[0].Code)
			require.Equal(t, "views.where", list[0].Field)
			require.ElementsMatch(t, tt.allowed, list[0].Allowed)
			require.Contains(t, list[0].Hint, tt.hint)
		})
	}
}
