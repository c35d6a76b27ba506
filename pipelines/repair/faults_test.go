package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/sink"
	"tributary/pipelines/audit"
	"tributary/pipelines/job"
	"tributary/pipelines/spec/problem"
	"tributary/pipelines/why"
)

// client is one for records and topics.
func (r *rig) client(opts ...kgo.Opt) *kgo.Client {
	r.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(r.brokers...))...)
	require.NoError(r, err)
	r.Cleanup(client.Close)
	return client
}

// anew makes the topic of samples again, with other samples and settings.
func (r *rig) anew(settings map[string]*string, all ...*kgo.Record) {
	r.Helper()
	client := r.client()
	admin := kadm.NewClient(client)
	_, err := admin.DeleteTopics(r.Context(), "samples")
	require.NoError(r, err)
	_, err = admin.CreateTopics(r.Context(), 2, 1, settings, "samples")
	require.NoError(r, err)
	r.put(all...)
}

// put writes samples to their topic.
func (r *rig) put(all ...*kgo.Record) {
	r.Helper()
	client := r.client()
	for _, s := range all {
		fresh := &kgo.Record{Topic: "samples", Key: s.Key, Value: s.Value, Headers: s.Headers}
		require.NoError(r, client.ProduceSync(r.Context(), fresh).FirstErr())
	}
}

func edited(s written, pairs ...string) *kgo.Record {
	text := strings.NewReplacer(pairs...).Replace(s.text)
	if text == s.text {
		panic(fmt.Sprintf("%q is not in %s", pairs, s.text))
	}
	return &kgo.Record{Key: s.Key, Value: []byte(text), Headers: s.Headers}
}

// closed are the samples of views before a time that a range has, in order of their keys.
func closed(all []written, before time.Time) []written {
	all = slices.DeleteFunc(slices.Clone(all), func(s written) bool { return gjson.Get(s.text, "view_time").Int() >= before.UnixMilli() })
	slices.SortFunc(all, func(a, b written) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return all
}

// TestRange: without --late a range is corrected to what an audit demands: a sample that was changed, one that was lost, and one that must not
// be there. Samples outside of the range are left.
func TestRange(t *testing.T) {
	for _, more := range []string{"", staged} {
		t.Run(strings.TrimSpace(more), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "{topic: samples, format: json}", more)
			clean := r.fix(CorrectOptions{DryRun: true})
			require.Zero(t, clean.Different+clean.Missing+clean.Extra)
			good := newest(r.topic())
			var all []written
			for _, s := range good {
				all = append(all, s)
			}
			all = closed(all, *clean.To)
			// Of a view that has one sample only nothing is left when it is lost.
			counts := map[string]int{}
			for _, s := range r.topic() {
				counts[string(s.Key)]++
			}
			alone := slices.IndexFunc(all, func(s written) bool { return counts[string(s.Key)] == 1 })
			require.GreaterOrEqual(t, alone, 0)
			lost := all[alone]
			wrong := all[slices.IndexFunc(all, func(s written) bool {
				return string(s.Key) != string(lost.Key) && gjson.Get(s.text, "labels.like").Int() == 0
			})]
			other := all[slices.IndexFunc(all, func(s written) bool {
				return string(s.Key) != string(lost.Key) && string(s.Key) != string(wrong.Key) && gjson.Get(s.text, "labels.buy").Float() > 0
			})]
			ghost := edited(wrong, string(wrong.Key), "ghost", `"final":false`, `"final":true`)
			var kept []*kgo.Record
			for _, s := range r.topic() {
				switch {
				case string(s.Key) == string(lost.Key):
				case s.Offset == wrong.Offset && s.Partition == wrong.Partition:
					kept = append(kept, edited(s, `"like":0`, `"like":1`))
				case s.Offset == other.Offset && s.Partition == other.Partition:
					kept = append(kept, edited(s, `"buy":`, `"buy":1`))
				default:
					kept = append(kept, s.Record)
				}
			}
			r.anew(nil, append(kept, ghost)...)
			before := len(r.topic())
			bad, err := audit.Run(t.Context(), r.spec, audit.Options{})
			require.NoError(t, err)
			var text strings.Builder
			require.NoError(t, bad.Text(&text, 120))
			require.EqualValues(t, 4, bad.Findings, text.String())

			at := gjson.Get(other.text, "view_time").Int()
			from := time.UnixMilli(at - at%bucket).UTC()
			part := r.fix(CorrectOptions{CorrectOptions: audit.CorrectOptions{Options: audit.Options{From: from, To: from.Add(time.Minute)}}, DryRun: true})
			require.GreaterOrEqual(t, part.Different, int64(1))
			require.Less(t, part.Views, clean.Views)
			dry := r.fix(CorrectOptions{DryRun: true})
			require.EqualValues(t, [5]int64{1, 1, 0, 1, 1}, [5]int64{dry.Different, dry.Missing, dry.Extra, dry.Left.Unknown, dry.Left.Losing}, "nobody said to take back")
			found := r.fix(CorrectOptions{CorrectOptions: audit.CorrectOptions{TakeBack: true}})
			require.EqualValues(t, [5]int64{2, 1, 1, 4, 1}, [5]int64{found.Different, found.Missing, found.Extra, found.Written, found.Losing})
			require.Len(t, r.topic(), before+4)
			have := newest(r.topic())
			for _, want := range []written{lost, wrong, other} {
				got := have[string(want.Key)]
				require.NotEmpty(t, got.corrected)
				for _, field := range []string{"labels", "positive", "weight", "view"} {
					require.Equal(t, gjson.Get(want.text, field).Raw, gjson.Get(got.text, field).Raw)
				}
			}
			require.JSONEq(t, `{"late":false,"changed":{"weight":[1,0]}}`, have["ghost"].corrected)
			require.Zero(t, gjson.Get(have["ghost"].text, "weight").Float())
			require.Contains(t, have[string(lost.Key)].corrected, `"labels.like":[null,`)

			require.Zero(t, r.fix(CorrectOptions{}).Written)
			a, corrected := audited(t, r), int64(0)
			for _, s := range a.Sinks[0].Stages {
				corrected += s.Corrected
			}
			require.EqualValues(t, 4, corrected)
			// Corrections are judged as well: one that is wrong, and one that is there twice.
			c := have[string(wrong.Key)]
			r.put(c.Record, edited(written{Record: have[string(other.Key)].Record, text: have[string(other.Key)].text}, `"buy":`, `"buy":2`))
			bad, err = audit.Run(t.Context(), r.spec, audit.Options{})
			require.NoError(t, err)
			last := bad.Sinks[0].Stages[len(bad.Sinks[0].Stages)-1]
			require.EqualValues(t, 2, last.Doubled)
			require.EqualValues(t, 1, last.Different-1, "the correction, and the sample that it does not put right")
			if more == staged {
				// What is there at an early stage only is the past of a sample that the last one did not need to give, or of a duplicate.
				early := good[string(all[slices.IndexFunc(all, func(s written) bool { return gjson.Get(s.text, "final").String() == "false" })].Key)]
				r.put(edited(early, string(early.Key), "early"))
				found = r.fix(CorrectOptions{CorrectOptions: audit.CorrectOptions{TakeBack: true}, DryRun: true})
				require.EqualValues(t, [2]int64{0, 1}, [2]int64{found.Extra, found.Left.Early})
			}
		})
	}
}

