package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/label"
)

func TestLoadExample(t *testing.T) {
	s, err := Load("../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	assert.Empty(t, s.Warnings)

	folder := "../../testdata/specs/"
	assert.EqualValues(t, 3, s.Version)
	require.Len(t, s.Views.Inputs, 3)
	assert.Equal(t, Input{
		Path: folder + "log/views/*.avro", Format: Avro, Order: OrderField, PartitionField: "log.partition", OffsetField: "log.offset",
		At: problem.Position{File: folder + "feed.yaml", Line: 10, Column: 7},
	}, s.Views.Inputs[2])
	assert.Equal(t, JSON, s.Views.Inputs[1].Format)
	assert.Equal(t, folder+"view.avsc", s.Views.Inputs[1].Schema)
	assert.Equal(t, 30*time.Second, s.Views.DedupWindow)

	var kinds []string
	for _, e := range s.Engagements {
		kinds = append(kinds, e.Kind)
	}
	assert.Equal(t, []string{"dwell", "like", "reply", "share"}, kinds, "sorted")
	dwell := s.Engagement("dwell")
	assert.Equal(t, Label{Func: label.Max, Field: "seconds"}, dwell.Label)
	assert.Equal(t, &TimeField{Field: "view_ts"}, dwell.ViewTime)
	assert.Equal(t, []Condition{{"kind", "dwell", TextCondition}}, dwell.Where.Conditions)
	assert.Equal(t, TimeField{Field: "at", Unit: record.UnitSeconds}, s.Engagement("share").Time)
	assert.Equal(t, CountFirst, s.Engagement("reply").Count)
	assert.Nil(t, s.Engagement("click"))
	assert.Equal(t, time.Hour, s.LongestWindow())

	assert.Equal(t, Outputs{
		Samples: Output{Path: folder + "out/samples", Format: Avro, Codec: Zstandard, Folders: FolderOfDay},
		Late:    folder + "out/late", DeadLetters: folder + "out/dead", Orphans: folder + "out/orphans", Accounts: folder + "out/ledger",
	}, s.Outputs)
	require.Len(t, s.Tests, 6)
	first := s.Tests[0]
	assert.Equal(t, "a like inside the window", first.Name)
	assert.Equal(t, []map[string]any{{"view_id": "v1", "ts": "2026-01-01T10:00:00Z", "item": int64(7)}}, first.Views)
	assert.Equal(t, map[string]any{"like": int64(300000), "share": nil}, first.Samples[0]["delay_ms"])
	require.Len(t, first.SamplesAt, 1)
	assert.Equal(t, first.At.Line+5, first.SamplesAt[0].Line)
}

func TestDefaults(t *testing.T) {
	s, err := Parse("specs/spec.yaml", corpus(t, "good")["minimal"])
	require.NoError(t, err)
	assert.EqualValues(t, 1, s.Version)
	assert.Equal(t, "specs/views/*.avro", s.Views.Inputs[0].Path)
	assert.Equal(t, OrderNone, s.Views.Inputs[0].Order)
	assert.Equal(t, 10*time.Second, s.Views.DedupWindow)
	assert.Equal(t, time.Minute, s.OutOfOrderness)
	assert.Zero(t, s.ClockSkew)
	assert.Equal(t, 5*time.Minute, s.Bucket)
	assert.Equal(t, 16, s.Shards)
	assert.Equal(t, 1.0, s.Keep)
	like := s.Engagements[0]
	assert.Equal(t, Label{Func: label.Binary}, like.Label)
	assert.Equal(t, CountAll, like.Count)
	assert.Equal(t, Outputs{
		Samples: Output{Path: "specs/out/samples", Format: Avro, Codec: Snappy, Folders: FolderOfDay},
		Late:    "specs/out/late", DeadLetters: "specs/out/dead", Accounts: "specs/out/ledger",
	}, s.Outputs)
}

func TestDefaultBucket(t *testing.T) {
	for _, c := range []struct{ window, want string }{
		{"30m", "5m"},
		{"1h", "10m"},
		{"1d", "4h"},
		{"7d", "1d"},
		{"30d", "1d"},
		{"10m", "1m40s"},
		{"7s", "1s"},
		{"1s", "1s"},
		{"100ms", "1s"},
		{"2500ms", "1s"},
		{"61s", "10s"},  // a prime: nothing near ten divides it
		{"100s", "20s"}, // 17 does not divide 100; 20 is nearer than 10
		{"105s", "15s"}, // 15 and 21 are as near to 18: the shorter
	} {
		window, err := ParseDuration(c.window)
		require.NoError(t, err)
		got := defaultBucket(window, 6)
		assert.Equal(t, c.want, FormatDuration(got), "window %s", c.window)
	}
}

// TestPathsAreTakenFromTheSpecsFolder: also when that folder has a name that would be
// a pattern.
func TestPathsAreTakenFromTheSpecsFolder(t *testing.T) {
	content := []byte(`
views: {inputs: [a.avro, /b/*.avro, "gs://shop/c.avro", ../d.avro], id: view_id, time: ts}
engagements: {like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}}
outputs: {samples: "gs://shop/out/samples", late: late}
`)
	s, err := Parse("data[1]/spec.yaml", content)
	require.NoError(t, err)
	var paths []string
	for _, in := range s.Views.Inputs {
		paths = append(paths, in.Path)
	}
	assert.Equal(t, []string{`data\[1\]/a.avro`, "/b/*.avro", "gs://shop/c.avro", "d.avro"}, paths)
	assert.Equal(t, "gs://shop/out/dead", s.Outputs.DeadLetters)
	assert.Equal(t, "data[1]/late", s.Outputs.Late)
}

func TestPositionsForLaterProblems(t *testing.T) {
	s, err := Parse("spec.yaml", []byte(`views:
  inputs: [views/*.avro]
  id: view_id
  time: ts
engagements: {like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}}
outputs: {samples: out/samples}
`))
	require.NoError(t, err)
	at := func(path ...string) string { return s.At(path...).String() }
	assert.Equal(t, "spec.yaml:3:3", at("views", "id"))
	assert.Equal(t, "spec.yaml:2:12", at("views", "inputs", "0"))
	assert.Equal(t, "spec.yaml:5:69", at("engagements", "like", "window"))
	assert.Equal(t, "spec.yaml:5:15", at("engagements", "like", "label"), "not in the file: its kind")
	assert.Equal(t, "spec.yaml:1:1", at("shards"), "not in the file: the file")
	assert.True(t, s.IsSet("views", "id"))
	assert.False(t, s.IsSet("shards"))

	p := s.Problem("T2003", "the files have no field view_id", "views", "id")
	p.Allowed = []string{"id", "ts"}
	assert.Equal(t, `spec.yaml:3:7: T2003 views.id: the files have no field view_id
    3 |   id: view_id
      |       ^^^^^^^
  allowed: id, ts`, p.Error())
}

func TestLoadOfWhatIsNoSpec(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, size int) string {
		file := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(file, []byte(strings.Repeat(strings.Repeat("#", 63)+"\n", size/64+1)[:size]), 0o600))
		return file
	}
	many := filepath.Join(folder, "many.yaml")
	require.NoError(t, os.WriteFile(many, []byte(strings.Repeat("#\n", maxLines+1)), 0o600))
	for _, c := range []struct{ name, file, code, near string }{
		{"no file", filepath.Join(folder, "fed.yaml"), "T1000", write("feed.yaml", 1)},
		{"a folder", folder, "T1000", ""},
		{"too large", write("large.yaml", maxBytes+1), "T1004", ""},
		{"too many lines", many, "T1004", ""},
		{"as large as may be", write("largest.yaml", maxBytes), "T1012", ""},
		{"empty", write("empty.yaml", 0), "T1012", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(c.file)
			var list problem.List
			require.True(t, errors.As(err, &list), "%v", err)
			require.Len(t, list, 1)
			assert.Equal(t, c.code, list[0].Code)
			assert.Equal(t, c.file, list[0].File)
			assert.Equal(t, c.near, list[0].Nearest)
		})
	}
}

