package audit

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/spec"
)

// TestCorrected: what a job that was drained has corrected when it went on is told from what is doubled, by the version of its group.
func TestCorrected(t *testing.T) {
	r := newSmall(t, "")
	r.put("views", 0, view("a", 0), view("b", 70*time.Second), view("c", 75*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 76*time.Second))
	r.stream(stream.Options{Drain: true})
	r.put("likes", 0, like("b", 80*time.Second), like("b", 300*time.Second), like("b", 301*time.Second))
	r.put("views", 0, view("d", 300*time.Second), view("e", 301*time.Second))
	r.stream(stream.Options{Resume: stream.FromLog})
	found := r.audit(Options{})
	require.Zero(t, found.Findings, "%+v", found.Sinks[0].Examples)
	require.EqualValues(t, 3, found.Sinks[0].Stages[0].Equal)
	require.Positive(t, found.Sinks[0].Stages[0].Superseded)
}

// TestNotClosed: what a drained job may still correct is counted and not compared.
func TestNotClosed(t *testing.T) {
	r := newSmall(t, "")
	r.put("views", 0, view("a", 0), view("b", 200*time.Second), view("c", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 202*time.Second), like("c", 203*time.Second))
	r.stream(stream.Options{Drain: true})
	r.put("likes", 0, like("b", 210*time.Second))
	found := r.audit(Options{})
	require.Zero(t, found.Findings)
	s := found.Sinks[0].Stages[0]
	require.EqualValues(t, 1, s.Equal)
	require.EqualValues(t, 2, s.NotClosed)
	require.Equal(t, begin.Add(time.Minute), *s.Closed)
}

// TestAtLeastOnce: nothing says what is complete, and copies with the same bytes are no findings.
func TestAtLeastOnce(t *testing.T) {
	r := newSmall(t, ", delivery: at_least_once")
	r.put("views", 0, view("a", 0), view("b", 10*time.Second), view("c", 200*time.Second), view("d", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 201*time.Second), like("c", 202*time.Second))
	r.stream(stream.Options{})
	_, err := Run(t.Context(), r.spec, Options{})
	require.ErrorContains(t, err, "give --to")
	opt := Options{To: begin.Add(time.Minute)}
	require.Zero(t, r.audit(opt).Findings)
	var first *kgo.Record
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: r.brokers}, "samples", func(rec *kgo.Record) error {
		if string(rec.Key) == "a" {
			first = rec
		}
		return nil
	}))
	r.write(&commit, first)
	found := r.audit(opt)
	require.Zero(t, found.Findings)
	require.EqualValues(t, 1, found.Sinks[0].Stages[0].Repeated)
	first.Value = edit(`"like":1`, `"like":0`)(first.Value)
	r.write(&commit, first, first)
	require.Equal(t, map[string]int64{"doubled": 2}, classes(r.audit(opt)), "other bytes")
}

// TestCompacted: what a compacted topic no longer holds, since it has a newer sample of the view, is no finding; what has none is.
func TestCompacted(t *testing.T) {
	r := newSmall(t, "}\nstages: [{after: 10s, emit: all}, {after: 1m, emit: all}]\n#")
	r.put("views", 0, view("a", 0), view("b", 10*time.Second), view("c", 200*time.Second), view("d", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("b", 40*time.Second), like("c", 201*time.Second), like("c", 202*time.Second))
	r.stream(stream.Options{})
	require.Zero(t, r.audit(Options{}).Findings)
	var all []*kgo.Record
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: r.brokers}, "samples", func(rec *kgo.Record) error {
		all = append(all, rec)
		return nil
	}))
	admin := r.admin()
	anew := func(policy string, opt Options, keep func(rec *kgo.Record) bool) *Result {
		_, err := admin.DeleteTopics(t.Context(), "samples")
		require.NoError(t, err)
		_, err = admin.CreateTopics(t.Context(), 1, 1, map[string]*string{"cleanup.policy": &policy}, "samples")
		require.NoError(t, err)
		var kept []*kgo.Record
		for _, rec := range all {
			if keep(rec) {
				kept = append(kept, rec)
			}
		}
		r.write(&commit, kept...)
		return r.audit(opt)
	}
	early := func(rec *kgo.Record) bool {
		return gjson.GetBytes(rec.Value, "version").Int() == 0 && string(rec.Key) <= "b"
	}
	found := anew("compact", Options{}, func(rec *kgo.Record) bool { return !early(rec) })
	require.Zero(t, found.Findings)
	require.EqualValues(t, 2, found.Sinks[0].Stages[0].Compacted)
	found = anew("compact", Options{}, func(rec *kgo.Record) bool { return !early(rec) && string(rec.Key) != "b" })
	require.Equal(t, map[string]int64{"10s missing": 1, "1m missing": 1}, classes(found))
	found = anew("delete", Options{}, func(rec *kgo.Record) bool { return !early(rec) })
	require.Equal(t, map[string]int64{"10s missing": 2}, classes(found), "nothing else takes them away")
	found = anew("compact", Options{To: begin.Add(30 * time.Second)}, func(rec *kgo.Record) bool { return !early(rec) })
	require.Zero(t, found.Findings, "the newer ones are not in the range: %+v", found.Sinks[0].Examples)
	require.EqualValues(t, 2, found.Sinks[0].Stages[0].Compacted)
}

