package why

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// begin is when the logs of tests begin.
var begin = time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)

// at is an event time so long after begin, in ms.
func at(d time.Duration) int64 { return begin.Add(d).UnixMilli() }

func view(id string, d time.Duration) string { return fmt.Sprintf(`{"id":%q,"ts":%d}`, id, at(d)) }

func like(event, view string, d time.Duration) string {
	return fmt.Sprintf(`{"event":%q,"view":%q,"ts":%d}`, event, view, at(d))
}

// rig is a folder with a spec of files.
type rig struct {
	*testing.T
	dir  string
	spec *spec.Spec
}

const (
	viewsOf = "views: {inputs: [{path: views.jsonl, order: file}], id: id, time: {field: ts, unit: epoch-millis}%s}\n"
	likesOf = "engagements: {like: {inputs: [{path: likes.jsonl, order: file}], view: view, id: event, time: {field: ts, unit: epoch-millis}, window: 30m, label: count%s}}\n"
	outputs = "outputs: {samples: {path: out, format: json}}\n"
)

// newRig writes the files, and a spec of which more is what the roles have besides.
func newRig(t *testing.T, views, likes []string, text string) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir()}
	r.write("views.jsonl", views)
	r.write("likes.jsonl", likes)
	var err error
	r.spec, err = spec.Parse(r.dir+"/spec.yaml", []byte(text))
	require.NoError(t, err)
	return r
}

