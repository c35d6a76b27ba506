package spec

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec/problem"
)

// anyMix is every combination that a spec can say.
var anyMix = combinations{mixedInputs: true, filesToTopics: true, topicsToFiles: true, severalSinks: true, mixedOutputs: true}

const (
	viewFiles  = "views: {inputs: views/*.avro, id: view_id, time: ts}\n"
	viewTopic  = "views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}\n"
	likeFiles  = "engagements: {like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}}\n"
	likeTopic  = "engagements: {like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}}\n"
	oneCluster = "clusters: {main: {brokers: \"k:1\"}}\n"
)

// TestShapes: inputs of each role, and each place for samples, are files or topics by
// themselves; the schema takes what the parser takes, and YAML gives each back.
func TestShapes(t *testing.T) {
	schema := compiledSchema(t)
	file := Output{Path: "out/samples", Format: Avro, Codec: Snappy, Folders: FolderOfDay}
	topic := Output{Topic: "samples", Cluster: "main", Format: JSON, Codec: Snappy}
	folders := Outputs{Samples: file, Late: "out/late", DeadLetters: "out/dead", Accounts: "out/ledger"}
	topics := Outputs{Samples: topic, Topics: Topics{
		Late: "samples.late", DeadLetters: "samples.dead", Accounts: "samples.accounts", CommitLog: "samples.ledger", TimeIndex: "samples.marks",
	}}
	both := folders
	both.MoreSamples = []Output{topic, {Path: "out/json", Format: JSON, Codec: Gzip, Folders: FolderOfHour, Compact: 20 * time.Minute}}
	both.Topics = Topics{CommitLog: "samples.ledger", TimeIndex: "samples.marks"}
	apart := both
	apart.Late, apart.Topics.Late = "", "late"
	const (
		toFile  = "outputs: {samples: out/samples}\n"
		toTopic = "outputs: {samples: {topic: samples, format: json}}\n"
		toBoth  = "outputs: {samples: [out/samples, {topic: samples, format: json}, {path: out/json, format: json, codec: gzip, folders: hour, compact: 20m}]}\n"
		toApart = "outputs: {samples: [out/samples, {topic: samples, format: json}, {path: out/json, format: json, codec: gzip, folders: hour, compact: 20m}], late: {topic: late}}\n"
	)
	for name, c := range map[string]struct {
		text    string
		topics  bool
		outputs Outputs
		job     string
	}{
		"files to files":                    {viewFiles + likeFiles + toFile, false, folders, ""},
		"topics to topics":                  {oneCluster + viewTopic + likeTopic + toTopic, true, topics, "samples"},
		"files to topics":                   {oneCluster + viewFiles + likeFiles + toTopic, false, topics, "samples"},
		"topics to files":                   {oneCluster + viewTopic + likeTopic + toFile, true, folders, "samples"},
		"views of files, likes of a topic":  {oneCluster + viewFiles + likeTopic + toFile, true, folders, "samples"},
		"views of a topic, likes of files":  {oneCluster + viewTopic + likeFiles + toTopic, true, topics, "samples"},
		"files to several places":           {oneCluster + viewFiles + likeFiles + toBoth, false, both, "samples"},
		"topics to several places":          {oneCluster + viewTopic + likeTopic + toBoth, true, both, "samples"},
		"with what is late in another sort": {oneCluster + viewTopic + likeTopic + toApart, true, apart, "samples"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parse(rootSection, anyMix, "a feed.yaml", []byte(c.text))
			require.NoError(t, err)
			assert.Empty(t, s.Warnings)
			assert.Equal(t, c.topics, s.ReadsTopics())
			assert.Equal(t, c.outputs.cluster() != "", s.Streams())
			assert.Equal(t, c.outputs, s.Outputs)
			assert.Equal(t, c.job, s.Stream.Name)

			again, err := parse(rootSection, anyMix, "a feed.yaml", s.YAML())
			require.NoError(t, err, "%s", s.YAML())
			assert.Equal(t, bare(*s), bare(*again))
			data, ok := asData(t, []byte(c.text))
			require.True(t, ok)
			assert.NoError(t, schema.Validate(data))
		})
	}
}