// TestLittleMemory: a bound of the memory changes nothing.
func TestLittleMemory(t *testing.T) {
	r := newRig(t, "samples: {topic: samples}", "")
	all, little := r.audit(Options{}), r.audit(Options{Memory: 2 << 10, Scratch: r.TempDir()})
	all.ElapsedMs, little.ElapsedMs = 0, 0
	require.Equal(t, all, little)
	require.Zero(t, all.Findings)
}

// TestParts: all entries of an id come together, each once, however small the memory is, also where an id alone does not fit.
func TestParts(t *testing.T) {
	for _, memory := range []int64{1, 1000, 20_000, math.MaxInt64} {
		p, err := newParts(t.TempDir()+"/parts", 0)
		require.NoError(t, err)
		want := map[string]int{}
		for i := range 1500 {
			id := fmt.Sprint(i % 200)
			if i%5 == 0 {
				id = "hot"
			}
			e := entry{side: side(i % 2), schema: i % 3, partition: int32(i) - 1, offset: int64(i), producer: noProducer, group: 1, file: "f", folder: "10s", stage: "1m", version: 1, time: int64(i), weight: 0.5, id: []byte(id), raw: bytes.Repeat([]byte{'x'}, i%90)}
			require.NoError(t, p.put(&e))
			again, err := decodeEntry(e.append(nil))
			require.NoError(t, err)
			require.Equal(t, e, again)
			want[id]++
		}
		parts := 0
		require.NoError(t, p.each(t.Context(), memory, func(entries []entry) error {
			parts++
			got := map[string]int{}
			for _, e := range entries {
				got[string(e.id)]++
			}
			for id, n := range got {
				require.Equal(t, want[id], n, id)
				delete(want, id)
			}
			return nil
		}))
		require.Empty(t, want)
		require.Equal(t, memory < 10_000, parts > 100, "%d parts of %d bytes", parts, memory)
		p.remove()
		require.NoDirExists(t, p.dir)
	}
	_, err := decodeEntry([]byte{1, 2, 3})
	require.ErrorContains(t, err, "something else than samples")
	p, err := newParts(t.TempDir()+"/parts", 0)
	require.NoError(t, err)
	require.NoError(t, p.put(&entry{id: []byte("a"), raw: make([]byte, 100)}))
	for at := range p.files {
		if p.files[at] != nil {
			require.NoError(t, p.to[at].Flush())
			require.NoError(t, os.Truncate(p.files[at].Name(), 50))
		}
	}
	require.Error(t, p.each(t.Context(), math.MaxInt64, func([]entry) error { return nil }), "a file that was cut")
}

// TestOtherSchema: samples that were written with another schema are compared by their fields.
func TestOtherSchema(t *testing.T) {
	schema := func(fields string) *avro.Schema {
		s, err := avro.ParseSchema(`{"type":"record","name":"S","fields":[{"name":"view_id","type":"string"},{"name":"view_time","type":"long"},{"name":"weight","type":"double"},` + fields + `]}`)
		require.NoError(t, err)
		return s
	}
	k := &sink{stages: []stage{{to: 10, closed: 10}}}
	k.output.Topic = "samples"
	c := newComparison(k, 10, false)
	want, err := c.schemas.of(schema(`{"name":"a","type":"int"},{"name":"b","type":"string"}`))
	require.NoError(t, err)
	other, err := c.schemas.of(schema(`{"name":"b","type":"string"},{"name":"a","type":"long"}`))
	require.NoError(t, err)
	require.NotEqual(t, want.schema, other.schema)
	again, err := c.schemas.of(schema(`{"name":"a","type":"int","doc":"the same"},{"name":"b","type":"string"}`))
	require.NoError(t, err)
	require.Same(t, want, again)
	head := append([]byte{2, 'v', 2}, make([]byte, 8)...) // v, 1, 0.0
	of := func(s *samples, side side, rest ...byte) entry {
		e := entry{side: side, producer: noProducer, schema: s.schema, raw: append(bytes.Clone(head), rest...)}
		require.NoError(t, s.keys(e.raw, &e))
		require.Equal(t, "v", string(e.id))
		require.EqualValues(t, 1, e.time)
		return e
	}
	require.NoError(t, c.part([]entry{of(want, sideWant, 6, 2, 'x'), of(other, sideHave, 2, 'x', 6)}))
	require.EqualValues(t, 1, c.result.Stages[0].Equal)
	require.NoError(t, c.part([]entry{of(want, sideWant, 6, 2, 'x'), of(other, sideHave, 2, 'y', 6)}))
	require.Equal(t, []Difference{{"b", `"x"`, `"y"`}}, c.told[Different][0].Fields)
	none, err := avro.ParseSchema(`{"type":"record","name":"S","fields":[{"name":"view_id","type":"string"}]}`)
	require.NoError(t, err)
	_, err = c.schemas.of(none)
	require.ErrorContains(t, err, "these are no samples")
	require.Error(t, want.keys(append(of(want, sideWant, 6, 2, 'x').raw, 0), &entry{}), "a byte behind")
}