func (r *rig) write(name string, lines []string) {
	require.NoError(r, os.WriteFile(r.dir+"/"+name, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

func (r *rig) join() *rig {
	_, err := batch.Run(r.Context(), r.spec, batch.Options{})
	require.NoError(r, err)
	return r
}

// why asks, and leaves the folder's name out of what is said.
func (r *rig) why(id string) *Result {
	r.Helper()
	found, err := Run(r.Context(), r.spec, id, Options{})
	require.NoError(r, err)
	found.Sentence = strings.ReplaceAll(found.Sentence, r.dir+"/", "")
	require.NoError(r, found.JSON(&strings.Builder{}))
	return found
}

// TestOutcomes has one id for each thing that can become of a record of files.
func TestOutcomes(t *testing.T) {
	const joined = "out/dt=2026-01-02/part-20260102T000000Z-20260103T000000Z.jsonl"
	plain := fmt.Sprintf(viewsOf+likesOf, "", "") + "out_of_orderness: 1m\n" + outputs
	views := []string{
		view("positive", 0), view("negative", time.Minute), view("engaged", 2*time.Minute), view("twice", 3*time.Minute), view("twice", 3*time.Minute+time.Second),
		`{"id":"dead","ts":"yesterday"}`, `{"id":"broken","ts":`, view("moves", 2*time.Hour), view("moves on", 2*time.Hour), view("late", 10*time.Minute),
	}
	likes := []string{
		like("counts", "positive", 5*time.Minute), like("counts", "positive", 5*time.Minute), like("before", "engaged", time.Minute),
		like("after", "engaged", 32*time.Minute), like("far", "engaged", 50*time.Minute), like("orphan", "nobody", 51*time.Minute),
		like("z", "nobody", 3*time.Hour), like("y", "nobody", 3*time.Hour), like("late like", "positive", 10*time.Minute),
	}
	keyed := strings.NewReplacer("id: id,", "id: id, key: item,", "view: view,", "key: item,", "label: count", "label: count, credit: last").Replace(plain)
	item := func(text string) string { return strings.Replace(text, "{", `{"item":"i",`, 1) }
	parent, rigs := t, map[string]*rig{}
	for _, c := range []struct {
		name, text   string
		views, likes []string
		id           string
		want         Outcome
		sentence     string
	}{
		{name: "positive", id: "positive", want: Positive, sentence: "View positive of 2026-01-02T10:00:00Z is a positive: the like at likes.jsonl@0, 5m later, counts; its sample is at " + joined + ", sample 0."},
		{name: "negative", id: "negative", want: Negative, sentence: "View negative of 2026-01-02T10:01:00Z is a negative: no engagement names it; its sample is at " + joined + ", sample 1."},
		{
			name: "engagements outside the window", id: "engaged", want: Negative,
			sentence: "View engaged of 2026-01-02T10:02:00Z is a negative: the like at likes.jsonl@3 is 0ms after its window, the like at likes.jsonl@2 is 1m before the view and the like at likes.jsonl@4 is 18m after its window; its sample is at " + joined + ", sample 2.",
		},
		{name: "late view", id: "late", want: Late, sentence: "The view at views.jsonl@9 of 2026-01-02T10:10:00Z came late, by 1h19m: the view had closed: its time plus the longest window is not after the watermark."},
		{name: "dead view", id: "dead", want: Dead, sentence: `The view at views.jsonl@5 is a dead letter: field ts: time "yesterday" is not a number, as epoch-millis wants.`},
		{name: "a view that is no JSON", id: "broken", want: Dead, sentence: "The view at views.jsonl@6 is a dead letter: "},
		{
			name: "an engagement that counts, and its duplicate", id: "counts", want: Duplicate,
			sentence: "The like at likes.jsonl@0 of 2026-01-02T10:05:00Z counts for view positive of 2026-01-02T10:00:00Z, at views.jsonl@0, 5m before; the like at likes.jsonl@1 of 2026-01-02T10:05:00Z is a duplicate of the one at likes.jsonl@0.",
		},
		{name: "an engagement before its view", id: "before", want: Outside, sentence: "The like at likes.jsonl@2 of 2026-01-02T10:01:00Z is for nothing: it is 1m before the view (view engaged of 2026-01-02T10:02:00Z)."},
		{name: "an engagement as the window ends", id: "after", want: Outside, sentence: "The like at likes.jsonl@3 of 2026-01-02T10:32:00Z is for nothing: it is 0ms after its window (view engaged of 2026-01-02T10:02:00Z)."},
		{name: "an orphan with a view far off", id: "far", want: Orphan, sentence: "The like at likes.jsonl@4 of 2026-01-02T10:50:00Z is an orphan: no view with the id engaged is in reach; it is 18m after its window (view at views.jsonl@2 of 2026-01-02T10:02:00Z)."},
		{name: "an orphan", id: "orphan", want: Orphan, sentence: "The like at likes.jsonl@5 of 2026-01-02T10:51:00Z is an orphan: no view with the id nobody is in reach."},
		{name: "a late engagement", id: "late like", want: Late, sentence: "The like at likes.jsonl@8 of 2026-01-02T10:10:00Z came late, by 2h19m: every view it may refer to had closed."},
		{name: "nothing", id: "nothing", want: NotFound, sentence: "Nothing that was read has or names the id nothing: 9 views, 9 engagements; dead letters: 2, none of which holds it as text."},
		{
			name: "duplicate view", id: "twice", want: Negative, text: strings.Replace(plain, "unit: epoch-millis}}", "unit: epoch-millis}, dedup_window: 10s}", 1),
			sentence: "View twice of 2026-01-02T10:03:00Z is a negative: no engagement names it; its sample is at " + joined + ", sample 3.",
		},
		{
			name: "left out by where", id: "robot", want: Filtered, text: strings.Replace(plain, "id: id,", "id: id, where: {kind: view},", 1),
			views: []string{`{"id":"robot","kind":"ping","ts":1767348000000}`}, sentence: "The view at views.jsonl@0 of 2026-01-02T10:00:00Z is left out: `where` does not let it through.",
		},
		{
			name: "counts for the last view of its key", id: "first", want: Negative, text: keyed,
			views: []string{item(view("first", 0)), item(view("last", time.Minute))}, likes: []string{item(like("e", "", 2*time.Minute))},
			sentence: "View first of 2026-01-02T10:00:00Z is a negative: the like at likes.jsonl@0 counts for view last of the same key (the inputs end before its window does); its sample is at " + joined + ", sample 0.",
		},
		{
			name: "the engagement of that key", id: "e", want: Counts, text: keyed,
			views: []string{item(view("first", 0)), item(view("last", time.Minute))}, likes: []string{item(like("e", "", 2*time.Minute))},
			sentence: "The like at likes.jsonl@0 of 2026-01-02T10:02:00Z counts for view last of 2026-01-02T10:01:00Z, at views.jsonl@1, 1m before.",
		},
		{
			name: "another of its kind counts", id: "second", want: Superseded, text: strings.Replace(plain, "label: count", "label: count, count: first", 1),
			views: []string{view("v", 0)}, likes: []string{like("one", "v", time.Minute), like("second", "v", 2*time.Minute)},
			sentence: "The like at likes.jsonl@1 of 2026-01-02T10:02:00Z is in the window of view v, where it gives way to the one at likes.jsonl@0.",
		},
		{
			name: "negatives are sampled out", id: "n5", want: SampledOut, text: plain + "negatives: {keep: 0.01}\n",
			views: []string{view("n5", 0)}, sentence: "View n5 of 2026-01-02T10:00:00Z is a negative that is not kept (negatives.keep): no engagement names it.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.text == "" {
				c.text = plain
			}
			if c.views == nil {
				c.views, c.likes = views, likes
			}
			of := fmt.Sprint(c.text, c.views)
			if rigs[of] == nil {
				rigs[of] = newRig(parent, c.views, c.likes, c.text).join()
			}
			found := rigs[of].why(c.id)
			if strings.HasSuffix(c.sentence, ": ") {
				require.True(t, strings.HasPrefix(found.Sentence, c.sentence), found.Sentence)
				found.Sentence = c.sentence
			}
			require.Equal(t, c.sentence, found.Sentence)
			require.Equal(t, c.want, found.Outcome)
			require.Equal(t, c.want != NotFound, found.Found)
		})
	}
}

// TestRecords: what is told of each record, and of the duplicate of a view.
func TestRecords(t *testing.T) {
	text := fmt.Sprintf(viewsOf+likesOf, ", dedup_window: 10s", "") + "out_of_orderness: 1m\nshards: 4\n" + outputs
	r := newRig(t, []string{view("a", time.Minute), view("v", 0), view("v", time.Second)}, []string{like("e", "v", time.Minute)}, text).join()
	found := r.why("v")
	require.Len(t, found.Records, 3)
	kept, again, engaged := found.Records[0], found.Records[1], found.Records[2]
	require.Equal(t, "views.jsonl@1", strings.TrimPrefix(kept.String(), r.dir+"/"))
	require.Equal(t, begin, *kept.Watermark, "a minute before the view that was read first")
	require.Equal(t, fateSample, kept.Fate)
	require.Equal(t, fateDuplicate, again.Fate)
	require.Equal(t, kept.Place, *again.DuplicateOf)
	require.Equal(t, fateMatched, engaged.Fate)
	require.Len(t, kept.Stages, 1)
	st := kept.Stages[0]
	require.Equal(t, begin, st.Bucket)
	require.True(t, st.Shard >= 0 && st.Shard < 4)
	require.Equal(t, begin.Add(r.spec.Bucket+30*time.Minute), st.Closes)
	require.Equal(t, stateWritten, st.Sinks[0].State)
	var sample struct {
		Labels struct{ Like int }
	}
	require.NoError(t, json.Unmarshal(st.Sample, &sample))
	require.Equal(t, 1, sample.Labels.Like)
	require.NoError(t, json.Unmarshal(found.Samples[*st.Sinks[0].At].Sample, &sample))
	require.Equal(t, 1, sample.Labels.Like)
	var out strings.Builder
	require.NoError(t, found.Text(&out))
	require.Contains(t, out.String(), "views.jsonl@2  2026-01-02T10:00:01Z  2026-01-02T10:00:00Z  v      duplicate of ")
}

// TestSinks: what is missing, other, extra or not written yet is told, in every format of files.
func TestSinks(t *testing.T) {
	for _, format := range []string{"json", "avro", "csv", "parquet"} {
		t.Run(format, func(t *testing.T) {
			text := fmt.Sprintf(viewsOf+likesOf, "", "") + "outputs: {samples: {path: out, format: " + format + "}}\n"
			likes := []string{like("e", "v", time.Minute), like("z", "z", 3*time.Hour)}
			r := newRig(t, []string{view("v", 0), view("w", time.Minute)}, likes, text)
			require.Equal(t, Pending, r.why("v").Outcome, "nothing has joined it yet")
			r.join()
			require.Equal(t, Positive, r.why("v").Outcome)
			r.write("likes.jsonl", likes[1:])
			found := r.why("v")
			require.Equal(t, Different, found.Outcome)
			require.Contains(t, found.Sentence, "labels")
			r.write("views.jsonl", []string{view("w", time.Minute)})
			found = r.why("v")
			require.Equal(t, Extra, found.Outcome)
			require.True(t, found.Found)
			files, err := filepath.Glob(r.dir + "/out/dt=*/part-*")
			require.NoError(t, err)
			require.Len(t, files, 1)
			require.NoError(t, os.Remove(files[0]))
			require.Equal(t, NotFound, r.why("v").Outcome)
			found = r.why("w")
			require.Equal(t, Missing, found.Outcome)
			require.Equal(t, "View w of 2026-01-02T10:01:00Z is a negative: no engagement names it, and its sample is not in folder out, whose bucket of it is complete.", found.Sentence)
		})
	}
}

// TestElements: of a record that holds several events each has its place in the list, and what it becomes.
func TestElements(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(viewsOf+likesOf, "", ""), "id: id, time", "id: items.id, each: items, time", 1) + outputs
	r := newRig(t, []string{fmt.Sprintf(`{"ts":%d,"items":[{"id":"a"},{"id":"b"},{"id":null}]}`, at(0))}, []string{like("e", "b", time.Minute), like("z", "z", 2*time.Hour)}, text).join()
	found := r.why("b")
	require.Equal(t, Positive, found.Outcome)
	require.Len(t, found.Records, 2)
	require.EqualValues(t, 1, *found.Records[0].Index)
	require.Equal(t, "views.jsonl@0[1]", strings.TrimPrefix(found.Records[0].String(), r.dir+"/"))
	require.Equal(t, "The like at likes.jsonl@0 of 2026-01-02T10:01:00Z counts for view b of 2026-01-02T10:00:00Z, at views.jsonl@0[1], 1m before.", r.why("e").Sentence)
	found = r.why("a")
	require.Equal(t, Negative, found.Outcome)
	require.Len(t, found.Records, 1, "a dead element is of no id")
	require.EqualValues(t, 1, found.Read.Dead)
}

