package metrics

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite dashboard.json")

// query is a line or several of a panel: PromQL, and what a line is called.
type query struct{ expr, legend string }

// shown is a panel.
type shown struct {
	title, about, unit string
	single             bool // one value in large figures
	queries            []query
}

// rows are the panels, in rows with a title. $stream is what the reader has chosen.
var rows = []struct {
	title  string
	panels []shown
}{
	{"Is all well?", []shown{
		{"Accounts", "1: every event that was read is accounted for", "none", true, []query{{`min by (stream) (tributary_accounts_balanced{stream=~"$stream"})`, "{{stream}} balanced"}}},
		{"Audit findings", "Of the last audit; needs --audit-every", "none", true, []query{{`sum by (stream) (tributary_audit_findings{stream=~"$stream"})`, "{{stream}}"}}},
		{"Join rate", "Engagements that found their view / those whose outcome is known", "percentunit", true, []query{{
			`sum by (stream, kind) (tributary_engagements{stream=~"$stream", outcome="matched"}) / sum by (stream, kind) (tributary_engagements{stream=~"$stream", outcome!="open"})`, "{{kind}}",
		}}},
		{"Behind the clock", "Clock - watermark of the stream", "s", true, []query{{`time() - tributary_watermark_timestamp_seconds{stream=~"$stream"}`, "{{stream}}"}}},
		{"Sources that cannot be read", "The log of tributary metrics says why", "none", true, []query{{`count by (stream) (tributary_exporter_up{stream=~"$stream"} == 0) or sum by (stream) (0 * tributary_exporter_up{stream=~"$stream"})`, "{{stream}}"}}},
		{"Remarks of the report", "tributary report SPEC lists them", "none", true, []query{{`sum by (severity) (tributary_report_notes{stream=~"$stream"})`, "{{severity}}"}}},
	}},
	{"What comes in, and what becomes of it", []shown{
		{"Records per second, by input", "From the accounts: exact, and a little behind", "cps", false, []query{{`sum by (input, outcome) (deriv(tributary_input_records{stream=~"$stream"}[10m]))`, "{{input}} {{outcome}}"}}},
		{"Views by outcome", "All so far; open ones wait for the end of their window", "short", false, []query{{`sum by (outcome) (tributary_views{stream=~"$stream"})`, "{{outcome}}"}}},
		{"Engagements by outcome", "All so far", "short", false, []query{{`sum by (kind, outcome) (tributary_engagements{stream=~"$stream"})`, "{{kind}} {{outcome}}"}}},
		{"Late and dead", "Share of what was read, all so far", "percentunit", false, []query{{
			`sum by (input, outcome) (tributary_input_records{stream=~"$stream", outcome=~"late|dead"}) / ignoring (outcome) group_left () sum by (input) (tributary_input_records{stream=~"$stream", outcome=~"taken|late|dead"})`, "{{input}} {{outcome}}",
		}}},
		{"Positive samples", "Share of samples with a label", "percentunit", false, []query{{`tributary_view_counts{stream=~"$stream", count="positives"} / on (stream) tributary_views{stream=~"$stream", outcome="samples"}`, "{{stream}}"}}},
		{"Open views", "State of the join", "short", false, []query{{`tributary_views{stream=~"$stream", outcome="open"}`, "{{stream}}"}}},
	}},
	{"Delays of labels", []shown{
		{"From a view to its first engagement", "All so far, in event time; dashes: the attribution window", "s", false, []query{
			{`histogram_quantile(0.5, sum by (kind, le) (tributary_label_delay_seconds_bucket{stream=~"$stream"}))`, "{{kind}} p50"},
			{`histogram_quantile(0.9, sum by (kind, le) (tributary_label_delay_seconds_bucket{stream=~"$stream"}))`, "{{kind}} p90"},
			{`histogram_quantile(0.99, sum by (kind, le) (tributary_label_delay_seconds_bucket{stream=~"$stream"}))`, "{{kind}} p99"},
			{`max by (kind) (tributary_window_seconds{stream=~"$stream"})`, "{{kind}} window"},
		}},
		{"Labels by delay", "How many come within so many seconds", "short", false, []query{{`sum by (le) (tributary_label_delay_seconds_bucket{stream=~"$stream"})`, "{{le}} s"}}},
	}},
	{"Partitions: which one holds back?", []shown{
		{"Behind the clock, by partition", "Those that are idle hold nothing back", "s", false, []query{{`time() - tributary_partition_watermark_timestamp_seconds{stream=~"$stream"}`, "{{topic}}/{{partition}}"}}},
		{"Records not read", "Lag by the ends of the logs", "short", false, []query{{`tributary_partition_lag_records{stream=~"$stream"}`, "{{topic}}/{{partition}}"}}},
		{"Idle partitions", "They hold no watermark back", "short", false, []query{{`sum by (topic) (tributary_partition_idle{stream=~"$stream"})`, "{{topic}}"}}},
	}},
	{"Stages and commits", []shown{
		{"Behind the watermark, by stage", "How long ago the first bucket closed that is not whole", "s", false, []query{{`tributary_stage_overdue_seconds{stream=~"$stream"}`, "{{stage}} {{sink}}"}}},
		{"Open buckets", "From the first that is not whole to that of the newest event", "short", false, []query{{`tributary_stage_open_buckets{stream=~"$stream"}`, "{{stage}} {{sink}}"}}},
		{"From close to commit", "p50 and p99 of groups", "s", false, []query{
			{`histogram_quantile(0.5, sum by (stage, le) (rate(tributary_commit_delay_seconds_bucket{stream=~"$stream"}[10m])))`, "{{stage}} p50"},
			{`histogram_quantile(0.99, sum by (stage, le) (rate(tributary_commit_delay_seconds_bucket{stream=~"$stream"}[10m])))`, "{{stage}} p99"},
		}},
		{"Commits per second", "Groups, a bucket of a shard each", "cps", false, []query{{`sum by (stage) (rate(tributary_commits_total{stream=~"$stream"}[10m]))`, "{{stage}}"}}},
		{"Transactions per second", "By how they ended", "cps", false, []query{{`sum by (stage, result) (rate(tributary_transactions_total{stream=~"$stream"}[10m]))`, "{{stage}} {{result}}"}}},
		{"Oldest open transaction", "Beside stream.transaction_timeout", "s", false, []query{
			{`tributary_transaction_open_seconds{stream=~"$stream"}`, "{{stage}}"},
			{`tributary_transaction_timeout_seconds{stream=~"$stream"}`, "timeout"},
		}},
		{"Records that an open transaction hides", "By topic, of which readers of what is committed see nothing", "short", false, []query{{`tributary_topic_stable_gap_records{stream=~"$stream"}`, "{{topic}}"}}},
		{"Views by stage and outcome", "All so far", "short", false, []query{{`tributary_stage_views{stream=~"$stream"}`, "{{stage}} {{outcome}}"}}},
		{"Labels put right by a later stage", "All so far", "short", false, []query{{`tributary_stage_corrected_labels{stream=~"$stream"}`, "{{stage}} {{kind}}"}}},
	}},
	{"The job on Flink (--flink)", []shown{
		{"Checkpoints in 15 minutes", "", "short", false, []query{{`sum by (stream, result) (increase(tributary_checkpoints_total{stream=~"$stream"}[15m]))`, "{{result}}"}}},
		{"Last checkpoint: age and duration", "", "s", false, []query{
			{`time() - tributary_checkpoint_last_timestamp_seconds{stream=~"$stream"}`, "age"},
			{`tributary_checkpoint_last_duration_seconds{stream=~"$stream"}`, "duration"},
		}},
		{"State", "In the last checkpoint", "bytes", false, []query{{`tributary_checkpoint_last_size_bytes{stream=~"$stream"}`, "{{stream}}"}}},
		{"Runs", "1: the job and all of its tasks", "none", false, []query{{`tributary_flink_job_running{stream=~"$stream"}`, "runs"}, {`tributary_checkpoint_restores_total{stream=~"$stream"}`, "went back"}}},
	}},
	{"Audits (--audit-every)", []shown{
		{"Findings", "Of the last audit, by class", "short", false, []query{{`sum by (sink, stage, class) (tributary_audit_findings{stream=~"$stream"})`, "{{sink}} {{stage}} {{class}}"}}},
		{"Samples compared", "By the last audit", "short", false, []query{{`tributary_audit_samples{stream=~"$stream"}`, "{{sink}} {{stage}}"}}},
		{"Age of the last audit", "", "s", false, []query{{`time() - tributary_audit_last_timestamp_seconds{stream=~"$stream"}`, "{{stream}}"}}},
	}},
	{"Workers: what passes now (restarts count again)", []shown{
		{"Views per second", "", "cps", false, []query{{`sum by (count) (rate(tributary_worker_views_total{stream=~"$stream"}[5m]))`, "{{count}}"}}},
		{"Engagements per second", "", "cps", false, []query{{`sum by (kind, count) (rate(tributary_worker_engagements_total{stream=~"$stream"}[5m]))`, "{{kind}} {{count}}"}}},
		{"Views of stages per second", "", "cps", false, []query{{`sum by (stage, count) (rate(tributary_worker_stage_views_total{stream=~"$stream"}[5m]))`, "{{stage}} {{count}}"}}},
		{"Connections to runners", "", "short", false, []query{{`tributary_worker_harnesses`, "{{instance}}"}, {`increase(tributary_worker_harnesses_failed_total[15m])`, "{{instance}} failed in 15 minutes"}}},
	}},
}

