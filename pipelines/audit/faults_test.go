package audit

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
)

// sample is one of a topic of JSON.
type sample struct {
	*kgo.Record
	id, stage string
}

// samplesOf are the committed samples of a topic that are closed, in order of their places.
func (r *rig) samplesOf(found *Result) (all []sample) {
	closed := found.Sinks[0].Stages[0].To.UnixMilli()
	require.NoError(r, cluster.ReadAll(r.Context(), cluster.Config{Brokers: r.brokers}, "samples", func(rec *kgo.Record) error {
		if gjson.GetBytes(rec.Value, "view_time").Int() < closed {
			all = append(all, sample{rec, string(rec.Key), gjson.GetBytes(rec.Value, "stage").String()})
		}
		return nil
	}))
	slices.SortFunc(all, func(a, b sample) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return all
}

// write writes samples to the topic, in a transaction that is committed or aborted, or is left open if end is nil.
func (r *rig) write(end *kgo.TransactionEndTry, samples ...*kgo.Record) {
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.TransactionalID("audit-"+strings.ReplaceAll(r.Name(), "/", "-")+fmt.Sprint(len(samples))), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(r, err)
	r.Cleanup(client.Close)
	require.NoError(r, client.BeginTransaction())
	for _, s := range samples {
		require.NoError(r, client.ProduceSync(r.Context(), &kgo.Record{Topic: "samples", Partition: s.Partition, Key: s.Key, Value: s.Value, Headers: s.Headers}).FirstErr())
	}
	if end != nil {
		require.NoError(r, client.EndTransaction(r.Context(), *end))
	}
}

var (
	commit = kgo.TryCommit
	abort  = kgo.TryAbort
)

// without makes the topic anew with its samples as change leaves them; nil leaves one out.
func (r *rig) without(change func(s sample) []byte, all []sample) {
	r.anew(func(put func(*kgo.Record)) {
		for _, s := range all {
			if value := change(s); value != nil {
				put(&kgo.Record{Partition: s.Partition, Key: s.Key, Value: value, Headers: s.Headers})
			}
		}
	})
}

// anew replaces the topic of samples.
func (r *rig) anew(fill func(put func(*kgo.Record))) {
	admin := r.admin()
	_, err := admin.DeleteTopics(r.Context(), "samples")
	require.NoError(r, err)
	_, err = admin.CreateTopics(r.Context(), 3, 1, nil, "samples")
	require.NoError(r, err)
	var all []*kgo.Record
	fill(func(rec *kgo.Record) { all = append(all, rec) })
	r.write(&commit, all...)
}

// edit changes the first of what stands there in a text.
func edit(from, to string) func([]byte) []byte {
	return func(value []byte) []byte {
		if !bytes.Contains(value, []byte(from)) {
			panic(fmt.Sprintf("%s is not in %s", from, value))
		}
		return bytes.Replace(value, []byte(from), []byte(to), 1)
	}
}

// classes are how many findings of each class a sink has, by stage and class.
func classes(found *Result) map[string]int64 {
	out := map[string]int64{}
	for _, s := range found.Sinks[0].Stages {
		for _, class := range Classes {
			if n := *s.of(class); n > 0 {
				out[strings.TrimSpace(s.Stage+" "+string(class))] = n
			}
		}
		for name, n := range map[string]int64{"aborted": s.Aborted, "open": s.Open, "held back": s.HeldBack} {
			if n > 0 {
				out[strings.TrimSpace(s.Stage+" "+name)] = n
			}
		}
	}
	return out
}

// TestFaultsOfTopics: each fault that is put into a topic of samples is found, named and told with its place, and nothing else is.
func TestFaultsOfTopics(t *testing.T) {
	r := newRig(t, "samples: {topic: samples, format: json}", stages)
	clean := r.audit(Options{})
	require.Zero(t, clean.Findings)
	good := r.samplesOf(clean)
	// One of the second stage, which is of all views, and whose view has a sample of the last one, too.
	count := map[string]int{}
	for _, s := range good {
		count[s.id]++
	}
	at := slices.IndexFunc(good, func(s sample) bool {
		return s.stage == "30s" && count[s.id] == 1 && gjson.GetBytes(s.Value, "labels.like").Int() == 0
	})
	require.Positive(t, at)
	victim := good[at]
	only := func(change func([]byte) []byte) func(s sample) []byte {
		return func(s sample) []byte {
			if s.Offset == victim.Offset && s.Partition == victim.Partition {
				return change(s.Value)
			}
			return s.Value
		}
	}
	partition := fmt.Sprint(victim.Partition)
	whole := only(func(value []byte) []byte { return value })
	for _, c := range []struct {
		name string
		// change is of the victim, beside is written behind all samples.
		change func(s sample) []byte
		beside func(r *rig)
		want   map[string]int64
		// fields are those that differ, note is of the first finding.
		fields []string
		note   string
	}{
		{name: "nothing", change: whole, want: map[string]int64{}},
		{name: "lost", change: only(func([]byte) []byte { return nil }), want: map[string]int64{"30s missing": 1}},
		{name: "doubled", change: whole, beside: func(r *rig) { r.write(&commit, victim.Record) }, want: map[string]int64{"30s doubled": 1}, note: "it is there as well at offset"},
		{name: "a wrong label", change: only(edit(`"like":0`, `"like":1`)), want: map[string]int64{"30s different": 1}, fields: []string{"labels.like"}},
		{name: "several wrong fields", change: only(func(value []byte) []byte {
			return edit(`"weight":1`, `"weight":2`)(edit(`"positive":false`, `"positive":true`)(value))
		}), want: map[string]int64{"30s different": 1}, fields: []string{"positive", "weight"}},
		{name: "another version", change: only(edit(`"version":1`, `"version":2`)), want: map[string]int64{"30s different": 1}, fields: []string{"version"}},
		{name: "another stage", change: only(edit(`"stage":"30s"`, `"stage":"1m"`)), want: map[string]int64{"30s different": 1}, fields: []string{"stage"}},
		{name: "a stage that there is not", change: only(edit(`"stage":"30s"`, `"stage":"31s"`)), want: map[string]int64{"30s different": 1}, fields: []string{"stage"}},
		{name: "another time", change: only(func(value []byte) []byte {
			was := gjson.GetBytes(value, "view_time").Int()
			return edit(fmt.Sprint(was), fmt.Sprint(was-1))(value)
		}), want: map[string]int64{"30s different": 1}, fields: []string{"view_time"}},
		{name: "of a view that there is not", change: whole, beside: func(r *rig) {
			r.write(&commit, &kgo.Record{Partition: victim.Partition, Key: []byte("ghost"), Value: edit(victim.id, "ghost")(victim.Value)})
		}, want: map[string]int64{"30s extra": 1}},
		{name: "no sample", change: whole, beside: func(r *rig) {
			r.write(&commit, &kgo.Record{Partition: victim.Partition, Key: []byte("x"), Value: []byte("x")})
		}, want: map[string]int64{"3m unreadable": 1}, note: "this is no JSON"},
		{
			name: "in a transaction that was aborted", change: only(func([]byte) []byte { return nil }), beside: func(r *rig) { r.write(&abort, victim.Record) },
			want: map[string]int64{"30s missing": 1, "30s aborted": 1}, note: "in a transaction that was aborted",
		},
		{
			name: "in a transaction that is open", change: only(func([]byte) []byte { return nil }), beside: func(r *rig) { r.write(nil, victim.Record) },
			want: map[string]int64{"30s missing": 1, "30s open": 1}, note: "in a transaction that is open",
		},
		{
			name: "aborted, and written again", change: whole, beside: func(r *rig) { r.write(&abort, victim.Record) },
			want: map[string]int64{"30s aborted": 1},
		},
		{
			name: "behind a transaction that is open", change: only(func([]byte) []byte { return nil }), beside: func(r *rig) {
				r.write(nil, victim.Record, victim.Record)
				r.write(&commit, victim.Record)
			},
			want: map[string]int64{"30s open": 2, "30s held back": 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &rig{T: t, dir: r.dir, brokers: r.brokers, spec: r.spec}
			r.without(c.change, good)
			if c.beside != nil {
				c.beside(r)
			}
			found := r.audit(Options{})
			var text strings.Builder
			require.NoError(t, found.Text(&text, 200))
			require.Equal(t, c.want, classes(found), text.String())
			require.ElementsMatch(t, c.fields, slices.Collect(maps.Keys(found.Sinks[0].Fields)))
			findings := int64(0)
			for name, n := range c.want {
				if !strings.Contains(name, "aborted") && !strings.Contains(name, "open") && !strings.Contains(name, "held") {
					findings += n
				}
			}
			require.Equal(t, findings, found.Findings)
			require.Len(t, found.Sinks[0].Examples, int(findings))
			if findings == 0 {
				return
			}
			first := found.Sinks[0].Examples[0]
			require.Equal(t, partition, first.Partition, "where it is, or must be")
			require.Contains(t, first.Note, c.note)
			require.Contains(t, text.String(), " partition "+partition)
			if first.Class != Unreadable && first.Class != Extra {
				require.Equal(t, victim.id, first.ViewID)
				require.Contains(t, text.String(), string(first.Class)+" view "+victim.id)
			}
		})
	}
}

// TestFaultsOfFolders does so for a folder of stages.
func TestFaultsOfFolders(t *testing.T) {
	r := newRig(t, "samples: stream/samples\n"+beside, "stages: [{after: 1m, out_of_orderness: 10s, emit: all}]\n")
	require.Zero(t, r.audit(Options{}).Findings)
	folder := r.dir + "/stream/samples/"
	closed := *r.audit(Options{}).Sinks[0].Stages[1].To
	files, err := filepath.Glob(folder + "stage=3m/dt=*/part-*")
	require.NoError(t, err)
	at := slices.IndexFunc(files, func(file string) bool { return len(recordsIn(t, file)) > 2 })
	require.GreaterOrEqual(t, at, 0)
	victim := files[at]
	name := strings.TrimPrefix(victim, folder)
	content, err := os.ReadFile(victim)
	require.NoError(t, err)
	records := recordsIn(t, victim)
	require.True(t, closed.UnixMilli() > 0)
	for _, c := range []struct {
		name string
		harm func()
		mend func()
		want map[string]int64
		said string
	}{
		{"a file deleted", func() { require.NoError(t, os.Remove(victim)) }, nil, map[string]int64{"3m missing": int64(len(records))}, "its file is not there"},
		{"a sample left out", func() { rewrite(t, victim, records[1:]) }, nil, map[string]int64{"3m missing": 1}, "in " + name},
		{"a sample doubled", func() { rewrite(t, victim, append(slices.Clone(records), records[0])) }, nil, map[string]int64{"3m doubled": 1}, "it is there as well at sample 0 of " + name},
		{
			"a file there under two names", func() { require.NoError(t, os.WriteFile(copyOf(victim), content, 0o600)) }, func() { require.NoError(t, os.Remove(copyOf(victim))) },
			map[string]int64{"3m doubled": int64(len(records))},
			"it is there as well at sample 0 of stage=3m/",
		},
		{
			"a file in the folder of another stage", func() {
				require.NoError(t, os.Rename(victim, strings.Replace(victim, "stage=3m", "stage=1m", 1)+".avro"))
			},
			func() { require.NoError(t, os.Remove(strings.Replace(victim, "stage=3m", "stage=1m", 1)+".avro")) },
			map[string]int64{"3m different": int64(len(records))},
			`(folder): must be "3m", is "1m"`,
		},
		{"a file cut short", func() { require.NoError(t, os.WriteFile(victim, content[:len(content)-20], 0o600)) }, nil, map[string]int64{"3m missing": int64(len(records)), "3m unreadable": 1}, name},
		{"another file", func() { require.NoError(t, os.WriteFile(victim, []byte("what is this"), 0o600)) }, nil, map[string]int64{"3m missing": int64(len(records)), "3m unreadable": 1}, name},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &rig{T: t, dir: r.dir, brokers: r.brokers, spec: r.spec}
			t.Cleanup(func() {
				if c.mend != nil {
					c.mend()
				}
				require.NoError(t, os.WriteFile(victim, content, 0o600))
			})
			c.harm()
			found := r.audit(Options{})
			var text strings.Builder
			require.NoError(t, found.Text(&text, 200))
			require.Equal(t, c.want, classes(found), text.String())
			require.Contains(t, text.String(), c.said)
		})
	}
	require.Zero(t, r.audit(Options{}).Findings)
}

func copyOf(file string) string { return strings.TrimSuffix(file, ".avro") + "-copy.avro" }

// recordsIn are the records of an Avro file.
func recordsIn(t *testing.T, file string) (records [][]byte) {
	t.Helper()
	in, err := os.Open(file)
	require.NoError(t, err)
	defer in.Close() //nolint:errcheck // only read
	_, err = avro.EachRecord(in, func(record, _ []byte) error {
		records = append(records, bytes.Clone(record))
		return nil
	})
	require.NoError(t, err)
	return records
}

// rewrite writes a file anew, with its schema and other records.
func rewrite(t *testing.T, file string, records [][]byte) {
	t.Helper()
	in, err := os.Open(file)
	require.NoError(t, err)
	reader, err := avro.NewReader(in)
	require.NoError(t, err)
	require.NoError(t, in.Close())
	out, err := fileio.Create(context.Background(), file)
	require.NoError(t, err)
	w, err := avro.NewWriter(out, reader.Header().Schema, avro.WriterOptions{})
	require.NoError(t, err)
	for _, record := range records {
		require.NoError(t, w.Append(record))
	}
	require.NoError(t, w.Close())
	require.NoError(t, out.Commit())
}