// TestShapesAreRefusedWhileNotBuilt: each combination by itself.
func TestShapesAreRefusedWhileNotBuilt(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		drop func(*combinations)
		at   string
	}{
		"mixed inputs":    {oneCluster + viewTopic + likeFiles + "outputs: {samples: {topic: s, format: json}}", func(c *combinations) { c.mixedInputs = false }, "engagements.like.inputs"},
		"files to topics": {oneCluster + viewFiles + likeFiles + "outputs: {samples: {topic: s, format: json}}", func(c *combinations) { c.filesToTopics = false }, "outputs.samples"},
		"topics to files": {oneCluster + viewTopic + likeTopic + "outputs: {samples: out/s}", func(c *combinations) { c.topicsToFiles = false }, "outputs.samples"},
		"several sinks":   {viewFiles + likeFiles + "outputs: {samples: [out/s, out/t]}", func(c *combinations) { c.severalSinks = false }, "outputs.samples.1"},
		"mixed outputs":   {oneCluster + viewTopic + likeTopic + "outputs: {samples: {topic: s, format: json}, late: out/late}", func(c *combinations) { c.mixedOutputs = false }, "outputs.late"},
		"no cluster":      {viewFiles + likeFiles + "outputs: {samples: out/s, late: {topic: late}}", func(*combinations) {}, "outputs.late"},
	} {
		mix := anyMix
		c.drop(&mix)
		_, err := parse(rootSection, mix, "spec.yaml", []byte(c.text))
		var list problem.List
		require.ErrorAs(t, err, &list, name)
		require.Len(t, list, 1, "%s: %v", name, list)
		assert.Equal(t, "T1602", list[0].Code, name)
		assert.Equal(t, c.at, list[0].Field, name)
		if mix != anyMix {
			_, err = parse(rootSection, anyMix, "spec.yaml", []byte(c.text))
			require.NoError(t, err, name)
		}
	}
}

// TestOneTopicNameInTwoClusters: these are two topics.
func TestOneTopicNameInTwoClusters(t *testing.T) {
	s, err := parse(rootSection, anyMix, "spec.yaml", []byte(`clusters: {one: {brokers: "k:1"}, other: {brokers: "k:2"}}
`+viewFiles+likeFiles+"outputs: {samples: [{topic: s, cluster: one, format: json}, {topic: s, cluster: other, format: json}]}"))
	require.NoError(t, err)
	assert.Equal(t, "other", s.Outputs.SampleSinks()[1].Cluster)
}

// TestSeveralSinksDiffer: each place for samples is held against the others.
func TestSeveralSinksDiffer(t *testing.T) {
	for text, want := range map[string]string{
		"[out/s, out/s]":      "T1401",
		"[out/s, out/s/json]": "T1402",
		"[{topic: s, format: json}, {topic: s, format: json}]":               "T1617",
		"[{topic: s, format: json}, {topic: t, cluster: man, format: json}]": "T1604",
		"[{topic: s, format: json}, {topic: likes, format: json}]":           "T1616",
		"[{topic: s, format: json}, {topic: t, registry: true}]":             "T1612",
		"[out/s, views]":      "T1405",
		"[out/s, out/ledger]": "T1401",
	} {
		_, err := parse(rootSection, anyMix, "spec.yaml", []byte(oneCluster+"views: {inputs: views/*.avro, id: view_id, time: ts}\n"+likeTopic+"outputs: {samples: "+text+"}"))
		var list problem.List
		require.ErrorAs(t, err, &list, text)
		assert.Equal(t, []string{want}, codesOf(list), "%s: %v", text, list)
	}
}