// TestKilled: a run that ends between two transactions leaves what it has written, and the next one writes the rest and no more. So does one
// whose transaction is open when it is killed: the next one ends that.
func TestKilled(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	was := len(r.topic())
	dry := r.fix(late(CorrectOptions{DryRun: true}))
	due := dry.Different
	require.Greater(t, due, int64(12))
	_, err := audit.FindCorrections(t.Context(), r.spec, audit.CorrectOptions{Late: true, Values: true}, func(*audit.Correction) error { return nil })
	require.NoError(t, err)

	killed := errors.New("killed")
	to, err := sink.OpenAppender(t.Context(), job.SampleConfig(r.spec), writerName)
	require.NoError(t, err)
	defer to.Close()
	w := &writing{to: to, out: &Corrected{}, atOnce: 5, changes: map[string]map[[2]string]int64{}}
	n := 0
	_, err = audit.FindCorrections(t.Context(), r.spec, audit.CorrectOptions{Late: true, Values: true}, func(c *audit.Correction) error {
		if n++; n > 7 {
			return killed
		}
		return w.take(t.Context(), c)
	})
	require.ErrorIs(t, err, killed)
	require.Len(t, r.topic(), was+5, "one transaction")
	// Its second transaction is open.
	open := r.client(kgo.TransactionalID("made-"+writerName), kgo.DefaultProduceTopic("samples"))
	require.NoError(t, open.BeginTransaction())
	for _, rec := range w.records {
		require.NoError(t, open.ProduceSync(t.Context(), &kgo.Record{Key: rec.Key, Value: rec.Value, Headers: rec.Headers}).FirstErr())
	}

	found := r.fix(late(CorrectOptions{AtOnce: 4}))
	require.Equal(t, due-5, found.Written)
	require.Equal(t, (due-5+3)/4, found.Transactions)
	all := r.topic()
	require.Len(t, all, was+int(due))
	times := map[string]int{}
	for _, s := range all {
		if s.corrected != "" {
			times[string(s.Key)]++
			require.Equal(t, 1, times[string(s.Key)], "view %s is corrected twice", s.Key)
		}
	}
	r.requireTruth(*found.To, true)
	audited(t, r)
}

