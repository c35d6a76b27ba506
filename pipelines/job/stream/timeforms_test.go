package stream

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// TestTimesOfAnyFormEqualBatch joins views and likes of the nights in which Berlin's clocks are set back and forward, as topics and as files: the samples are
// the same bytes, and what no pattern fits is a dead letter of the same words.
func TestTimesOfAnyFormEqualBatch(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	var views, likes [][]byte
	add := func(wall string, at time.Time) { // a view by its clocks, and a like 59 s after the time that is meant
		id := fmt.Sprint("v", len(views))
		views = append(views, fmt.Appendf(nil, `{"id":%q,"ts":%q}`, id, wall))
		likes = append(likes, fmt.Appendf(nil, `{"view":%q,"ts":%q,"seen":%q}`, id, at.Add(59*time.Second).In(time.FixedZone("", 19_800)).Format("02/Jan/2006:15:04:05 -0700"), wall))
	}
	for at := time.Date(2026, time.March, 29, 0, 30, 0, 0, time.UTC); at.Hour() < 3; at = at.Add(20 * time.Minute) {
		add(at.In(berlin).Format("02.01.2006 15:04"), at)
	}
	gap := time.Date(2026, time.March, 29, 1, 10, 0, 0, time.UTC) // clocks never show 02:10, which is 03:10
	add("29.03.2026 02:10", gap)
	for at := time.Date(2026, time.October, 24, 23, 30, 0, 0, time.UTC); at.Hour() != 3; at = at.Add(20 * time.Minute) {
		meant := at
		if at.Hour() == 1 { // the second of the two
			meant = at.Add(-time.Hour)
		}
		add(at.In(berlin).Format("02.01.2006 15:04"), meant)
	}
	good := len(views)
	views = append(views, []byte(`{"id":"no day","ts":"30.02.2026 10:00"}`), []byte(`{"id":"other","ts":"2026-10-25 02:30"}`), []byte(`{"id":"number","ts":202610250230}`))

	s := newSmallOf(t, 1, `
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, pattern: "%%d.%%m.%%Y %%H:%%M", zone: Europe/Berlin}}
engagements: {like: {inputs: [{topic: likes, format: json}], view: view, time: {field: ts, pattern: "%%d/%%b/%%Y:%%T %%z"}, view_time: {field: seen, pattern: "%%d.%%m.%%Y %%H:%%M", zone: Europe/Berlin}, window: 1m}}
out_of_orderness: 2h
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples}}
`)
	s.publish("views", views...)
	s.publish("likes", likes...)
	s.run()

	dir := t.TempDir()
	write := func(name string, lines [][]byte) {
		var text strings.Builder
		for _, line := range lines {
			text.Write(append(line, '\n'))
		}
		require.NoError(t, os.WriteFile(dir+"/"+name, []byte(text.String()), 0o600))
	}
	write("views.jsonl", views)
	write("likes.jsonl", likes)
	files, err := spec.Parse(dir+"/spec.yaml", []byte(`
views: {inputs: [{path: views.jsonl, order: file}], id: id, time: {field: ts, pattern: "%d.%m.%Y %H:%M", zone: Europe/Berlin}}
engagements: {like: {inputs: [{path: likes.jsonl, order: file}], view: view, time: {field: ts, pattern: "%d/%b/%Y:%T %z"}, view_time: {field: seen, pattern: "%d.%m.%Y %H:%M", zone: Europe/Berlin}, window: 1m}}
out_of_orderness: 2h
bucket: 1m
outputs: {samples: out/samples, dead_letters: out/dead}
`))
	require.NoError(t, err)
	report, err := batch.Run(t.Context(), files, batch.Options{})
	require.NoError(t, err)
	require.EqualValues(t, good, report.Accounts.Engagements["like"].N[account.Matched])
	want := samplesBelow(t, dir+"/out/samples")
	require.Len(t, want, good)
	require.True(t, maps.Equal(want, consume(t, s.brokers, "samples")), "samples differ from the batch's")

	detail := func(letter string) string {
		var r rejected.Record
		require.NoError(t, json.Unmarshal([]byte(letter), &r))
		return r.Detail
	}
	var ofStream, ofBatch []string
	for letter := range consume(t, s.brokers, "samples.dead") {
		ofStream = append(ofStream, detail(letter))
	}
	all, err := fileio.List(t.Context(), dir+"/out/dead/**/*.jsonl")
	require.NoError(t, err)
	for _, file := range all {
		text, err := os.ReadFile(file.Path)
		require.NoError(t, err)
		for letter := range strings.Lines(string(text)) {
			ofBatch = append(ofBatch, detail(letter))
		}
	}
	require.ElementsMatch(t, []string{
		`field ts: time "30.02.2026 10:00" is not %d.%m.%Y %H:%M: there is no such day`,
		`field ts: time "2026-10-25 02:30" is not %d.%m.%Y %H:%M: it is not of that pattern`,
		`field ts: time 202610250230 is not text, as the pattern %d.%m.%Y %H:%M wants`,
	}, ofBatch)
	require.ElementsMatch(t, ofBatch, ofStream)
}
