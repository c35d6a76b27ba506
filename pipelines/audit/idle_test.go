package audit

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job/stream"
)

var begin = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

func view(id string, after time.Duration) string {
	return fmt.Sprintf(`{"id":%q,"ts":%d}`, id, begin.Add(after).UnixMilli())
}

func like(id string, after time.Duration) string {
	return fmt.Sprintf(`{"view":%q,"ts":%d}`, id, begin.Add(after).UnixMilli())
}

// smallSpec is the spec of a small rig; more is behind the keys of stream.
func smallSpec(broker, more string) string {
	return fmt.Sprintf(`
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {like: {inputs: [{topic: likes, format: json}], view: view, time: {field: ts, unit: epoch-millis}, window: 1m}}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1%s}
outputs: {samples: {topic: samples, format: json}}
`, broker, more)
}

// newSmall is a rig whose input is written by the test, in topics of one partition; more is behind the keys of stream, and edits are
// pairs of what the spec says else and says instead.
func newSmall(t *testing.T, more string, edits ...string) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir()}
	r.start()
	r.load(1, strings.NewReplacer(edits...).Replace(smallSpec(r.brokers[0], more)))
	return r
}

// put writes records to a partition of a topic.
func (r *rig) put(topic string, partition int32, values ...string) {
	r.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(r, err)
	defer client.Close()
	for _, v := range values {
		require.NoError(r, client.ProduceSync(r.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)}).FirstErr())
	}
}

// TestHanging: a transaction that nobody ends is a finding, and keeps no audit waiting, whichever topic it is in.
func TestHanging(t *testing.T) {
	r := newSmall(t, "")
	r.put("views", 0, view("a", 0), view("b", 10*time.Second), view("c", 200*time.Second), view("d", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 201*time.Second), like("c", 202*time.Second))
	r.stream(stream.Options{})
	require.Zero(t, r.audit(Options{}).Findings)
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.TransactionalID("hangs"), kgo.DefaultProduceTopic("samples"))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	require.NoError(t, client.BeginTransaction())
	for _, topic := range []string{"samples.late", "samples.dead", "samples.accounts"} {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("{}")}).FirstErr())
	}
	r.spec.Stream.TransactionTimeout = time.Second
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	found, err := Run(ctx, r.spec, Options{})
	require.NoError(t, err)
	require.Zero(t, found.Findings)
	require.Len(t, found.Sinks[0].Notes, 2)
	require.Equal(t, "not compared, as some are behind a transaction that stays open", found.Accounts.Note)

	since := time.Now().Add(-32 * time.Second)
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Timestamp: since, Key: []byte("x"), Value: []byte(`{"view_id":"x","view_time":1767261600000,"weight":1}`)}).FirstErr())
	found = r.audit(Options{})
	require.Equal(t, map[string]int64{"open": 1, "hanging": 1}, classes(found))
	require.EqualValues(t, 1, found.Findings)
	require.Contains(t, found.Sinks[0].Examples[0].Note, "has been open since "+since.UTC().Format(time.RFC3339)+", longer than stream.transaction_timeout (1s)")
	c := newComparison(&sink{stages: []stage{{}}}, 10, false)
	c.transactions = newTransactions()
	c.transactions.open[writer{1, 2}] = begun{3, begin}
	c.tellHanging(time.Minute, begin.Add(time.Minute+endsLate))
	require.Zero(t, c.finish().Findings, "a broker may be about to end it")
}

// TestNoSamplesExpected: a topic of samples without a registry is read where the join has none in the range.
func TestNoSamplesExpected(t *testing.T) {
	r := newSmall(t, "", "{topic: samples, format: json}", "{topic: samples}")
	r.put("views", 0, view("a", 0), view("b", 10*time.Second), view("c", 200*time.Second), view("d", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 201*time.Second), like("c", 202*time.Second))
	r.stream(stream.Options{})
	require.Zero(t, r.audit(Options{}).Findings)
	found := r.audit(Options{From: begin.Add(-2 * time.Minute), To: begin})
	require.Zero(t, found.Findings, "%+v", found.Sinks[0].Examples)
	require.EqualValues(t, 2, found.Sinks[0].Stages[0].Outside)
}

