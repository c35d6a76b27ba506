package repair

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/audit"
	"tributary/pipelines/job/topics"
)

// goOn writes ten minutes more of views, each liked once in three, in time.
func (r *rig) goOn() {
	r.Helper()
	client := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range int64(400) {
		at := begin.UnixMilli() + 600*1500 + 2000 + i*1500
		for p := range int32(2) {
			client.Produce(r.Context(), &kgo.Record{Topic: "likes", Partition: p, Value: fmt.Appendf(nil, `{"id":"none%d","view":"none","ts":%d}`, i, at)}, nil)
			client.Produce(r.Context(), &kgo.Record{Topic: "buys", Partition: p, Value: fmt.Appendf(nil, `{"id":"none%d","view":"none","ts":%d,"amount":1}`, i, at)}, nil)
		}
		client.Produce(r.Context(), &kgo.Record{Topic: "views", Partition: int32(i % 2), Value: fmt.Appendf(nil, `{"id":"w%d","ts":%d}`, i, at)}, nil)
		if i%3 == 0 {
			client.Produce(r.Context(), &kgo.Record{Topic: "likes", Partition: 0, Value: fmt.Appendf(nil, `{"id":"l%d","view":"w%d","ts":%d}`, i, i, at+1000)}, nil)
		}
	}
	require.NoError(r, client.Flush(r.Context()))
}

// like writes a like of each view, which comes late.
func (r *rig) like(views ...string) {
	r.Helper()
	client := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, view := range views {
		at := r.timeOf(view) + 500
		require.NoError(r, client.ProduceSync(r.Context(), &kgo.Record{Topic: "likes", Partition: 1, Value: fmt.Appendf(nil, `{"id":"late %s","view":%q,"ts":%d}`, view, view, at)}).FirstErr())
		r.likes = append(r.likes, made{view: view, time: at})
	}
}

// TestOtherMeaning: what was written while the spec meant something else is left as it is, whatever the join of today says of it, after a job has
// gone on from the log with another spec, and once more with that.
func TestOtherMeaning(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	was := newest(r.topic())
	shorter := *r.spec
	shorter.Engagements = slices.Clone(shorter.Engagements)
	for i := range shorter.Engagements {
		if shorter.Engagements[i].Kind == "like" {
			shorter.Engagements[i].Window = 20 * time.Second
		}
	}
	r.spec = &shorter
	r.resume()
	_, err := Correct(t.Context(), r.spec, late(CorrectOptions{}))
	require.ErrorContains(t, err, "was written when the spec meant something else")
	require.Len(t, newest(r.topic()), len(was))
	r.goOn()
	r.resume()
	for _, opt := range []CorrectOptions{{}, late(CorrectOptions{})} {
		found := r.fix(opt)
		require.NotNil(t, found.From, "it does not begin where the log does")
		require.Contains(t, found.Notes[0], "views before "+found.From.Format(time.RFC3339)+" are left")
		require.Greater(t, found.Right, int64(100))
	}
	for key, s := range newest(r.topic()) {
		if old, some := was[key]; some {
			require.Equal(t, old.text, s.text)
		}
	}
}

// TestSameMeaning: a job that went on from the log with the spec that it had is corrected from its beginning on.
func TestSameMeaning(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	dry := r.fix(late(CorrectOptions{DryRun: true}))
	r.resume()
	found := r.fix(late(CorrectOptions{}))
	require.Nil(t, found.From)
	require.Equal(t, dry.Different, found.Written)
}

// TestCompactedInputs: what a compacted input has dropped must not take labels away.
func TestCompactedInputs(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	compact := "compact"
	_, err := kadm.NewClient(r.client()).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &compact}}, "likes")
	require.NoError(t, err)
	for _, opt := range []CorrectOptions{{}, late(CorrectOptions{}), late(CorrectOptions{DryRun: true})} {
		_, err = Correct(t.Context(), r.spec, opt)
		require.ErrorContains(t, err, "topic likes of the inputs has cleanup.policy compact")
	}
}

