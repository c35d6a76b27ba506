package exporter

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/audit"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/live"
	"tributary/pipelines/metrics"
	"tributary/transforms/account"
)

func TestExporter(t *testing.T) {
	r := newRig(t)
	flinkAt := flinkServer(t)
	e := r.exporter(Options{Flink: flinkAt, Job: "JOB", AuditEvery: time.Hour, Scratch: t.TempDir()})
	e.audit(t.Context())
	all := families(t, e)

	t.Run("all that is declared is exported, and nothing else", func(t *testing.T) {
		for _, m := range metrics.Table() {
			if m.Source == metrics.Exporter {
				assert.Contains(t, all, m.Name)
			}
		}
		for name := range all {
			m, ok := metrics.Find(name)
			require.True(t, ok, name)
			assert.Equal(t, m.Help, all[name].GetHelp())
			for _, series := range all[name].GetMetric() {
				assert.Len(t, series.GetLabel(), len(m.Labels), name)
				for _, l := range series.GetLabel() {
					assert.NotEmpty(t, l.GetValue(), "%s: %s", name, l.GetName())
				}
			}
		}
	})
	t.Run("figures are those of the report", func(t *testing.T) { r.equalsReport(t, e) })
	t.Run("figures are those of the live state", func(t *testing.T) { r.equalsState(t, e, flinkAt) })
	t.Run("partitions", func(t *testing.T) {
		assert.Len(t, all["tributary_partition_lag_records"].GetMetric(), 6)
		for name, lag := range values(all["tributary_partition_lag_records"]) {
			assert.Zero(t, lag, "%s: the stream has read all there was", name)
		}
		lowest := math.Inf(1)
		for _, at := range values(all["tributary_partition_watermark_timestamp_seconds"]) {
			lowest = min(lowest, at)
		}
		assert.Equal(t, map[string]float64{"": lowest}, values(all["tributary_watermark_timestamp_seconds"]))
	})
	t.Run("commits", func(t *testing.T) {
		commits, transactions := values(all["tributary_commits_total"]), values(all["tributary_transactions_total"])
		for _, stage := range []string{"10s", "3m"} {
			assert.Positive(t, commits[stage], stage)
			assert.LessOrEqual(t, transactions["commit "+stage], commits[stage])
			assert.Positive(t, transactions["commit "+stage])
			assert.Zero(t, transactions["abort "+stage])
		}
		completes, err := audit.Completes(t.Context(), r.spec)
		require.NoError(t, err)
		complete := values(all["tributary_stage_complete_timestamp_seconds"])
		require.Len(t, complete, 4)
		for _, of := range completes {
			assert.InDelta(t, of.Before.Unix(), complete[sinkLabel(of.Topic)+" "+of.Stage], 0)
		}
		e.Read(t.Context())
		assert.Equal(t, commits, values(families(t, e)["tributary_commits_total"]), "what is read again is not counted again")
	})
	t.Run("audit", func(t *testing.T) {
		for name, n := range values(all["tributary_audit_findings"]) {
			assert.Zero(t, n, name)
		}
		assert.InDelta(t, series(all["tributary_stage_counts"], "given", "3m"), values(all["tributary_audit_samples"])["topic 3m"], 0)
	})
	t.Run("once, as text", func(t *testing.T) {
		var text bytes.Buffer
		require.NoError(t, e.Text(t.Context(), &text))
		assert.Contains(t, text.String(), `tributary_exporter_info{stream="made",version="v7"} 1`)
	})
	t.Run("rules and dashboard", func(t *testing.T) { r.prometheus(t, e) })
	t.Run("a partition that is not read", r.stalls)
	t.Run("a broker that is away", func(t *testing.T) {
		gone := r.exporter(Options{})
		r.fake.Close()
		gone.Read(withTimeout(t, time.Second))
		require.Contains(t, families(t, gone), "tributary_views", "the reading ended with its context, not by itself")
		gone.watch = watching(t, r.spec, live.Options{Within: time.Second})
		gone.Read(t.Context())
		require.NotContains(t, families(t, gone), "tributary_views", "what is not known is not served")
		assert.Zero(t, values(families(t, gone)["tributary_exporter_up"])["accounts"])
	})
}

// equalsReport holds the figures against those of `tributary report --json`.
func (r *rig) equalsReport(t *testing.T, e *Exporter) {
	made, err := stream.Report(t.Context(), r.spec)
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, made.JSON(&text))
	var said struct {
		Balanced bool
		Accounts struct {
			Views       map[string]json.RawMessage
			Engagements map[string]map[string]json.RawMessage
			Inputs      map[string]map[string]int64
			Stages      map[string]map[string]json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(text.Bytes(), &said))
	all := families(t, e)
	number := func(raw json.RawMessage) (n float64) {
		if raw != nil {
			require.NoError(t, json.Unmarshal(raw, &n))
		}
		return n
	}
	compared := 0
	hold := func(of account.Subject, figures map[string]json.RawMessage, suffix, read, parts, beside string) {
		whole := suffix
		if len(whole) > 0 {
			whole = whole[1:]
		}
		assert.InDelta(t, number(figures["read"]), values(all[read])[whole], 0, read+suffix)
		for _, count := range account.All(of, account.Part) {
			assert.InDelta(t, number(figures[count.Row().Key]), series(all[parts], count.Row().Key, whole), 0, "%s of %s%s", count.Row().Key, parts, suffix)
			compared++
		}
		for _, count := range account.All(of, account.Beside) {
			assert.InDelta(t, number(figures[count.Row().Key]), series(all[beside], count.Row().Key, whole), 0, "%s of %s%s", count.Row().Key, beside, suffix)
			compared++
		}
	}
	hold(account.OfViews, said.Accounts.Views, "", "tributary_views_read", "tributary_views", "tributary_view_counts")
	require.Greater(t, number(said.Accounts.Views["samples"]), 100.)
	for kind, figures := range said.Accounts.Engagements {
		hold(account.OfEngagements, figures, " "+kind, "tributary_engagements_read", "tributary_engagements", "tributary_engagement_counts")
		var delays [][2]int64
		require.NoError(t, json.Unmarshal(figures["delay_ms"], &delays))
		sum := int64(0)
		for _, d := range delays {
			sum += d[1]
		}
		for _, m := range all["tributary_label_delay_seconds"].GetMetric() {
			if m.GetLabel()[0].GetValue() == kind {
				assert.Equal(t, uint64(sum), m.GetHistogram().GetSampleCount())
			}
		}
	}
	for stage, figures := range said.Accounts.Stages {
		hold(account.OfStage, figures, " "+stage, "tributary_stage_views_read", "tributary_stage_views", "tributary_stage_counts")
	}
	require.Len(t, said.Accounts.Stages, 2)
	require.NotEmpty(t, said.Accounts.Inputs)
	for input, figures := range said.Accounts.Inputs {
		sum := 0.0
		for _, outcome := range []string{"taken", "late", "dead"} {
			for _, m := range all["tributary_input_records"].GetMetric() {
				if labelled(m, "input") == input && labelled(m, "outcome") == outcome {
					sum += m.GetGauge().GetValue()
				}
			}
		}
		assert.InDelta(t, figures["read"], sum, 0, input)
	}
	require.Greater(t, compared, 50)
	assert.InDelta(t, truth(said.Balanced), values(all["tributary_accounts_balanced"])[""], 0)
}