// TestIdle: what a stream has judged by the clock of other partitions, for the job and for an early stage, and a join in batch has in time,
// is a class of its own, and hides nothing else.
func TestIdle(t *testing.T) {
	r := newSmall(t, "}\nstages: [{after: 10s, emit: all}, {after: 1m, emit: all}]\n#")
	r.put("views", 0, view("a", 0), view("d", 15*time.Second), view("b", 200*time.Second), view("c", 300*time.Second), view("z", 301*time.Second))
	r.put("likes", 0, like("a", time.Second), like("b", 201*time.Second), like("c", 301*time.Second), like("c", 302*time.Second))
	r.stream(stream.Options{})
	require.Zero(t, r.audit(Options{}).Findings)

	// Partitions that come later, with records of buckets that are decided.
	_, err := r.admin().CreatePartitions(t.Context(), 1, "views", "likes")
	require.NoError(t, err)
	r.put("views", 1, view("late", 10*time.Second), view("early", 195*time.Second), view("far", 500*time.Second), view("far2", 501*time.Second))
	r.put("likes", 1, like("a", 2*time.Second), like("d", 16*time.Second), like("far", 501*time.Second), like("far", 502*time.Second))
	r.put("views", 0, view("e", 600*time.Second), view("f", 601*time.Second))
	r.put("likes", 0, like("e", 600*time.Second), like("e", 602*time.Second))
	r.stream(stream.Options{Resume: stream.FromLog})

	found := r.audit(Options{})
	require.Zero(t, found.Findings, "%+v", found.Sinks[0].Examples)
	early, last := found.Sinks[0].Stages[0], found.Sinks[0].Stages[1]
	require.EqualValues(t, 3, early.AfterIdle, "late and early have a sample in the join, d has a label")
	require.EqualValues(t, 2, last.AfterIdle, "late has a sample in the join, d a label")

	// A repair has it as the join has.
	corrections, err := FindCorrections(t.Context(), r.spec, CorrectOptions{}, func(c *Correction) error {
		require.Equal(t, map[string]Class{"late": Missing, "d": Different}[c.ViewID], c.Class, c.ViewID)
		return nil
	})
	require.NoError(t, err)
	require.EqualValues(t, [3]int64{1, 1, 0}, [3]int64{corrections.Missing, corrections.Different, corrections.Extra})

	// A sample of another view is still found.
	r.write(&commit, &kgo.Record{Key: []byte("ghost"), Value: fmt.Appendf(nil, `{"view_id":"ghost","view_time":%d,"weight":1,"stage":"1m","version":1}`, begin.UnixMilli())})
	require.Equal(t, map[string]int64{"1m extra": 1}, classes(r.audit(Options{})))
}

// TestIdleOfAvro: so it is where views have a schema, of which the ids alone are read.
func TestIdleOfAvro(t *testing.T) {
	r := newSmall(t, "}\nstages: [{after: 10s, emit: all}, {after: 1m, emit: all}]\n#", "{topic: views, format: json}", "{topic: views, format: avro, schema: view.avsc}")
	require.NoError(t, os.WriteFile(r.dir+"/view.avsc", []byte(`{"type":"record","name":"V","fields":[{"name":"id","type":"string"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}`), 0o600))
	view := func(id string, after time.Duration) string {
		return string(binary.AppendVarint(append(binary.AppendVarint(nil, int64(len(id))), id...), begin.Add(after).UnixMilli()))
	}
	r.put("views", 0, view("a", 0), view("d", 15*time.Second), view("b", 200*time.Second), view("c", 300*time.Second), view("z", 301*time.Second))
	r.put("likes", 0, like("a", time.Second), like("b", 201*time.Second), like("c", 301*time.Second), like("c", 302*time.Second))
	r.stream(stream.Options{})
	require.Zero(t, r.audit(Options{}).Findings)
	_, err := r.admin().CreatePartitions(t.Context(), 1, "views", "likes")
	require.NoError(t, err)
	r.put("views", 1, view("late", 10*time.Second), view("early", 195*time.Second), view("far", 500*time.Second), view("far2", 501*time.Second))
	r.put("likes", 1, like("far", 501*time.Second), like("far", 502*time.Second))
	r.put("views", 0, view("e", 600*time.Second), view("f", 601*time.Second))
	r.put("likes", 0, like("e", 600*time.Second), like("e", 602*time.Second))
	r.stream(stream.Options{Resume: stream.FromLog})
	found := r.audit(Options{})
	require.Zero(t, found.Findings, "%+v", found.Sinks[0].Examples)
	require.EqualValues(t, 2, found.Sinks[0].Stages[0].AfterIdle, "late and early have a sample in the join")
}