// TestStages: each stage tells what it makes of a view, and for which it came too late.
func TestStages(t *testing.T) {
	text := fmt.Sprintf(viewsOf+likesOf, "", "") + "out_of_orderness: 1m\nstages: [{after: 1m, out_of_orderness: 0s, emit: all}, {after: 10m, emit: positives}]\n" + outputs
	r := newRig(t, []string{view("v", 0), view("w", 0), view("m", 10*time.Minute), view("m2", 10*time.Minute), view("slow", 5*time.Minute)},
		[]string{like("a", "v", 30*time.Second), like("b", "v", 9*time.Minute), like("c", "v", 20*time.Minute), like("z", "z", 2*time.Hour)}, text).join()
	found := r.why("v")
	require.Equal(t, Positive, found.Outcome)
	stages := found.Records[0].Stages
	require.Len(t, stages, 3)
	var told []string
	for _, st := range stages {
		told = append(told, fmt.Sprintf("%s %s %v %s %d", st.Stage, st.Fate, st.Given, labels(st.Sample), len(st.Engagements)))
		require.Equal(t, stateWritten, st.Sinks[0].State)
	}
	require.Equal(t, []string{"1m sample true like=1 1", "10m sample true like=2 2", "30m sample true like=3 3"}, told)
	require.Len(t, found.Samples, 3)
	var versions []int64
	for _, s := range found.Samples {
		var one struct{ Version int64 }
		require.NoError(t, json.Unmarshal(s.Sample, &one))
		versions = append(versions, one.Version)
	}
	require.Equal(t, []int64{0, 1, 2}, versions)
	found = r.why("w")
	require.Equal(t, Negative, found.Outcome)
	require.False(t, found.Records[0].Stages[2].Given, "as said before")
	require.Contains(t, found.Sentence, "stage=1m")
	became := func(r *Result) (all []string) {
		for _, row := range r.stageRows() {
			text, _, _ := strings.Cut(row[len(row)-1], ", written")
			all = append(all, text)
		}
		return all
	}
	require.Equal(t, []string{"negative", "negative, as said before", "negative, as said before"}, became(found))
	quiet := newRig(t, []string{view("w", 0)}, nil, fmt.Sprintf(viewsOf+likesOf, "", "")+"stages: [{after: 1m, emit: positives}, {after: 10m, emit: positives}]\n"+outputs).join()
	require.Equal(t, []string{"negative, which this stage does not give", "negative, which this stage does not give", "negative"}, became(quiet.why("w")))
	found = r.why("slow")
	require.Equal(t, fateLate, found.Records[0].Stages[0].Fate)
	require.Equal(t, fateSample, found.Records[0].Stages[1].Fate)
}

