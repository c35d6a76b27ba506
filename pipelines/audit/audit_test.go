package audit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/pipelines/job/stream"
	"tributary/pipelines/spec"
)

// beside are the topics beside a folder of samples.
const beside = "  late: {topic: samples.late}\n  dead_letters: {topic: samples.dead}\n  accounts: {topic: samples.accounts}\n  time_index: {topic: samples.marks}"

// TestClean: what a stream has written of input in which all goes wrong that can is what the join gives, in each kind of sink.
func TestClean(t *testing.T) {
	for _, c := range []struct{ name, samples, more string }{
		{"a topic", "samples: {topic: samples}", ""},
		{"a topic of JSON, negatives sampled", "samples: {topic: samples, format: json}", "negatives: {keep: 0.5}\n"},
		{"a topic of stages", "samples: {topic: samples}", stages},
		{"a topic of the last stage", "samples: {topic: samples, stages: final}", lasting + "negatives: {keep: 0.5}\n"},
		{"a folder", "samples: stream/samples\n" + beside, ""},
		{"a folder of stages", "samples: stream/samples\n" + beside, stages},
		{"a folder of the last stage, in Parquet", "samples: {path: stream/samples, format: parquet, stages: final}\n" + beside, lasting + "negatives: {keep: 0.5}\n"},
		{"a folder of CSV, by hours", "samples: {path: stream/samples, format: csv, codec: gzip, folders: hour}\n" + beside, ""},
		{"a folder of JSON, five minutes together", "samples: {path: stream/samples, format: json, compact: 5m}\n" + beside, ""},
		{"a topic and a folder", "samples: [{topic: samples}, stream/samples]", ""},
		{"a topic and a folder of stages, in Parquet", "samples: [{topic: samples, format: json}, {path: stream/samples, format: parquet}]", stages},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.samples, c.more)
			found := r.audit(Options{})
			for range 4 { // how far a stream has come when it ends is up to the runner
				if !slices.ContainsFunc(found.Sinks, func(s *SinkResult) bool { return due(s) <= 10 }) {
					break
				}
				r.stream(stream.Options{Resume: stream.FromLog})
				found = r.audit(Options{})
			}
			var text strings.Builder
			require.NoError(t, found.Text(&text, 100))
			require.Zero(t, found.Findings, text.String())
			for _, sink := range found.Sinks {
				require.Empty(t, sink.Notes)
				for _, s := range sink.Stages {
					require.Equal(t, s.Expected, s.Equal)
					require.Equal(t, s.Expected, s.Found)
				}
				require.Greater(t, due(sink), int64(10), text.String())
			}
			if r.spec.Outputs.SamplesTopic() != nil {
				r.correctable()
			}
		})
	}
}

// correctable: of samples that are what a join gives none is to be corrected, but for late engagements.
func (r *rig) correctable() {
	r.Helper()
	for _, late := range []bool{false, true} {
		told := int64(0)
		found, err := FindCorrections(r.Context(), r.spec, CorrectOptions{Late: late}, func(*Correction) error { told++; return nil })
		require.NoError(r, err)
		require.Equal(r, found.Missing+found.Different+found.Extra, told)
		require.Equal(r, found.Views, found.Right+told)
		require.Greater(r, found.Right, int64(10))
		require.Equal(r, late, told > 0)
	}
}

// due is how many samples of all stages a sink must have.
func due(s *SinkResult) (n int64) {
	for _, stage := range s.Stages {
		n += stage.Expected
	}
	return n
}

// TestRange: only whole buckets in the range that is asked for are compared, and what lies outside is counted.
func TestRange(t *testing.T) {
	r := newRig(t, "samples: [{topic: samples}, stream/samples]", lasting)
	all := r.audit(Options{})
	from, to := all.Sinks[0].Stages[1].To.Add(-6*time.Minute-30*time.Second), all.Sinks[0].Stages[1].To.Add(-3*time.Minute-10*time.Second)
	found := r.audit(Options{From: from, To: to})
	require.Zero(t, found.Findings)
	for i, sink := range found.Sinks {
		last := sink.Stages[1]
		require.Equal(t, from.Add(30*time.Second), *last.From)
		require.Equal(t, to.Add(-50*time.Second), *last.To)
		require.Positive(t, last.Equal)
		was := all.Sinks[i].Stages[1]
		require.Equal(t, was.Found+was.NotClosed, last.Found+last.Outside+last.NotClosed)
		require.Positive(t, last.Outside)
	}
	_, err := Run(t.Context(), r.spec, Options{From: to.Add(time.Millisecond), To: to.Add(2 * time.Millisecond)})
	require.ErrorIs(t, err, ErrNothingClosed)
}