// TestNoSecretIsPrinted: whatever else is wrong in the line of a secret.
func TestNoSecretIsPrinted(t *testing.T) {
	for _, url := range []string{"gs://me:canary@shop/a.avro", "gs://canary@shop/a.avro", "s3://k:canary@b/x", "gs://shop/a.avro?x-goog-signature=canary&y=1", "gs://shop/a?token=canary"} {
		for _, line := range []string{
			"views: {inputs: \"%s\", idd: view_id, tme: ts}",
			"views: {inputs: [{path: \"%s\", schema: \"%s\", ordr: 1}], id: \"%s\", time: ts}",
			"outputs: {samples: \"%s\", lat: 1}\nshards: \"%s\"",
			"views: {inputs: \"%s",
			"engagements: {\"%s\": {inputs: \"%s\", window: \"%s\", where: {\"%s\": [1]}, label: \"%s\", count: \"%s\"}}",
			"tests: [{name: x, views: [{\"%s\": 1}], engagements: {\"%s\": []}, samples: [{view_id: \"%s\", \"%s\": 1}]}]",
			"\"%s\": 1\nnegatives: {keep: \"%s\"}\nversion: \"%s\"",
		} {
			text := completed(strings.ReplaceAll(line, "%s", url))
			list := problemsOf(t, text)
			asJSON, err := json.Marshal(list)
			require.NoError(t, err)
			printed := list.Error() + string(asJSON)
			assert.NotContains(t, printed, "canary", text)
		}
	}
}