// TestDashboard: dashboard.json is what rows say, in Grafana's form. Whether its queries give something, TestPrometheus says.
func TestDashboard(t *testing.T) {
	source := common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}
	b := dashboard.NewDashboardBuilder("Tributary"). //nolint:staticcheck // the form that every Grafana in use imports
								Uid("tributary").Description("Joins of views and engagements: tributary metrics SPEC").Tags([]string{"tributary"}).
								Refresh("30s").Time("now-3h", "now").Timezone("browser").
								WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Prometheus").Type("prometheus")).
								WithVariable(dashboard.NewQueryVariableBuilder("stream").Label("Stream").Datasource(source).Multi(true).IncludeAll(true).
									Query(dashboard.StringOrMap{String: cog.ToPtr("label_values(tributary_exporter_info, stream)")}).Refresh(dashboard.VariableRefreshOnDashboardLoad))
	for _, row := range rows {
		b.WithRow(dashboard.NewRowBuilder(row.title))
		for _, p := range row.panels {
			b.WithPanel(p.panel(source))
		}
	}
	built, err := b.Build()
	require.NoError(t, err)
	text, err := json.MarshalIndent(built, "", "  ")
	require.NoError(t, err)
	text = append(text, '\n')
	if *update {
		require.NoError(t, os.WriteFile("dashboard.json", text, 0o644)) //nolint:gosec // anybody may read it
		return
	}
	require.Equal(t, string(text), string(Dashboard()), "go test ./pipelines/metrics -run TestDashboard -update")
}

// panel is the panel in Grafana's form. A row has room for three, or six of single values.
func (p shown) panel(source common.DataSourceRef) cog.Builder[dashboard.Panel] {
	var targets []cog.Builder[variants.Dataquery]
	for i, q := range p.queries {
		target := prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend).RefId(string(rune('A' + i)))
		if p.single {
			target.Instant()
		} else {
			target.Range()
		}
		targets = append(targets, target)
	}
	if p.single {
		return stat.NewPanelBuilder().Title(p.title).Description(p.about).Unit(p.unit).Datasource(source).Height(5).Span(4).Targets(targets)
	}
	return timeseries.NewPanelBuilder().Title(p.title).Description(p.about).Unit(p.unit).Datasource(source).Height(8).Span(8).Targets(targets)
}
