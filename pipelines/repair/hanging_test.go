package repair

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/pipelines/spec"
)

// TestEndHanging: of the transactions that are open in topics of a spec those are ended of which the coordinators have written how, and others
// are told. The brokers are a fake; what real ones lose is in pipelines/sim/chaos.
func TestEndHanging(t *testing.T) {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(4, "views", "samples", "others"), kfake.SeedTopics(1, "__transaction_state"))
	require.NoError(t, err)
	t.Cleanup(kafka.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	begin := func(id, topic string, partition int32, states ...kmsg.TransactionState) {
		writer, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		require.NoError(t, err)
		t.Cleanup(writer.Close)
		require.NoError(t, writer.BeginTransaction())
		require.NoError(t, writer.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(id)}).FirstErr())
		producer, epoch, err := writer.ProducerID(t.Context())
		require.NoError(t, err)
		for _, state := range states {
			key, value := kmsg.TxnMetadataKey{TransactionalID: id}, kmsg.TxnMetadataValue{Version: 1, ProducerID: producer, ProducerEpoch: epoch, State: state, ClientTransactionVersion: 2}
			if state != kmsg.TransactionStateOngoing {
				value.ProducerEpoch++
			}
			require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "__transaction_state", Key: key.AppendTo(nil), Value: value.AppendTo(nil)}).FirstErr())
		}
	}
	begin("committed", "samples", 0, kmsg.TransactionStateOngoing, kmsg.TransactionStatePrepareCommit, kmsg.TransactionStateCompleteCommit)
	begin("aborted", "views", 1, kmsg.TransactionStatePrepareAbort, kmsg.TransactionStateCompleteAbort)
	begin("open", "samples", 2, kmsg.TransactionStateOngoing)
	begin("forgotten", "samples", 3, kmsg.TransactionStateCompleteCommit)
	begin("another's", "others", 0, kmsg.TransactionStatePrepareCommit, kmsg.TransactionStateCompleteCommit)

	s, err := spec.Parse("stream.yaml", []byte(`
clusters: {main: {brokers: ["`+kafka.ListenAddrs()[0]+`"]}}
views: {inputs: [{topic: views, format: json}], id: id, time: ts}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view, time: ts, window: 1m}
outputs: {samples: {topic: samples, format: json}}
`))
	require.NoError(t, err)
	committed := func() (values []string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		reader, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.ConsumeTopics("samples", "views"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		require.NoError(t, err)
		defer reader.Close()
		for ctx.Err() == nil {
			reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
		}
		return values
	}

	dry, err := EndHanging(t.Context(), s, Options{DryRun: true})
	require.NoError(t, err)
	require.Empty(t, committed())
	found, err := EndHanging(t.Context(), s, Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"committed"}, committed())

	for _, h := range []*Hanging{dry, found} {
		require.Equal(t, []int{2, 1}, []int{h.Ended, h.Left})
		did := map[string]Done{}
		for _, tr := range h.Transactions {
			require.Len(t, tr.Partitions, 1)
			did[tr.ID] = tr.Done
		}
		require.Equal(t, map[string]Done{"committed": Committed, "aborted": Aborted, "open": Nothing, "forgotten": Nothing}, did)
	}
	unknown, err := EndHanging(t.Context(), s, Options{DryRun: true, AbortUnknown: true})
	require.NoError(t, err)
	for _, tr := range unknown.Transactions {
		if tr.ID == "forgotten" {
			require.Equal(t, Aborted, tr.Done)
		}
	}
	require.Zero(t, unknown.Left)
	var text strings.Builder
	require.NoError(t, dry.Text(&text))
	written := regexp.MustCompile(`\d{4}-\S+Z`)
	lines := strings.Split(written.ReplaceAllString(text.String(), "2026-01-02T15:04:05Z"), "\n")
	require.Equal(t, "TRANSACTION  PARTITION  FROM  LAST WRITTEN          WHAT BECAME OF IT                            WOULD BE DONE", lines[0])
	require.Contains(t, lines, "committed    samples/0  0     2026-01-02T15:04:05Z  was committed, and the brokers lost its end  committed")
	require.Contains(t, lines, "aborted      views/1    0     2026-01-02T15:04:05Z  was aborted, and the brokers lost its end    aborted")
	require.Contains(t, lines, "open         samples/2  0     2026-01-02T15:04:05Z  goes on, or is being ended                   nothing")
	require.Contains(t, lines, "of 4 that are open 2 would be ended")
	require.Contains(t, text.String(), "of 1 nobody can tell how they ended")
	asJSON, err := json.Marshal(found)
	require.NoError(t, err)
	require.Contains(t, string(asJSON), `"fate":"lost commit","done":"committed"`)
}

// TestNothingOpen: that is no failure.
func TestNothingOpen(t *testing.T) {
	found, err := EndHanging(t.Context(), &spec.Spec{}, Options{})
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, found.Text(&text))
	require.Equal(t, "no transaction is open in the topics of the spec\n", text.String())
}

// TestRefused: without the right to read the coordinators' log nothing is ended, and the error says what is missing.
func TestRefused(t *testing.T) {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "views", "samples"))
	require.NoError(t, err)
	t.Cleanup(kafka.Close)
	writer, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("samples"))
	require.NoError(t, err)
	t.Cleanup(writer.Close)
	require.NoError(t, writer.BeginTransaction())
	require.NoError(t, writer.ProduceSync(t.Context(), &kgo.Record{Value: []byte("v")}).FirstErr())
	s, err := spec.Parse("stream.yaml", []byte(`
clusters: {main: {brokers: ["`+kafka.ListenAddrs()[0]+`"]}}
views: {inputs: [{topic: views, format: json}], id: id, time: ts}
engagements:
  like: {inputs: [{topic: views, format: json}], view: view, time: ts, window: 1m}
outputs: {samples: {topic: samples, format: json}}
`))
	require.NoError(t, err)
	_, err = EndHanging(t.Context(), s, Options{})
	require.ErrorContains(t, err, "cluster main: read the log of the coordinators of transactions: ")
}
