package stream

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// TestFieldsOfTopics: the schema of a topic is held against the spec before the job starts, and
// its aliases find fields in records of older schemas.
func TestFieldsOfTopics(t *testing.T) {
	dir := t.TempDir()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	file := func(name, text string) {
		require.NoError(t, os.WriteFile(dir+"/"+name, []byte(text), 0o600))
	}
	file("view.avsc", `{"type":"record","name":"V","fields":[{"name":"id","aliases":["view_id"],"type":"string"},
		{"name":"ts","aliases":["at"],"type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"n","type":"long"}]}`)
	plan := func(views, like string) (*Plan, error) {
		s, err := spec.Parse(dir+"/spec.yaml", []byte(`
clusters: {main: {brokers: ["`+fake.ListenAddrs()[0]+`"]}}
views: {inputs: [{topic: views, registry: false, schema: view.avsc}], id: id, time: `+views+`}
engagements:
  like: {inputs: [{topic: likes, registry: false, schema: view.avsc}], view: id, time: `+views+`, window: 1m`+like+`}
outputs: {samples: {topic: samples}}
`))
		require.NoError(t, err)
		_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 1, Replicas: 1})
		require.NoError(t, err)
		return New(t.Context(), s, Options{})
	}
	p, err := plan("ts", ", label: {sum: n}")
	require.NoError(t, err)
	require.Equal(t, []string{"at"}, p.reading.Topics[0].Time.Others)
	require.Equal(t, map[string][]string{"id": {"view_id"}, "ts": {"at"}}, p.params.Inputs[1].Others)
	for _, c := range []struct{ views, like, code, field string }{
		{"tss", "", "T2003", "views.time"},
		{"n", "", "T2006", "views.time"},
		{"ts", ", label: {sum: amount}", "T2003", "engagements.like.label.sum"},
		{"ts", ", id: event_id", "T2003", "engagements.like.id"},
		{"ts", ", where: {kind: x}", "T2003", "engagements.like.where.kind"},
		{"ts, where: {kind: x}", "", "T2003", "views.where.kind"},
	} {
		_, err := plan(c.views, c.like)
		var list problem.List
		require.ErrorAs(t, err, &list, c.field)
		require.Equal(t, c.code, list[0].Code)
		require.Equal(t, c.field, list[0].Field)
		require.Contains(t, list[0].Message, "topic ")
	}
}