// TestTakenBack: an output of final samples has none that take back what an earlier stage gave; others have.
func TestTakenBack(t *testing.T) {
	schema, err := avro.ParseSchema(`{"type":"record","name":"S","fields":[{"name":"view_id","type":"string"},{"name":"view_time","type":"long"},{"name":"weight","type":"double"}]}`)
	require.NoError(t, err)
	file, err := os.Create(t.TempDir() + "/samples.avro")
	require.NoError(t, err)
	w, err := avro.NewWriter(file, schema, avro.WriterOptions{})
	require.NoError(t, err)
	require.NoError(t, w.Append(append([]byte{2, 'v', 2}, make([]byte, 8)...)))
	require.NoError(t, w.Append(append([]byte{2, 'w', 2}, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)))
	require.NoError(t, w.Close())
	require.NoError(t, file.Close())
	for stages, want := range map[spec.StagesOf]int64{spec.FinalStage: 1, spec.AllStages: 2} {
		k := &sink{stages: []stage{{to: 10, closed: 10}}, output: spec.Output{Topic: "samples", Stages: stages}}
		c := newComparison(k, 10, false)
		given := int64(0)
		require.NoError(t, (&expected{}).eachOf(t.Context(), k, &k.stages[0], file.Name(), c.schemas, func(*stage, *entry) error { given++; return nil }))
		require.Equal(t, want, given)
	}
}

// TestTooLarge: a sample that the topic does not take is counted apart, as a dead letter says so.
func TestTooLarge(t *testing.T) {
	r := newSmall(t, "")
	large := fmt.Sprintf(`{"id":"large","ts":%d,"more":%q}`, begin.Add(time.Second).UnixMilli(), bytes.Repeat([]byte{'x'}, 3000))
	size := "2000"
	_, err := r.admin().AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &size}}, "samples")
	require.NoError(t, err)
	r.put("views", 0, view("a", 0), large, view("c", 200*time.Second), view("d", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 201*time.Second), like("c", 202*time.Second))
	r.stream(stream.Options{})
	found := r.audit(Options{})
	require.Zero(t, found.Findings)
	require.EqualValues(t, 1, found.Sinks[0].Stages[0].TooLarge)
	require.EqualValues(t, 1, found.Sinks[0].Stages[0].Equal)
	require.EqualValues(t, 1, found.Sinks[0].Rows[0].TooLarge)
}

// TestStoreFails: a file that cannot be read is no finding, but an error.
func TestStoreFails(t *testing.T) {
	for _, name := range []string{"/part-1.avro", "/part-1.csv", "/part-1.jsonl", "/part-1.jsonl.gz"} {
		path := t.TempDir() + name
		require.NoError(t, os.Symlink("/proc/self/mem", path)) // whose first bytes are of no process
		err := newSchemas().each(t.Context(), path, func(*samples, []byte) error { return nil }, func(err error) error {
			t.Errorf("%s is taken for damaged: %v", name, err)
			return nil
		})
		require.ErrorContains(t, err, "input/output error")
		require.ErrorContains(t, err, name)
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.WriteFile(path, []byte("what\x00 is \xff this"), 0o600))
		said := 0
		_ = newSchemas().each(t.Context(), path, func(of *samples, raw []byte) error { return of.keys(raw, &entry{}) }, func(error) error {
			said++
			return nil
		})
		if name == "/part-1.avro" {
			require.Equal(t, 1, said)
		}
	}
}