// altered makes the topic of samples anew, with another label in the sample of a view at a stage, or without it.
func (r *rig) altered(id, stage, label string) {
	var all []*kgo.Record
	done := 0
	require.NoError(r, cluster.ReadAll(r.Context(), cluster.Config{Brokers: r.brokers}, "samples", func(rec *kgo.Record) error {
		if string(rec.Key) == id && gjson.GetBytes(rec.Value, "stage").String() == stage {
			if done++; label == "" {
				return nil
			}
			rec.Value = edit(`"like":0`, `"like":`+label)(rec.Value)
		}
		all = append(all, rec)
		return nil
	}))
	require.Equal(r, 1, done, "of %s at %s", id, stage)
	r.anew(func(put func(*kgo.Record)) {
		for _, rec := range all {
			put(&kgo.Record{Partition: rec.Partition, Key: rec.Key, Value: rec.Value, Headers: rec.Headers})
		}
	})
}

// TestIdleHidesNothing: a sample that a partition's idleness has not changed is a finding if it is lost or altered, though the records of
// its view were read with the clock of others.
func TestIdleHidesNothing(t *testing.T) {
	slow := func(t *testing.T, more string, edits ...string) *rig {
		r := newSmall(t, more, edits...)
		r.put("views", 0, view("a", 0), view("b", 200*time.Second), view("c", 300*time.Second), view("z", 301*time.Second))
		r.put("likes", 0, like("a", time.Second), like("c", 301*time.Second), like("c", 302*time.Second))
		r.stream(stream.Options{})
		_, err := r.admin().CreatePartitions(t.Context(), 1, "views", "likes")
		require.NoError(t, err)
		r.put("views", 1, view("slow", 305*time.Second), view("far", 500*time.Second), view("far2", 501*time.Second))
		r.put("likes", 1, `{"view":"z","ts":1767261905001}`, like("far", 501*time.Second), like("far", 502*time.Second))
		r.put("views", 0, view("e", 600*time.Second), view("f", 601*time.Second))
		r.put("likes", 0, like("e", 600*time.Second), like("e", 602*time.Second))
		r.stream(stream.Options{Resume: stream.FromLog})
		return r
	}
	t.Run("without stages", func(t *testing.T) {
		r := slow(t, "")
		require.Zero(t, r.audit(Options{}).Findings)
		r.altered("slow", "", "1")
		require.Equal(t, map[string]int64{"different": 1}, classes(r.audit(Options{})))
		r.altered("slow", "", "")
		require.Equal(t, map[string]int64{"missing": 1}, classes(r.audit(Options{})))
	})
	t.Run("a last stage of all samples", func(t *testing.T) {
		r := slow(t, "}\nstages: [{after: 10s, emit: all}, {after: 1m, emit: all}]\n#")
		require.Zero(t, r.audit(Options{}).Findings)
		r.altered("slow", "1m", "1")
		require.Equal(t, map[string]int64{"1m different": 1}, classes(r.audit(Options{})))
		r.altered("slow", "10s", "1")
		found := r.audit(Options{})
		require.Equal(t, map[string]int64{"1m different": 1}, classes(found), "which of those before are late is not known")
		require.Positive(t, found.Sinks[0].Stages[0].AfterIdle)
		var text strings.Builder
		require.NoError(t, found.Text(&text, 120))
		require.Contains(t, text.String(), "1 finding; 1 differ after idle: not judged")
	})
	t.Run("a record that the spec leaves out", func(t *testing.T) {
		r := slow(t, "}\nstages: [{after: 10s, emit: all}, {after: 1m, emit: all}]\n#", "view: view,", "view: view, where: ts != 1767261905001,")
		require.Zero(t, r.audit(Options{}).Findings)
		r.altered("z", "10s", "1")
		require.Equal(t, map[string]int64{"10s different": 1}, classes(r.audit(Options{})))
	})
}