// TestFenced: of two who repair one job the older writes nothing any more, and says so.
func TestFenced(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	was := len(r.topic())
	old, err := sink.OpenAppender(t.Context(), job.SampleConfig(r.spec), writerName)
	require.NoError(t, err)
	defer old.Close()
	found := r.fix(late(CorrectOptions{}))
	err = old.Append(t.Context(), []*kgo.Record{{Key: []byte("x"), Value: []byte("x")}})
	require.ErrorIs(t, err, sink.ErrFenced)
	require.Len(t, r.topic(), was+int(found.Written))
}

// TestWrittenAgain: a job that writes a group again knows nothing of corrections. What it writes counts then, by audits as well, and a repair
// corrects it again.
func TestWrittenAgain(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	before := newest(r.topic())
	found := r.fix(late(CorrectOptions{}))
	for _, s := range newest(r.topic()) {
		if old, some := before[string(s.Key)]; some && s.corrected != "" {
			r.put(&kgo.Record{Key: old.Key, Value: old.Value, Headers: []kgo.RecordHeader{{Key: "version", Value: []byte("2")}}})
			break
		}
	}
	require.EqualValues(t, found.Written-1, audited(t, r).Sinks[0].Stages[0].Corrected)
	again := r.fix(late(CorrectOptions{}))
	require.EqualValues(t, 1, again.Written)
	r.requireTruth(*again.To, true)
	require.EqualValues(t, found.Written, audited(t, r).Sinks[0].Stages[0].Corrected)
}

// TestStreamGoesOn: while the job writes on, its samples and corrections come to the topic beside each other; what it completes later is
// corrected by a later run.
func TestStreamGoesOn(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	first := r.fix(late(CorrectOptions{DryRun: true}))
	client := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	more := func(from, n int64) {
		for i := from; i < from+n; i++ {
			at := begin.UnixMilli() + 600*1500 + 2000 + i*1500
			v := made{id: fmt.Sprintf("w%d", i), time: at}
			e := made{view: v.id, time: at + 1000}
			for p := range int32(2) {
				client.Produce(t.Context(), &kgo.Record{Topic: "likes", Partition: p, Value: fmt.Appendf(nil, `{"id":"none%d","view":"none","ts":%d}`, i, at)}, nil)
				client.Produce(t.Context(), &kgo.Record{Topic: "buys", Partition: p, Value: fmt.Appendf(nil, `{"id":"none%d","view":"none","ts":%d,"amount":1}`, i, at)}, nil)
			}
			client.Produce(t.Context(), &kgo.Record{Topic: "views", Partition: int32(i % 2), Value: fmt.Appendf(nil, `{"id":%q,"ts":%d}`, v.id, v.time)}, nil)
			r.views = append(r.views, v)
			if i%3 == 0 && i+200 < from+n {
				r.likes = append(r.likes, e)
				client.Produce(t.Context(), &kgo.Record{Topic: "likes", Partition: 0, Value: fmt.Appendf(nil, `{"id":"l%d","view":%q,"ts":%d}`, i, e.view, e.time)}, nil)
			}
		}
		require.NoError(t, client.Flush(t.Context()))
	}
	more(0, 400)
	done := make(chan *Corrected)
	go func() {
		found, err := Correct(t.Context(), r.spec, late(CorrectOptions{AtOnce: 2}))
		if err != nil {
			t.Error(err)
		}
		done <- found
	}()
	r.resume()
	found := <-done
	require.NotNil(t, found)
	require.GreaterOrEqual(t, found.Written, first.Different)
	// Some of what has come since is late.
	for _, e := range []made{{view: "w1", time: r.timeOf("w1") + 500}, {view: "w2", time: r.timeOf("w2") + 500}} {
		client.Produce(t.Context(), &kgo.Record{Topic: "likes", Partition: 1, Value: fmt.Appendf(nil, `{"id":"late%s","view":%q,"ts":%d}`, e.view, e.view, e.time)}, nil)
		r.likes = append(r.likes, e)
	}
	require.NoError(t, client.Flush(t.Context()))
	audited(t, r)
	found = r.fix(late(CorrectOptions{}))
	require.GreaterOrEqual(t, found.Written, int64(2))
	require.True(t, found.To.After(*first.To))
	r.requireTruth(*found.To, true)
	audited(t, r)
	require.Zero(t, r.fix(late(CorrectOptions{})).Written)
}

