package stream

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/fileio"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
)

// TestFieldsOfKafka joins views and likes that are told by what Kafka has beside their values: keys, timestamps, headers, partitions and offsets. The stream
// and the batch of the topics give the same samples, with the labels that a join of plain files gives in which all that stands in the records.
func TestFieldsOfKafka(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) { require.NoError(t, os.WriteFile(dir+"/"+name, []byte(text), 0o600)) }
	write("view.avsc", `{"type":"record","name":"V","fields":[{"name":"n","type":"long"}]}`)
	text := `
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: avro, registry: false, schema: ` + dir + `/view.avsc}], where: {$headers.kind: page}, id: $key, time: $timestamp}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: $headers.view, id: [$partition, $offset], time: $timestamp, window: 1m, label: {sum: $headers.price}}
  last: {inputs: [{topic: likes, format: json}], where: {$partition: 1}, view: [$headers.view], view_time: {field: $headers.seen, unit: epoch-millis}, time: $timestamp, window: 1m, label: {max: $offset}}
  tag: {inputs: [{topic: likes, format: json}], each: tags, view: $headers.view, id: [$partition, $offset, $index], time: $timestamp, window: 1m, label: {sum: tags}}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`
	s := newSmallOf(t, 2, text)
	publish := func(r *kgo.Record) *kgo.Record {
		require.NoError(t, s.client.ProduceSync(t.Context(), r).FirstErr())
		return r
	}
	header := func(key string, value any) kgo.RecordHeader {
		return kgo.RecordHeader{Key: key, Value: []byte(fmt.Sprint(value))}
	}
	var views, likes strings.Builder
	for i := range 60 {
		id, at, kind := fmt.Sprintf("v%02d", i), start.Add(time.Duration(i)*2*time.Second), []string{"page", "ad", "page"}[i%3]
		publish(&kgo.Record{
			Topic: "views", Key: []byte(id), Timestamp: at, Value: binary.AppendVarint(nil, int64(i)),
			Headers: []kgo.RecordHeader{header("kind", "not the last of them"), header("kind", kind)},
		})
		fmt.Fprintf(&views, `{"id":%q,"ts":%d,"kind":%q}`+"\n", id, at.UnixMilli(), kind)
		for k := range i % 4 { // of one key, and so in one partition
			liked := at.Add(time.Duration(k) * 500 * time.Millisecond)
			r := publish(&kgo.Record{
				Topic: "likes", Key: []byte(fmt.Sprint(i % 7)), Timestamp: liked, Value: fmt.Appendf(nil, `{"tags":[%d,%d]}`, i, i),
				Headers: []kgo.RecordHeader{header("view", id), header("price", k*i), header("seen", at.UnixMilli())},
			})
			fmt.Fprintf(&likes, `{"view":%q,"ts":%d,"seen":%d,"price":%d,"partition":%d,"offset":%d,"tags":[%d,%d]}`+"\n", id, liked.UnixMilli(), at.UnixMilli(), k*i, r.Partition, r.Offset, i, i)
		}
	}
	at := start.Add(time.Minute)
	page := []kgo.RecordHeader{header("kind", "page")}
	publish(&kgo.Record{Topic: "views", Timestamp: at, Value: []byte{2}, Headers: page})                      // without a key
	publish(&kgo.Record{Topic: "views", Key: []byte{0xff}, Timestamp: at, Value: []byte{2}, Headers: page})   // no text
	publish(&kgo.Record{Topic: "views", Key: []byte("cut"), Timestamp: at, Value: []byte{}, Headers: page})   // no record
	lost := publish(&kgo.Record{Topic: "likes", Timestamp: at, Value: []byte(`{"$headers":{"view":"v01"}}`)}) // a field of the value is another
	s.run()
	ofStream := consume(t, s.brokers, "samples")

	run := func(text string) (samples []string) {
		files, err := spec.Parse(dir+"/spec.yaml", []byte(text))
		require.NoError(t, err)
		_, err = batch.Run(t.Context(), files, batch.Options{})
		require.NoError(t, err)
		all, err := fileio.List(t.Context(), dir+"/out/samples/**/*.jsonl")
		require.NoError(t, err)
		for _, file := range all {
			content, err := os.ReadFile(file.Path)
			require.NoError(t, err)
			samples = append(samples, strings.Split(strings.TrimSpace(string(content)), "\n")...)
		}
		require.NoError(t, os.RemoveAll(dir+"/out"))
		return samples
	}
	ofBatch := run(strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
	require.Len(t, ofBatch, 40)
	got := map[string]int{}
	for _, sample := range ofBatch {
		got[sample]++
	}
	require.Equal(t, ofStream, got)

	// In files all that stands in the records.
	write("views.jsonl", views.String())
	write("likes.jsonl", likes.String())
	plain := run(`
views: {inputs: views.jsonl, where: {kind: page}, id: id, time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: likes.jsonl, view: view, id: [partition, offset], time: {field: ts, unit: epoch-millis}, window: 1m, label: {sum: price}}
  last: {inputs: likes.jsonl, where: {partition: 1}, view: view, view_time: {field: seen, unit: epoch-millis}, time: {field: ts, unit: epoch-millis}, window: 1m, label: {max: offset}}
  tag: {inputs: likes.jsonl, each: tags, view: view, id: [partition, offset, $index], time: {field: ts, unit: epoch-millis}, window: 1m, label: {sum: tags}}
out_of_orderness: 5s
bucket: 1m
outputs: {samples: {path: out/samples, format: json}}
`)
	without := func(samples []string) (out []string) {
		for _, sample := range samples {
			var fields map[string]any
			require.NoError(t, json.Unmarshal([]byte(sample), &fields))
			out = append(out, fmt.Sprint(fields["view_id"], fields["view_time"], fields["positive"], fields["labels"]))
		}
		return out
	}
	require.ElementsMatch(t, without(plain), without(ofBatch))

	var details []string
	for letter := range consume(t, s.brokers, "samples.dead") {
		var r rejected.Record
		require.NoError(t, json.Unmarshal([]byte(letter), &r))
		require.Equal(t, at.Format(time.RFC3339), r.EventTime, letter)
		details = append(details, r.Role+" "+r.Detail)
	}
	want := []string{
		"views field $key: null is not an id; expected text or an integer",
		`views field $key: "\xff" is not an id; it is not UTF-8`,
		"views decode n at byte 0: the record ends in the middle of it",
		"like field $headers.view: null is not an id; expected text or an integer",
	}
	if lost.Partition == 1 { // the others are filtered
		want = append(want, "last field $headers.view: null is not an id; expected text or an integer")
	}
	require.ElementsMatch(t, want, details)
}

