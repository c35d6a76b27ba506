package exporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/stream"
	"tributary/pipelines/live"
)

// equalsState holds what `tributary top --json` writes against metrics and against `tributary report --json`, each gathered by itself from the
// same topics.
func (r *rig) equalsState(t *testing.T, e *Exporter, flinkAt string) {
	text, err := json.Marshal(watching(t, r.spec, live.Options{Flink: flinkAt, Job: "JOB", Now: e.opt.Now}).Gather(t.Context()).Bounded(100))
	require.NoError(t, err)
	var s live.State
	require.NoError(t, json.Unmarshal(text, &s))
	all := families(t, e)
	compared := 0
	same := func(got float64, metric, labels string) {
		t.Helper()
		want, ok := values(all[metric])[labels]
		require.True(t, ok, "%s{%s} in %v", metric, labels, values(all[metric]))
		assert.InDelta(t, want, got, 0, "%s{%s}", metric, labels)
		compared++
	}

	made, err := stream.Report(t.Context(), r.spec)
	require.NoError(t, err)
	var written bytes.Buffer
	require.NoError(t, made.JSON(&written))
	var said struct {
		Balanced bool
		Accounts struct {
			Views       map[string]json.RawMessage
			Engagements map[string]map[string]json.RawMessage
			Inputs      map[string]map[string]json.RawMessage
			Stages      map[string]map[string]json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(written.Bytes(), &said))
	counts := func(got live.Counts, want map[string]json.RawMessage, of string) {
		t.Helper()
		read := 0
		for key, raw := range want {
			var n int64
			if json.Unmarshal(raw, &n) != nil {
				continue // reasons and delays
			}
			assert.Equal(t, n, got[key], "%s of %s", key, of)
			compared++
			read++
		}
		require.Greater(t, read, 2, of)
	}
	assert.Equal(t, said.Balanced, s.Figures.Balanced)
	counts(s.Figures.Views, said.Accounts.Views, "views")
	same(float64(s.Figures.Views["read"]), "tributary_views_read", "")
	require.Len(t, s.Figures.Engagements, len(said.Accounts.Engagements))
	for kind, want := range said.Accounts.Engagements {
		counts(s.Figures.Engagements[kind].Counts, want, kind)
		same(float64(s.Figures.Engagements[kind].Counts["matched"]), "tributary_engagements", kind+" matched")
		for _, m := range all["tributary_label_delay_seconds"].GetMetric() {
			if labelled(m, "kind") == kind {
				assert.Equal(t, m.GetHistogram().GetSampleCount(), s.Figures.Engagements[kind].Delay.Count)
			}
		}
	}
	require.Len(t, s.Figures.Stages, len(said.Accounts.Stages))
	for stage, want := range said.Accounts.Stages {
		counts(s.Figures.Stages[stage], want, stage)
	}
	require.Len(t, s.Figures.Inputs, len(said.Accounts.Inputs))
	for input, want := range said.Accounts.Inputs {
		in := s.Figures.Inputs[input]
		for key, raw := range want {
			var n int64
			require.NoError(t, json.Unmarshal(raw, &n))
			assert.Equal(t, n, in.Counts[key], "%s of %s", key, input)
		}
		same(float64(in.Taken), "tributary_input_records", fmt.Sprintf("%s %s taken", input, in.Kind))
		same(float64(in.Counts["late"]), "tributary_input_records", fmt.Sprintf("%s %s late", input, in.Kind))
	}

	require.Len(t, s.Partitions, 6)
	at := func(when *time.Time) float64 {
		require.NotNil(t, when)
		return float64(when.UnixMilli()) / 1000
	}
	for _, p := range s.Partitions {
		labels := fmt.Sprintf("%d %s/%s", p.Partition, p.Cluster, p.Topic)
		same(float64(*p.Lag), "tributary_partition_lag_records", labels)
		same(truth(p.Idle), "tributary_partition_idle", labels)
		same(at(p.Watermark), "tributary_partition_watermark_timestamp_seconds", labels)
		if p.Holds {
			same(at(p.Watermark), "tributary_watermark_timestamp_seconds", "")
			assert.Equal(t, p.Name(), s.Holder.Partition)
		}
	}
	same(at(s.Watermark), "tributary_watermark_timestamp_seconds", "")
	for _, topic := range s.Topics {
		same(float64(topic.Gap), "tributary_topic_stable_gap_records", topicLabel(topic.Cluster, topic.Topic))
	}
	require.Len(t, s.Stages, 2)
	for _, stage := range s.Stages {
		same(float64(stage.Commits.Groups), "tributary_commits_total", stage.Stage)
		same(float64(stage.Commits.Committed), "tributary_transactions_total", "commit "+stage.Stage)
		same(stage.Commits.Open, "tributary_transaction_open_seconds", stage.Stage)
		for _, m := range all["tributary_commit_delay_seconds"].GetMetric() {
			if labelled(m, "stage") == stage.Stage {
				assert.Equal(t, m.GetHistogram().GetSampleCount(), stage.Commits.Delay.Count)
				assert.InDelta(t, m.GetHistogram().GetSampleSum(), stage.Commits.Delay.Sum, 0)
			}
		}
		require.Len(t, stage.Sinks, 2)
		for _, sink := range stage.Sinks {
			labels := sink.Sink + " " + stage.Stage
			same(at(sink.Complete), "tributary_stage_complete_timestamp_seconds", labels)
			same(float64(*sink.Open), "tributary_stage_open_buckets", labels)
			same(*sink.Overdue, "tributary_stage_overdue_seconds", labels)
		}
	}
	same(float64(s.Flink.Checkpoints.Completed), "tributary_checkpoints_total", "completed")
	require.Greater(t, compared, 90)

	var page bytes.Buffer
	require.NoError(t, s.Text(&page, 200))
	assert.Contains(t, page.String(), "\nSTAGE  SINK ")
	assert.Less(t, len(text), 60_000, "what a page gets of six partitions is small")
}