// TestLosing: late engagements bring labels. Where the join of today has fewer than the samples, it lacks records, and nothing is written.
func TestLosing(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	var kept []*kgo.Record
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: r.brokers}, "likes", func(rec *kgo.Record) error {
		if n, err := strconv.Atoi(gjson.GetBytes(rec.Value, "view").String()[1:]); err != nil || n%4 > 0 {
			kept = append(kept, &kgo.Record{Topic: "likes", Partition: rec.Partition, Value: rec.Value})
		}
		return nil
	}))
	client := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	_, err := kadm.NewClient(client).DeleteTopics(t.Context(), "likes")
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), r.spec, topics.CreateOptions{Inputs: true, Partitions: 2, Replicas: 1})
	require.NoError(t, err)
	require.NoError(t, client.ProduceSync(t.Context(), kept...).FirstErr())
	was := len(r.topic())
	for _, dry := range []bool{true, false} {
		_, err = Correct(t.Context(), r.spec, late(CorrectOptions{DryRun: dry}))
		require.ErrorContains(t, err, "would lose a label (views v")
		require.ErrorContains(t, err, "nothing is corrected")
	}
	require.Len(t, r.topic(), was)
	// Without --late the same is what an audit finds. It is taken back if somebody says so.
	found := r.fix(CorrectOptions{DryRun: true})
	require.Greater(t, found.Left.Losing, int64(20))
	forced := r.fix(CorrectOptions{CorrectOptions: audit.CorrectOptions{TakeBack: true}, DryRun: true})
	require.Equal(t, [2]int64{found.Left.Losing, found.Left.Losing + found.Different}, [2]int64{forced.Losing, forced.Different})
}

// TestSamplesOfOthers: samples of views that the join does not know are left, as another job's.
func TestSamplesOfOthers(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	dry := r.fix(late(CorrectOptions{DryRun: true}))
	for _, s := range closed(r.topic(), *dry.To)[:50] {
		r.put(edited(s, string(s.Key), "other "+string(s.Key)))
	}
	for _, opt := range []CorrectOptions{{DryRun: true}, late(CorrectOptions{})} {
		found := r.fix(opt)
		require.EqualValues(t, [2]int64{0, 50}, [2]int64{found.Extra, found.Left.Unknown})
	}
	for _, s := range r.topic() {
		require.False(t, len(s.Key) > 6 && string(s.Key[:6]) == "other " && s.corrected != "")
	}
}

// TestDeleted: an id that somebody has deleted, by a record without a value, has no sample again; one that came again later has.
func TestDeleted(t *testing.T) {
	for _, policy := range []string{"delete", "compact"} {
		t.Run(policy, func(t *testing.T) {
			r := newRig(t, "{topic: samples, format: json}", "")
			var would []string
			_, err := audit.FindCorrections(t.Context(), r.spec, audit.CorrectOptions{Late: true}, func(c *audit.Correction) error {
				would = append(would, c.ViewID)
				return nil
			})
			require.NoError(t, err)
			var all []*kgo.Record
			var again *kgo.Record
			for _, s := range r.topic() {
				if string(s.Key) == would[1] {
					again = s.Record
				}
				if string(s.Key) != would[2] { // which compaction has done away with, with what deleted it
					all = append(all, s.Record)
				}
			}
			all = append(all, &kgo.Record{Key: []byte(would[0])}, &kgo.Record{Key: []byte(would[1])}, again)
			r.anew(map[string]*string{"cleanup.policy": &policy}, all...)
			found := r.fix(late(CorrectOptions{}))
			deleted := map[string]int64{"delete": 1, "compact": 2}[policy]
			require.Equal(t, deleted, found.Left.Deleted)
			require.EqualValues(t, int64(len(would))-deleted, found.Written)
			for _, s := range r.topic() {
				require.False(t, string(s.Key) == would[0] && s.corrected != "")
			}
		})
	}
}

// TestGoneOfCompacted: a compacted topic that lets go of old records, too, may have had what it lacks.
func TestGoneOfCompacted(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "negatives: {keep: 0.9}\n")
	both := "compact,delete"
	_, err := kadm.NewClient(r.client()).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &both}}, "samples")
	require.NoError(t, err)
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "samples", Partition: 0, At: 40})
	_, err = kadm.NewClient(r.client()).DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	found := r.fix(CorrectOptions{})
	require.Zero(t, found.Written)
	require.Greater(t, found.Left.Gone, int64(20))
}