// TestNoPasswordIsPrinted: however it is written, whatever else is wrong around it.
func TestNoPasswordIsPrinted(t *testing.T) {
	head := "clusters:\n  main:\n    brokers: k:1\n    tls: maybe\n"
	for _, text := range []string{
		head + "    sasl: {mechanism: plain, user: u, password: canary, passwort: 1}",
		head + "    sasl: {mechanism: plain, user: u, password: \"canary, }can\\x61ry\", x: 1}",
		head + "    sasl: {mechanism: plain, user: u, 'password': 'canary', x: 1",
		head + "    sasl: {mechanism: plain, user: u, password: canary",
		head + "    sasl:\n      password: it is, in } fact {a canary\n      x: 1",
		head + "    sasl:\n      password:\n        canary\n      x: 1",
		head + "    sasl:\n      password:\n        \"x canary\n        canary\"\n      x: 1",
		head + "    sasl:\n      password: |\n        canary\n        canary\n      x: 1",
		head + "    sasl:\n      password: >-\n\n        canary\n        x: canary\n      x: [",
		head + "    password: canary\n    brokers: [x]",
		head + "password: canary\n" + "x: 1",
		head + "    sasl: {user: u, password: [canary]}",
		head + "    sasl: {user: u, password: {env: canary-1, file: x}}",
		head + "    sasl: {user: u, password: {env: canary-1}}",
		head + "    sasl: {user: u, password: {env: \"$canary\"}}",
		head + "    sasl_jaas_config: 'org.x.PlainLoginModule required username=\"u\" password=\"canary\";'",
		head + "    registry: {url: \"http://u:canary@r\", password: canary, x: 1}",
		"clusters: {main: {brokers: [\"u:canary@k:1\"], x: 1}}",
		"clusters: {main: {brokers: \"k:1\", tls: {key: \"-----BEGIN canary\", x: 1}}}",
		head + "    sasl:\n      token: canary\n      client_secret: canary\n      api_key: canary",
	} {
		list := problemsOf(t, completed(text))
		require.NotEmpty(t, list, text)
		asJSON, err := json.Marshal(list)
		require.NoError(t, err)
		assert.NotContains(t, strings.ToLower(list.Error()+string(asJSON)), "canary", text)
	}
}

// TestUnquotedBrokers: in brackets within braces, too, where parsers differ.
func TestUnquotedBrokers(t *testing.T) {
	for _, brokers := range []string{"{brokers: [k-1:9092, k-2.x:1]}", "\n    brokers: [k-1:9092, k-2.x:1]", "\n    brokers:\n    - k-1:9092\n    - k-2.x:1", "{brokers: [k-1:9092 , \"k-2.x:1\"]}"} {
		s, err := Parse("spec.yaml", []byte("clusters:\n  main: "+brokers+"\n"+topics))
		require.NoError(t, err, brokers)
		assert.Equal(t, []string{"k-1:9092", "k-2.x:1"}, s.Clusters[0].Brokers)
	}
}

func TestLoadStream(t *testing.T) {
	s, err := Load("../../testdata/specs/stream.yaml")
	require.NoError(t, err)
	assert.Empty(t, s.Warnings)
	assert.True(t, s.Streams())
	require.Len(t, s.Clusters, 1)
	assert.Equal(t, Cluster{
		Name: "main", Brokers: []string{"kafka-1:9093", "kafka-2:9093", "kafka-3:9093"}, TLS: &TLS{CA: "/etc/kafka/ca.pem"},
		SASL:     &SASL{Mechanism: "scram-sha-512", User: Secret{Text: "tributary"}, Password: Secret{Env: "KAFKA_PASSWORD"}},
		Registry: &Registry{URLs: []string{"https://registry:8081"}},
	}, s.Clusters[0])
	views := s.Views.Inputs[0]
	views.At = problem.Position{}
	assert.Equal(t, Input{Topic: "views", Cluster: "main", Format: Avro, Registry: true}, views)
	purchase := s.Engagement("purchase").Inputs[0]
	assert.Equal(t, JSON, purchase.Format)
	assert.False(t, purchase.Registry)
	assert.True(t, purchase.Ordered())
	assert.Equal(t, Stream{
		Name: "feed", Group: "feed", Start: Start{From: StartEarliest}, IdleTimeout: 5 * time.Minute, MaxFutureSkew: 10 * time.Minute, SourceParallelism: 6,
		OnOffsetOutOfRange: OutOfRangeFails, Delivery: ExactlyOnce, TransactionTimeout: time.Minute,
	}, s.Stream)
	assert.Equal(t, Outputs{
		Samples: Output{Topic: "samples", Cluster: "main", Registry: true, Format: Avro, Codec: Lz4},
		Topics:  Topics{Late: "samples.late", DeadLetters: "samples.dead", Orphans: "samples.orphans", CommitLog: "samples.ledger", TimeIndex: "samples.marks", Accounts: "samples.accounts"},
	}, s.Outputs)
}

