package stream

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/runners/devcluster/services"
	"tributary/runners/devcluster/servicestest"
)

//go:embed testdata/serialize.py
var serialize string

// serializers is a Python with the serializers of Confluent's client.
func serializers(t *testing.T) (python string) {
	t.Helper()
	at, err := services.Service{Name: "serializers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	return string(at)
}

// serialized are the records that a script has written, a line of JSON each.
func serialized(t *testing.T, python, script string, args ...string) (records []*kgo.Record) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-c", script}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(t, err, said.String())
	for line := range strings.Lines(string(out)) {
		var one struct {
			Topic, Value string
			Headers      [][2]string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &one), line)
		r := &kgo.Record{Topic: one.Topic}
		r.Value, err = hex.DecodeString(one.Value)
		require.NoError(t, err)
		for _, h := range one.Headers {
			value, err := hex.DecodeString(h[1])
			require.NoError(t, err)
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: value})
		}
		records = append(records, r)
	}
	return records
}

// TestOthersSerialize joins what the serializers of Confluent's client have written by a registry that runs: Avro whose schema refers to
// another, JSON Schema, and a nested message of Protobuf; and Avro with a GUID in a header, by a registry in this process, since the one that
// runs knows no GUIDs. Stream and batch are the same.
func TestOthersSerialize(t *testing.T) {
	_, at := servicestest.Start(t, "registry")
	python := serializers(t)
	fake := newRegistry(t)
	dir := t.TempDir()
	text := `
clusters:
  default: {brokers: [%[1]q], registry: {url: "` + string(at) + `"}}
  other: {brokers: [%[1]q], registry: {url: "` + fake.URL() + `"}}
views: {inputs: [{topic: views}], id: id, time: at.ts}
engagements:
  like: {inputs: [{topic: likes, format: json, registry: true}], view: view, time: {field: ts, unit: epoch-millis}, window: 1m}
  buy: {inputs: [{topic: buys, format: protobuf}], view: view, time: at, window: 1m, label: {max: cents}}
  share: {inputs: [{topic: shares, cluster: other}], view: view, time: ts, window: 1m}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`
	s := newSmallOf(t, 1, text)
	headers := 0
	for _, r := range serialized(t, python, serialize, string(at), fake.URL(), fmt.Sprint(start.UnixMilli())) {
		headers += len(r.Headers)
		require.NoError(t, s.client.ProduceSync(t.Context(), r).FirstErr())
	}
	require.Equal(t, 8, headers)
	require.NoError(t, s.client.ProduceSync(t.Context(), &kgo.Record{
		Topic: "views", Value: []byte{0}, Headers: []kgo.RecordHeader{{Key: "__value_schema_id", Value: bytes.Repeat([]byte{1}, 17)}},
	}).FirstErr())
	s.run()
	dead := s.rejected("samples.dead")
	require.Len(t, dead, 1)
	require.Contains(t, dead[0].Detail, "the registry does not know schemas by GUIDs")
	ofStream := consume(t, s.brokers, "samples")
	ofBatch, _ := joinFiles(t, dir, strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
	require.Equal(t, ofStream, ofBatch)

	want, got := map[string]map[string]float64{}, map[string]map[string]float64{}
	for i := range 40 {
		labels := map[string]float64{"like": 0, "buy": 0, "share": 0}
		if i%2 == 0 {
			labels["like"] = 1
		}
		if i%3 == 0 {
			labels["buy"] = float64(i)
		}
		if i%5 == 0 {
			labels["share"] = 1
		}
		want[fmt.Sprint("v", i)] = labels
	}
	want["v0"]["buy"] = 1 << 53
	for sample := range ofStream {
		var one struct {
			ID     string             `json:"view_id"`
			Labels map[string]float64 `json:"labels"`
		}
		require.NoError(t, json.Unmarshal([]byte(sample), &one), sample)
		got[one.ID] = one.Labels
	}
	require.Equal(t, want, got)
}