// TestOpen: a view whose last stage has nothing to say by now is undecided until its bucket is complete.
func TestOpen(t *testing.T) {
	plain := fmt.Sprintf(viewsOf+likesOf, "", "") + outputs
	for name, text := range map[string]string{
		"not kept": plain + "negatives: {keep: 0.01}\n",
		"stages":   plain + "stages: [{after: 1m, emit: all}, {after: 10m, emit: changed}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, []string{view("n5", 0)}, nil, text)
			found := r.why("n5")
			require.Equal(t, Pending, found.Outcome, found.Sentence)
			require.Contains(t, found.Sentence, "View n5 of 2026-01-02T10:00:00Z is not decided yet: by what was read it is a negative")
			stages := found.Records[0].Stages
			require.Contains(t, found.Sentence, exactly(stages[len(stages)-1].Closes))
			require.Contains(t, r.join().why("n5").Sentence, "View n5 of 2026-01-02T10:00:00Z is a negative")
		})
	}
}

// TestExtra: a sample of a view that is not kept is told.
func TestExtra(t *testing.T) {
	text := fmt.Sprintf(viewsOf+likesOf, "", "") + outputs
	r := newRig(t, []string{view("n5", 0)}, nil, text).join()
	var err error
	r.spec, err = spec.Parse(r.spec.File, []byte(text+"negatives: {keep: 0.01}\n"))
	require.NoError(t, err)
	found := r.why("n5")
	require.Equal(t, Extra, found.Outcome)
	require.Contains(t, found.Sentence, "is a negative that is not kept (negatives.keep): no engagement names it; yet a sample of it is at out/dt=2026-01-02/")
}

