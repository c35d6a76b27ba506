package batch

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/io/folderio"
	"tributary/pipelines/report"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/account"
)

// dated is a log of two days in folders of other days: two views and their likes.
func dated(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/v/dt=2026-01-01/a.jsonl", `{"view_id":"v1","ts":"2026-01-01T10:00:00Z"}`+"\n")
	write(t, dir+"/v/dt=2026-01-07/a.jsonl", `{"view_id":"v2","ts":"2026-01-01T11:00:00Z"}`+"\n")
	write(t, dir+"/v/dt=2026-01-02/a.jsonl", `{"view_id":"v3","ts":"2026-01-02T11:00:00Z"}`+"\n")
	write(t, dir+"/e/dt=2026-01-01/a.jsonl", `{"view_id":"v1","ts":"2026-01-01T10:00:10Z","amount":1}`+"\n")
	write(t, dir+"/e/dt=2026-01-04/hour=07/a.jsonl", `{"view_id":"v1","ts":"2026-01-01T10:00:20Z","amount":2}`+"\n")
	write(t, dir+"/e/dt=2025-12-30/a.jsonl", `{"view_id":"v2","ts":"2026-01-01T11:00:10Z","amount":4}`+"\n")
	write(t, dir+"/e/dt=__HIVE_DEFAULT_PARTITION__/a.jsonl", `{"view_id":"v3","ts":"2026-01-02T11:00:10Z","amount":8}`+"\n")
	return dir
}

const datedSpec = `
views: {inputs: v/dt=*/*.jsonl, id: view_id, time: ts}
engagements:
  buy: {inputs: e/**/*.jsonl, view: view_id, time: ts, window: 30m, label: {sum: amount}}
outputs: {samples: %s/samples}
`

// TestFoldersAreNotBelieved: a day has the same samples whether it is asked for or all is, with
// the same labels and the same maturity, whatever its files' folders are called.
func TestFoldersAreNotBelieved(t *testing.T) {
	dir := dated(t)
	all := join(t, parse(t, dir, fmt.Sprintf(datedSpec, "all")), Options{})
	require.Zero(t, all.Unread)
	day := Options{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	part := join(t, parse(t, dir, fmt.Sprintf(datedSpec, "part")), day)
	require.Zero(t, part.Unread)
	require.Equal(t, int64(2), part.Accounts.Views.N[account.Samples])
	want, got := samplesBelow(t, dir+"/all/samples"), samplesBelow(t, dir+"/part/samples")
	require.Equal(t, want[:2], got)
	require.Equal(t, []float64{3, 4}, []float64{got[0].Labels["buy"], got[1].Labels["buy"]})
	require.Len(t, want, 3)
}

// TestTrustedFolders: who trusts folders leaves files unread, is told how many, and gets no
// sample called mature because of them.
func TestTrustedFolders(t *testing.T) {
	for _, c := range []struct {
		slack  time.Duration
		unread report.Unread
		labels map[string]float64
	}{
		{0, report.Unread{Files: 3, Bytes: 157}, map[string]float64{"v1": 1}},
		{24 * time.Hour, report.Unread{Files: 2, Bytes: 101}, map[string]float64{"v1": 1}},
		{3 * 24 * time.Hour, report.Unread{Files: 1, Bytes: 45}, map[string]float64{"v1": 3}},
		{7 * 24 * time.Hour, report.Unread{}, map[string]float64{"v1": 3, "v2": 4}},
	} {
		dir := dated(t)
		day := Options{
			From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
			Folders: Folders{Trust: true, Slack: c.slack},
		}
		r := join(t, parse(t, dir, fmt.Sprintf(datedSpec, "out")), day)
		require.Equal(t, c.unread, r.Unread, c.slack)
		labels := map[string]float64{}
		for _, s := range samplesBelow(t, dir+"/out/samples") {
			labels[s.ViewID] = s.Labels["buy"]
		}
		require.Equal(t, c.labels, labels, c.slack)
	}
	// All that says how far the log reaches is left unread.
	dir := t.TempDir()
	write(t, dir+"/v/dt=2026-01-01/a.jsonl", `{"view_id":"v1","ts":"2026-01-01T10:00:00Z"}`+"\n")
	write(t, dir+"/e/dt=2026-01-09/a.jsonl", `{"view_id":"v1","ts":"2026-01-09T10:00:20Z","amount":2}`+"\n")
	r := join(t, parse(t, dir, fmt.Sprintf(datedSpec, "out")), Options{To: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Folders: Folders{Trust: true}})
	require.Equal(t, int64(1), r.Unread.Files)
	require.Equal(t, int64(1), r.Accounts.Views.N[account.Immature])
}

// TestFoldersOfHours: the samples of an hour are in its folder, whatever the intervals, and replace those that were in the
// folder of the day.
func TestFoldersOfHours(t *testing.T) {
	dir := dated(t)
	text := fmt.Sprintf(datedSpec, "out")
	join(t, parse(t, dir, text), Options{})
	want := samplesBelow(t, dir+"/out/samples")
	hours := strings.Replace(text, "out/samples", "{path: out/samples, folders: hour}", 1)
	for _, interval := range []time.Duration{0, 20 * time.Minute} {
		join(t, parse(t, dir, hours), Options{Interval: interval})
		require.Equal(t, want, samplesBelow(t, dir+"/out/samples"))
		files, err := fileio.List(t.Context(), dir+"/out/samples/")
		require.NoError(t, err)
		require.Len(t, files, 3)
		for _, file := range files {
			hour := file.Path[strings.Index(file.Path, "/hr=")+4:][:2]
			require.Contains(t, file.Path, "T"+hour+"0000Z-", "an hour of its own")
		}
	}
	_, err := Run(t.Context(), parse(t, dir, hours), Options{Interval: 2 * time.Hour})
	require.ErrorContains(t, err, "intervals of 2h0m0s: samples go to folders of hours")
}

// TestFolderOfAStream: a join leaves the folder alone that a stream writes its samples to, whichever stages the two have.
func TestFolderOfAStream(t *testing.T) {
	const staged = datedSpec + "stages: [10s]\n"
	for _, c := range []struct{ name, spec, stream string }{
		{"without stages", datedSpec, ""},
		{"a stream of stages", datedSpec, "/stage=10s"},
		{"a join of stages", staged, ""},
		{"of other stages", staged, "/stage=1m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := dated(t)
			s := parse(t, dir, fmt.Sprintf(c.spec, "out"))
			folder := dir + "/out/samples" + c.stream
			_, err := folderio.Begin(t.Context(), folderio.Config{Path: folder, Job: "feed", Step: 1, Shards: 1})
			require.NoError(t, err)
			file := folderio.IntervalFile(folder, false, "part", 1767261600000, 1767261900000, "-s0000.avro")
			write(t, file, "samples")
			_, err = Run(t.Context(), s, Options{})
			var list problem.List
			require.ErrorAs(t, err, &list)
			require.Equal(t, codeOfStream, list[0].Code)
			require.ErrorContains(t, err, "a stream writes its samples to")
			require.ErrorContains(t, err, "(feed)")
			require.FileExists(t, file)
			require.NoError(t, os.RemoveAll(folder+"/_tributary"))
			join(t, s, Options{})
			require.NoFileExists(t, file)
		})
	}
}