// TestFieldOfFilesInStream: views of files that only their files tell apart, beside likes of a topic whose headers say which are meant.
func TestFieldOfFilesInStream(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for _, name := range []string{"a", "b"} {
		path := dir + "/" + name + ".jsonl"
		require.NoError(t, os.WriteFile(path, append(append(view("v1", 0, ""), '\n'), view("v2", time.Second, "")...), 0o600))
		want = append(want, path+"|v1"+map[string]string{"a": "+"}[name], path+"|v2"+map[string]string{"b": "+"}[name])
	}
	s := newSmallOf(t, 1, `
clusters: {main: {brokers: [%q]}}
views: {inputs: [{path: `+dir+`/*.jsonl, order: file}], id: [$file, id], time: {field: ts, unit: epoch-millis}}
engagements: {like: {inputs: [{topic: likes, format: json}], view: [$headers.of, $key], time: $timestamp, window: 1m}}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`)
	for file, key := range map[string]string{"a": "v1", "b": "v2"} {
		require.NoError(t, s.client.ProduceSync(t.Context(), &kgo.Record{
			Topic: "likes", Key: []byte(key), Timestamp: start.Add(2 * time.Second), Value: []byte("{}"),
			Headers: []kgo.RecordHeader{{Key: "of", Value: []byte(dir + "/" + file + ".jsonl")}},
		}).FirstErr())
	}
	s.run()
	require.ElementsMatch(t, want, s.samples())
}
