package stream

import (
	"encoding/csv"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/fileio"
	"tributary/io/folderio"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
	"tributary/transforms/account"
)

// samplesIn are the samples in the files of a folder, and how often each is there.
func samplesIn(t *testing.T, folder string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, file := range slices.Collect(maps.Keys(filesIn(t, folder))) {
		require.Regexp(t, `/dt=[0-9-]{10}(/hr=[0-9]{2})?/part-[0-9TZ-]+(-s[0-9]{4})?\.avro$`, file)
		eachRecord(t, file, func(record []byte) { got[string(record)]++ })
	}
	return got
}

// filesIn are the contents of all files that are found in a folder.
func filesIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	got := map[string]string{}
	files, err := fileio.List(t.Context(), folder+"/")
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file.Path)
		require.NoError(t, err)
		got[file.Path] = string(content)
	}
	return got
}

// TestTopicsIntoAFolder: the samples of a stream are in files as those of a join of files are, each once, and
// as they are in a topic beside it; whoever goes on from the log writes the same files again.
func TestTopicsIntoAFolder(t *testing.T) {
	for _, c := range []struct {
		name, samples string
		// topic and compact are what goes beside the folder, and how much time its files are of.
		topic   bool
		compact time.Duration
	}{
		{"alone", "samples: stream/samples\n  late: {topic: samples.late}\n  dead_letters: {topic: samples.dead}\n  accounts: {topic: samples.accounts}\n  time_index: {topic: samples.marks}", false, time.Minute},
		{"put together, in folders of hours, beside a topic", "samples: [{topic: samples}, {path: stream/samples, folders: hour, compact: 5m}]", true, 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := hard(t, 3000)
			fake, err := kfake.NewCluster(kfake.NumBrokers(1))
			require.NoError(t, err)
			t.Cleanup(fake.Close)
			brokers := fake.ListenAddrs()
			s := streamSpec(t, dir, brokers, "samples: {topic: samples}", c.samples)
			_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
			require.NoError(t, err)
			send(t, brokers, "views", dir+"/views")
			send(t, brokers, "engagements", dir+"/engagements")
			files, err := spec.Load(dir + "/spec.yaml")
			require.NoError(t, err)
			report, err := batch.Run(t.Context(), files, batch.Options{})
			require.NoError(t, err)
			want := samplesIn(t, dir+"/out/samples")
			require.Len(t, want, int(report.Accounts.Views.N[account.Samples]))

			opt := Options{Rest: 50 * time.Millisecond, Readers: prism.Readers, Stop: source.Stop{At: source.StopAtEnd}, Drain: true}
			plan, err := New(t.Context(), s, opt)
			require.NoError(t, err)
			run(t, plan.Pipeline())
			require.True(t, maps.Equal(want, samplesIn(t, dir+"/stream/samples")))
			first := filesIn(t, dir+"/stream/samples")
			require.Len(t, first, 3*int(20*time.Minute/c.compact), "a file for each interval and shard")
			if c.topic {
				require.True(t, maps.Equal(want, consume(t, brokers, "samples")))
			}
			accounted, err := Report(t.Context(), s)
			require.NoError(t, err)
			require.NoError(t, accounted.Accounts.Check())
			require.Equal(t, report.Accounts.Views, accounted.Accounts.Views)

			_, err = New(t.Context(), s, opt)
			require.ErrorIs(t, err, sink.ErrBegun)

			removeShard(t, first)
			opt.Resume = FromLog
			again, err := New(t.Context(), s, opt)
			require.NoError(t, err)
			run(t, again.Pipeline())
			got := filesIn(t, dir+"/stream/samples")
			for file, content := range got {
				require.Equal(t, first[file], content, file)
			}
			anew := 0
			for file := range first {
				from, _, ok := folderio.Times(file)
				require.True(t, ok, file)
				if from >= again.Resumed().Since.UnixMilli() {
					require.Contains(t, got, file)
					anew++
				}
			}
			require.Positive(t, anew)
			require.Less(t, anew, len(first), "what is complete is not written again")
		})
	}
}

// TestTopicsIntoTables: a stream writes the rows in CSV that a join of files does.
func TestTopicsIntoTables(t *testing.T) {
	dir := hard(t, 3000)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	brokers := fake.ListenAddrs()
	s := streamSpec(t, dir, brokers, "samples: {topic: samples}", "samples: {path: stream/samples, format: csv, codec: gzip}\n  late: {topic: samples.late}\n"+
		"  dead_letters: {topic: samples.dead}\n  accounts: {topic: samples.accounts}\n  time_index: {topic: samples.marks}")
	_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	send(t, brokers, "views", dir+"/views")
	send(t, brokers, "engagements", dir+"/engagements")
	files, err := spec.Load(dir + "/spec.yaml")
	require.NoError(t, err)
	files.Outputs.Samples.Format, files.Outputs.Samples.Codec = spec.CSV, "none"
	report, err := batch.Run(t.Context(), files, batch.Options{})
	require.NoError(t, err)
	want := rowsIn(t, dir+"/out/samples")
	require.Len(t, want, int(report.Accounts.Views.N[account.Samples]))

	plan, err := New(t.Context(), s, Options{Rest: 50 * time.Millisecond, Readers: prism.Readers, Stop: source.Stop{At: source.StopAtEnd}, Drain: true})
	require.NoError(t, err)
	run(t, plan.Pipeline())
	require.Equal(t, want, rowsIn(t, dir+"/stream/samples"))
}

// rowsIn are the rows of all CSV files of a folder, in order of their text, each with its header.
func rowsIn(t *testing.T, folder string) (rows []string) {
	t.Helper()
	files, err := fileio.List(t.Context(), folder+"/")
	require.NoError(t, err)
	for _, file := range files {
		text, err := fileio.OpenText(t.Context(), file.Path, 0)
		require.NoError(t, err)
		all, err := csv.NewReader(text).ReadAll()
		require.NoError(t, err)
		require.NoError(t, text.Close())
		for _, row := range all[1:] {
			rows = append(rows, strings.Join(all[0], "|")+"\n"+strings.Join(row, "|"))
		}
	}
	slices.Sort(rows)
	return rows
}

// removeShard leaves of files what a crash may leave of buckets that are not known to be complete.
func removeShard(t *testing.T, files map[string]string) {
	t.Helper()
	for file := range files {
		if strings.Contains(file, "-s0001.") {
			require.NoError(t, os.Remove(file))
		}
	}
}