// TestRefuses what cannot be read again.
func TestRefuses(t *testing.T) {
	r := newRig(t, []string{view("v", 0)}, nil, fmt.Sprintf(viewsOf+likesOf, "", "")+outputs)
	_, err := Run(t.Context(), r.spec, "", Options{})
	require.EqualError(t, err, "an empty id is none")
	r.spec.Views.Inputs[0].Path = "-"
	_, err = Run(t.Context(), r.spec, "v", Options{})
	require.ErrorContains(t, err, "reads stdin or writes to stdout")
}

// TestPartlyLate: an engagement that some views had closed for says so of each, be they in a bucket that it came to or not.
func TestPartlyLate(t *testing.T) {
	text := fmt.Sprintf(viewsOf+likesOf, "", "") + "out_of_orderness: 1m\nbucket: 5m\n" + outputs
	r := newRig(t, []string{view("gone", 2*time.Minute), view("v", 5*time.Minute), view("v2", 5*time.Minute+time.Millisecond)}, []string{
		like("x", "x", 36*time.Minute), like("x", "x", 36*time.Minute), like("far", "gone", 10*time.Minute), like("edge", "v", 10*time.Minute), like("open", "v2", 10*time.Minute),
	}, text).join()
	for id, at := range map[string]int{"gone": 2, "v": 3} {
		found := r.why(id)
		require.Equal(t, Negative, found.Outcome)
		require.Contains(t, found.Sentence, fmt.Sprintf("the like at likes.jsonl@%d was read when the view had closed", at))
	}
	found := r.why("v2")
	require.Equal(t, Positive, found.Outcome)
	require.Len(t, found.Records[0].Stages[0].Engagements, 1)
	require.True(t, r.why("open").Records[1].PartlyLate)
	for _, id := range []string{"far", "edge"} {
		found := r.why(id)
		require.Equal(t, Late, found.Outcome, found.Sentence)
		require.Contains(t, found.Sentence, "came late: its view may be among those that had closed")
	}
}

// TestMidnight: a sample is found in the folder of its day.
func TestMidnight(t *testing.T) {
	r := newRig(t, []string{view("v", 14*time.Hour), view("w", 14*time.Hour-time.Millisecond)}, nil, fmt.Sprintf(viewsOf+likesOf, "", "")+outputs).join()
	require.Contains(t, r.why("v").Sentence, "its sample is at out/dt=2026-01-03/")
	require.Contains(t, r.why("w").Sentence, "its sample is at out/dt=2026-01-02/")
}

// TestInRecord: a record that cannot be read is of an id that stands in it as a whole.
func TestInRecord(t *testing.T) {
	for record, want := range map[string]bool{
		`{"id":"v1"`: true, `{"id":"v10"`: false, `{"id":"xv1","of":"v1"`: true, `{"id":"v1-2"`: false, "\x02\x04v10": true, "v1": true, "\x06v10": false, "": false,
	} {
		require.Equal(t, want, newMatcher("v1").in([]byte(record)), "%q", record)
	}
}

// TestClose: an orphan waits no more for views of a bucket that the job has completed, though a partition holds back the watermark of the log.
func TestClose(t *testing.T) {
	open := begin.Add(time.Hour)
	r := &Result{Records: []Record{{Open: &open, foundTo: at(0)}, {Open: &open, foundTo: at(time.Hour)}, {}}}
	r.close(func(viewTime int64) bool { return viewTime < at(time.Minute) })
	require.Nil(t, r.Records[0].Open)
	require.NotNil(t, r.Records[1].Open)
}