// TestInputsGone: where inputs no longer hold their first records the range has to say where it begins.
func TestInputsGone(t *testing.T) {
	r := newRig(t, "samples: {topic: samples}", "")
	to := *r.audit(Options{}).Sinks[0].Stages[0].To
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "views", Partition: 1, At: 3})
	_, err := r.admin().DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	_, err = Run(t.Context(), r.spec, Options{})
	require.ErrorContains(t, err, "main/views/1 before offset 3, where event times are about 20")
	require.ErrorContains(t, err, "give --from, a time at least 6m30s after")
	text := err.Error()
	earliest, err := time.Parse(time.RFC3339, strings.TrimSuffix(text[strings.LastIndex(text, "there: ")+len("there: "):], " or later"))
	require.NoError(t, err)
	require.True(t, earliest.Before(to.Add(-time.Minute+1)), "%s, and complete before %s", earliest, to)
	found := r.audit(Options{From: earliest})
	require.Zero(t, found.Findings)
	require.Positive(t, found.Sinks[0].Stages[0].Equal)
	_, err = Run(t.Context(), r.spec, Options{From: earliest.Add(-time.Second)})
	require.ErrorContains(t, err, text[:strings.Index(text, "(")], "a range that they do not reach back to")
	// A job that began at a time has read what the log held then.
	r.spec.Stream.Start = spec.Start{From: spec.StartAtTime, Time: begin.AddDate(-10, 0, 0)}
	_, err = Run(t.Context(), r.spec, Options{})
	require.ErrorContains(t, err, "main/views/1 before offset 3")
}

// TestKeys: samples of views that share the keys of engagements, some of which come after others have closed, at each stage, in a topic and in a folder.
func TestKeys(t *testing.T) {
	r := &rig{T: t, dir: t.TempDir()}
	r.start()
	kind := func(name, credit, label string) string {
		return fmt.Sprintf("  %s: {inputs: [{topic: acts, format: json}], key: [user, item], time: {field: ts, unit: epoch-millis}, id: id, window: 1m, credit: %s, label: %s}\n", name, credit, label)
	}
	r.load(1, fmt.Sprintf("clusters: {main: {brokers: [%q]}}\n", r.brokers[0])+
		"views: {inputs: [{topic: views, format: json}], id: imp, key: [user, item], time: {field: ts, unit: epoch-millis}}\nengagements:\n"+
		kind("click", "last", "count")+kind("first", "first", "{sum: value}")+kind("part", "even", "{sum: value}")+
		"out_of_orderness: 10s\nstages: [20s]\nshards: 2\nstream: {name: keys, idle_timeout: never, source_parallelism: 1}\noutputs: {samples: [{topic: samples}, stream/samples]}\n")
	random := rand.New(rand.NewPCG(1, 2))
	var views, acts []string
	for i := range int64(300) {
		at := begin.UnixMilli() + i*1500
		if i%11 == 0 {
			at -= 60_000 + random.Int64N(25_000) // after others have closed
		} else {
			at -= random.Int64N(9000)
		}
		views = append(views, fmt.Sprintf(`{"imp":%d,"user":"u","item":%d,"ts":%d}`, i, random.IntN(3), at))
		if i%3 == 0 {
			acts = append(acts, fmt.Sprintf(`{"id":%d,"user":"u","item":%d,"value":%d,"ts":%d}`, i, random.IntN(3), i, begin.UnixMilli()+i*1500-random.Int64N(9000)))
		}
	}
	r.put("views", 0, views...)
	r.put("acts", 0, acts...)
	r.stream(stream.Options{})
	found := r.audit(Options{})
	require.Zero(t, found.Findings)
	for _, sink := range found.Sinks {
		for _, s := range sink.Stages {
			require.Greater(t, s.Equal, int64(50), s.Stage)
		}
	}
	files, err := filepath.Glob(r.dir + "/stream/samples/stage=1m/dt=*/part-*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	lost := len(recordsIn(t, files[0]))
	require.NoError(t, os.Remove(files[0]))
	found = r.audit(Options{})
	require.EqualValues(t, lost, found.Findings)
	require.EqualValues(t, lost, found.Sinks[1].Stages[1].Missing)
	require.Empty(t, found.Sinks[1].MissingFiles, "shards are by the key, which samples do not have")
}

// TestNothingComplete: a sink of which nothing is complete, though the rest of the job is, is a finding; a range up to which nothing is
// complete yet is told.
func TestNothingComplete(t *testing.T) {
	r := newRig(t, "samples: [{topic: samples}, stream/samples]", "")
	to := *r.audit(Options{}).Sinks[0].Stages[0].To
	var text strings.Builder
	found := r.audit(Options{To: to.Add(time.Hour)})
	require.Zero(t, found.Findings)
	require.NoError(t, found.Text(&text, 100))
	require.Contains(t, text.String(), "no findings in what is judged; it is not complete up to the end of the range, see above")
	_, err := Run(t.Context(), r.spec, Options{From: to.Add(time.Hour), To: to.Add(2 * time.Hour)})
	require.ErrorIs(t, err, ErrNothingClosed)
	require.ErrorContains(t, err, fmt.Sprintf("nothing to audit from %s to %s (topic samples: complete before %s; folder ",
		to.Add(time.Hour).Format(time.RFC3339), to.Add(2*time.Hour).Format(time.RFC3339), to.Format(time.RFC3339)))

	require.NoError(t, os.RemoveAll(r.dir+"/stream/samples"))
	found = r.audit(Options{})
	require.EqualValues(t, 1, found.Findings)
	require.Zero(t, found.Sinks[0].Findings)
	require.EqualValues(t, 1, found.Sinks[1].Stages[0].Incomplete)
	text.Reset()
	require.NoError(t, found.Text(&text, 100))
	require.Contains(t, text.String(), "nothing of it is known to be complete, and before "+to.Add(-time.Minute).Format(time.RFC3339)+" it must be")
	require.Contains(t, text.String(), "1 finding; not all of it is complete in the range, see above")
}
