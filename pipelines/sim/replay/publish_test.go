package replay

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/sim/generate"
)

const testPartitions = 3

// made is a folder of generated input, some of it malformed and out of order.
func made(t *testing.T) (dir string, truth generate.Truth) {
	t.Helper()
	c := generate.Default()
	c.Out, c.Views, c.Duration, c.Partitions, c.Order = t.TempDir(), 500, 10*time.Minute, testPartitions, generate.OrderFile
	c.Disorder, c.Late, c.Malformed, c.Duplicates = 20*time.Second, 0.1, 0.1, 0.1
	truth, err := generate.Run(t.Context(), c, nil)
	require.NoError(t, err)
	return c.Out, truth
}

// broker is a fake cluster with topics of one partition for each file.
func broker(t *testing.T, topics ...string) cluster.Config {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(testPartitions, topics...))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return cluster.Config{Brokers: fake.ListenAddrs()}
}

// logs reads all records of a topic, by partition.
func logs(t *testing.T, brokers cluster.Config, topic string) map[int32][][]byte {
	t.Helper()
	out := map[int32][][]byte{}
	require.NoError(t, cluster.ReadAll(t.Context(), brokers, topic, func(r *kgo.Record) error {
		out[r.Partition] = append(out[r.Partition], r.Value)
		return nil
	}))
	return out
}

// plain is all records of a file, back to back.
func plain(t *testing.T, path string) (records []byte) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // only read
	reader, err := avro.NewReader(f)
	require.NoError(t, err)
	for {
		block, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return records
		}
		require.NoError(t, err)
		records, err = block.Records(records)
		require.NoError(t, err)
	}
}

func TestRun(t *testing.T) {
	dir, truth := made(t)
	brokers := broker(t, "views", "engagements")
	views, err := Open(t.Context(), dir+"/views", "views", "ts")
	require.NoError(t, err)
	engagements, err := Open(t.Context(), dir+"/engagements", "engagements", "ts")
	require.NoError(t, err)
	require.Equal(t, truth.Views.Read, views.Records())
	require.Equal(t, truth.Events(), views.Records()+engagements.Records())
	require.Equal(t, testPartitions, views.Partitions())
	// Ten minutes and the delays of engagements in a fraction of a second.
	require.NoError(t, Run(t.Context(), brokers, Options{Speed: 10_000}, views, engagements))

	for _, s := range []*Source{views, engagements} {
		require.Equal(t, s.Records(), s.Sent())
		got := logs(t, brokers, s.Topic)
		require.Len(t, got, testPartitions)
		for i := range s.files {
			require.Len(t, got[int32(i)], int(s.files[i].records))
			require.Equal(t, plain(t, s.files[i].path), bytes.Join(got[int32(i)], nil), "%s, partition %d", s.Topic, i)
		}
		ends := s.Ends("main")
		require.Len(t, ends, testPartitions)
		for p, end := range ends {
			require.Equal(t, cluster.Partition{Cluster: "main", Topic: s.Topic, Partition: p.Partition}, p)
			require.Len(t, got[p.Partition], int(end))
		}
	}
}

func TestRunRefused(t *testing.T) {
	dir, _ := made(t)
	for name, test := range map[string]struct {
		topic, field string
		opt          Options
		want         string
	}{
		"no such topic":      {"other", "ts", Options{}, ": UNKNOWN_TOPIC_OR_PARTITION"},
		"too few partitions": {"one", "ts", Options{}, "one/"},
		"no event times":     {"views", "user_id", Options{Speed: 1}, "no record has an event time in user_id"},
		"negative speed":     {"views", "ts", Options{Speed: -1}, "must not be negative, got -1"},
	} {
		t.Run(name, func(t *testing.T) {
			brokers := broker(t, "views")
			client, err := brokers.Connect(t.Context())
			require.NoError(t, err)
			t.Cleanup(client.Close)
			_, err = kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "one")
			require.NoError(t, err)
			s, err := Open(t.Context(), dir+"/views", test.topic, test.field)
			require.NoError(t, err)
			require.ErrorContains(t, Run(t.Context(), brokers, test.opt, s), test.want)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir, _ := made(t)
	_, err := Open(t.Context(), dir+"/nothing/*.avro", "views", "ts")
	require.ErrorContains(t, err, "publish to views: ")
	_, err = Open(t.Context(), dir+"/views", "views", "nothing")
	require.ErrorContains(t, err, "event time: ")

	// A file of another schema beside the first.
	other, err := os.ReadFile(filepath.Join(dir, "engagements", "part-00000-00000.avro"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "views", "part-00009-00000.avro"), other, 0o600))
	_, err = Open(t.Context(), dir+"/views", "views", "ts")
	require.ErrorContains(t, err, "part-00009-00000.avro: its schema is not that of")
}

// TestUnsoundRecordsAreSent: whoever reads the topic judges its records, and not who writes it.
func TestUnsoundRecordsAreSent(t *testing.T) {
	dir := t.TempDir()
	schema, err := avro.ParseSchema(`{"type":"record","name":"V","fields":[{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"ok","type":"boolean"}]}`)
	require.NoError(t, err)
	var file bytes.Buffer
	w, err := avro.NewWriter(&file, schema, avro.WriterOptions{})
	require.NoError(t, err)
	records := [][]byte{{2, 2}, {4, 1}, {6, 255}, {8, 0}}
	for _, r := range records {
		require.NoError(t, w.Append(r))
	}
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(dir+"/a.avro", file.Bytes(), 0o600))
	brokers := broker(t, "views")
	s, err := Open(t.Context(), dir, "views", "ts")
	require.NoError(t, err)
	require.NoError(t, Run(t.Context(), brokers, Options{Speed: 1000}, s))
	require.Equal(t, records, logs(t, brokers, "views")[0])
}