// TestOutdated: what was right when it was corrected, and lacks what has come late since, is no finding of an audit.
func TestOutdated(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	first := r.fix(late(CorrectOptions{}))
	var some []string
	for key, s := range newest(r.topic()) {
		if s.corrected != "" && gjson.Get(s.text, "labels.like").Int() == 0 && len(some) < 3 {
			some = append(some, key)
		}
	}
	require.Len(t, some, 3)
	r.like(some...)
	a := audited(t, r)
	require.Zero(t, a.Findings)
	require.EqualValues(t, [2]int64{first.Written - 3, 3}, [2]int64{a.Sinks[0].Stages[0].Corrected, a.Sinks[0].Stages[0].Outdated})
	require.EqualValues(t, 3, r.fix(late(CorrectOptions{})).Written)
	a = audited(t, r)
	require.EqualValues(t, [2]int64{first.Written, 0}, [2]int64{a.Sinks[0].Stages[0].Corrected, a.Sinks[0].Stages[0].Outdated})
}

// TestDeletedElsewhere: of what deleted an id each counts, in whatever partition it is, but not that of an aborted transaction.
func TestDeletedElsewhere(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	var would []string
	_, err := audit.FindCorrections(t.Context(), r.spec, audit.CorrectOptions{Late: true}, func(c *audit.Correction) error {
		would = append(would, c.ViewID)
		return nil
	})
	require.NoError(t, err)
	have := newest(r.topic())
	client := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	put := func(partition int32, all ...*kgo.Record) {
		for _, s := range all {
			fresh := &kgo.Record{Topic: "samples", Partition: partition, Key: s.Key, Value: s.Value, Headers: s.Headers}
			require.NoError(t, client.ProduceSync(t.Context(), fresh).FirstErr())
		}
	}
	var one, other written
	for _, s := range have {
		switch {
		case string(s.Key) == would[0]:
			one = s
		case string(s.Key) == would[1]:
			other = s
		}
	}
	// Deleted, there again, and deleted once more where it belongs by another number of partitions: at a smaller offset.
	r.anew(map[string]*string{})
	put(0, other.Record, other.Record, &kgo.Record{Key: one.Key}, one.Record)
	put(1, &kgo.Record{Key: one.Key})
	aborted := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("another"))
	require.NoError(t, aborted.BeginTransaction())
	require.NoError(t, aborted.ProduceSync(t.Context(), &kgo.Record{Topic: "samples", Partition: 0, Key: other.Key}).FirstErr())
	require.NoError(t, aborted.EndTransaction(t.Context(), kgo.TryAbort))
	r.fix(late(CorrectOptions{}))
	for _, s := range r.topic() {
		require.False(t, string(s.Key) == would[0] && s.corrected != "", "deleted, and there again")
	}
	require.NotEmpty(t, newest(r.topic())[keyOf(have, would[1])].corrected)
}

func keyOf(all map[string]written, id string) string {
	for key, s := range all {
		if string(s.Key) == id {
			return key
		}
	}
	return ""
}

// TestLosingOfMany: one among a hundred samples that would lose a label is left, and hinders neither this repair nor the next one.
func TestLosingOfMany(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	all := closed(r.topic(), begin.Add(8*time.Minute))
	var some []string
	for _, s := range all {
		if gjson.Get(s.text, "labels.like").Int() == 0 && len(some) < 180 {
			some = append(some, string(s.Key))
		}
	}
	r.like(some...)
	victim := all[slices.IndexFunc(all, func(s written) bool {
		return gjson.Get(s.text, "labels.like").Int() == 1 && gjson.Get(s.text, "labels.buy").Float() == 0
	})]
	require.Equal(t, "1", gjson.Get(victim.text, "labels.like").Raw)
	r.put(edited(victim, `"buy":null`, `"buy":7`, `"buy":0`, `"buy":7`))
	for _, written := range []bool{true, false} {
		found := r.fix(late(CorrectOptions{}))
		require.EqualValues(t, 1, found.Left.Losing)
		require.Equal(t, written, found.Written > 100)
	}
}