func (r *rig) timeOf(view string) int64 {
	return r.views[slices.IndexFunc(r.views, func(v made) bool { return v.id == view })].time
}

// TestCompacted: in a topic that keeps the last sample of an id, one of an earlier view of the id is not written behind that of a later one.
func TestCompacted(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	dry := r.fix(late(CorrectOptions{DryRun: true}))
	var all []*kgo.Record
	for _, s := range r.topic() {
		all = append(all, s.Record)
	}
	compact := "compact"
	_, err := audit.FindCorrections(t.Context(), r.spec, audit.CorrectOptions{Late: true}, func(c *audit.Correction) error {
		if c.ViewID != "" && len(all) > 0 { // the first of them comes again, hours later
			text := fmt.Sprintf(`{"view_id":%q,"view_time":%d,"weight":1}`, c.ViewID, c.ViewTime.Add(9*time.Hour).UnixMilli())
			r.anew(map[string]*string{"cleanup.policy": &compact}, append(all, &kgo.Record{Key: []byte(c.ViewID), Value: []byte(text)})...)
			all = nil
		}
		return nil
	})
	require.NoError(t, err)
	found := r.fix(late(CorrectOptions{}))
	require.EqualValues(t, 1, found.Left.Replaced)
	require.Equal(t, dry.Different-1, found.Written)
}

// TestGone: what a topic may have let go of is not written again, and what it cannot have had is.
func TestGone(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	to := *r.fix(CorrectOptions{DryRun: true}).To
	all := closed(r.topic(), to)
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "samples", Partition: all[0].Partition, At: 40})
	_, err := kadm.NewClient(r.client()).DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	found := r.fix(CorrectOptions{})
	require.Zero(t, found.Written)
	require.Greater(t, found.Left.Gone, int64(20))
	require.Len(t, found.Notes, 1)
}

// TestWhy: of a view that a repair has corrected it is said how, and where the sample is that counts.
func TestWhy(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "negatives: {keep: 0.3}\n")
	found := r.fix(late(CorrectOptions{}))
	require.Positive(t, found.Missing)
	had := map[string]bool{}
	told := map[bool]bool{}
	for _, s := range r.topic() {
		if s.corrected == "" {
			had[string(s.Key)] = true
			continue
		}
		before := had[string(s.Key)]
		if told[before] {
			continue
		}
		told[before] = true
		w, err := why.Run(t.Context(), r.spec, string(s.Key), why.Options{})
		require.NoError(t, err)
		require.Equal(t, why.Corrected, w.Outcome, w.Sentence)
		require.Contains(t, w.Sentence, "; a repair has let late engagements count (labels.")
		require.Contains(t, w.Sentence, fmt.Sprintf(", and its sample is at samples/%d@%d", s.Partition, s.Offset))
		var text strings.Builder
		require.NoError(t, w.Text(&text))
		require.Contains(t, text.String(), "a repair's")
	}
	require.Len(t, told, 2, "of one that had a sample, and of one that had none")
}

// TestNotCorrectable: what cannot be corrected rightly is refused before anything is read or written.
func TestNotCorrectable(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	shared := *r.spec
	shared.Engagements = slices.Clone(shared.Engagements)
	shared.Engagements[0].Credit = "last"
	_, err := Correct(t.Context(), &shared, late(CorrectOptions{}))
	var problems problem.List
	require.ErrorAs(t, err, &problems)
	require.Equal(t, "T2016", problems[0].Code)
	_, err = Correct(t.Context(), &shared, CorrectOptions{DryRun: true})
	require.NotErrorAs(t, err, &problems, "without --late credit is as it was")

	least := *r.spec
	least.Stream.Delivery = "at_least_once"
	_, err = Correct(t.Context(), &least, late(CorrectOptions{}))
	require.ErrorContains(t, err, "repair needs exactly_once")
	folder := *r.spec
	folder.Outputs.Samples.Topic, folder.Outputs.Samples.Path = "", "out/samples"
	_, err = Correct(t.Context(), &folder, late(CorrectOptions{}))
	require.ErrorContains(t, err, "go to out/samples: `tributary join` of the range to another folder")
	wider := *r.spec
	wider.Engagements = slices.Clone(wider.Engagements)
	wider.Engagements[0].Window *= 2
	_, err = Correct(t.Context(), &wider, late(CorrectOptions{}))
	require.ErrorContains(t, err, "repair it with the spec that has written it")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Correct(ctx, r.spec, late(CorrectOptions{}))
	require.ErrorIs(t, err, context.Canceled)
}