func TestStreamDefaults(t *testing.T) {
	parse := func(text string) *Spec {
		t.Helper()
		s, err := Parse("spec.yaml", []byte("clusters: {main: {brokers: \"k:1\"}}\n"+text))
		require.NoError(t, err)
		return s
	}
	s := parse(topics)
	assert.Equal(t, Stream{
		Name: "samples", Group: "samples", Start: Start{From: StartEarliest}, IdleTimeout: time.Minute, MaxFutureSkew: time.Minute, SourceParallelism: 4,
		OnOffsetOutOfRange: OutOfRangeFails, Delivery: ExactlyOnce, TransactionTimeout: time.Minute,
	}, s.Stream)
	assert.Equal(t, 5*time.Minute, parse("out_of_orderness: 5m\n"+topics).Stream.IdleTimeout, "no shorter than the disorder")
	assert.Zero(t, parse("stream: {idle_timeout: never}\n"+topics).Stream.IdleTimeout)
	assert.Zero(t, parse("stream: {max_future_skew: never}\n"+topics).Stream.MaxFutureSkew)
	assert.Equal(t, "a", parse("stream: {name: a}\n"+topics).Stream.Group)
	once := parse("stream: {delivery: at_least_once, start: 2026-01-02T03:04:05+01:00}\n" + topics)
	assert.Empty(t, once.Outputs.Topics.CommitLog, "only transactions need one")
	framed, err := Parse("spec.yaml", []byte("clusters: {main: {brokers: \"k:1\", registry: {url: \"http://r\"}}}\n"+
		"views: {inputs: [{topic: a}, {topic: b, schema: v.avsc}, {topic: c, format: json}], id: id, time: ts}\n"+outTopics))
	require.NoError(t, err)
	for i, want := range []bool{true, false, false} {
		assert.Equal(t, want, framed.Views.Inputs[i].Registry, "the registry is asked for avro without a schema: input %d", i)
	}
	assert.Equal(t, Start{From: StartAtTime, Time: time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)}, once.Stream.Start)
}

// TestEndlessProblems: a file that is no spec at all is answered soon, and not at
// greater length than anybody reads.
func TestEndlessProblems(t *testing.T) {
	var text strings.Builder
	for i := range maxLines / 2 {
		fmt.Fprintf(&text, "k%d: 1\n", i)
	}
	list := problemsOf(t, text.String())
	assert.Len(t, list, mostProblems+1)
	last := list[len(list)-1]
	assert.Equal(t, "T1004", last.Code)
	assert.Regexp(t, `^[0-9]+ more problems are not listed$`, last.Message)
}

func TestMillis(t *testing.T) {
	for _, c := range []struct {
		unit record.Unit
		v    any
		want int64
	}{
		{record.UnitAuto, "2026-01-01T10:00:00.5Z", 1767261600500},
		{record.UnitSeconds, "2026-01-01T10:00:00Z", 1767261600000},
		{record.UnitSeconds, int64(1767261600), 1767261600000},
		{record.UnitSeconds, 1767261600.25, 1767261600250},
		{record.UnitSeconds, "1767261600", 1767261600000},
		{record.UnitMicros, int64(1767261600000001), 1767261600000},
	} {
		ms, err := TimeField{Unit: c.unit}.Millis(c.v)
		require.NoError(t, err, "%v as %s", c.v, c.unit)
		assert.Equal(t, c.want, ms)
	}
	for _, v := range []any{nil, true, "soon", int64(5), []any{}} {
		_, err := TimeField{}.Millis(v)
		assert.Error(t, err, "%v", v)
	}
}

// TestSettingsAreWhatMatters: a key that means nothing beside the others has no line.
func TestSettingsAreWhatMatters(t *testing.T) {
	s, err := Parse("spec.yaml", corpus(t, "good")["minimal"])
	require.NoError(t, err)
	var keys []string
	for _, setting := range s.Settings() {
		keys = append(keys, setting.Key)
	}
	assert.Contains(t, keys, "engagements.like.label")
	assert.Contains(t, keys, "outputs.orphans", "which are only counted")
	for _, key := range []string{"engagements.like.on_bad_value", "outputs.commit_log", "outputs.time_index", "stream.name", "tests"} {
		assert.NotContains(t, keys, key)
	}
}
