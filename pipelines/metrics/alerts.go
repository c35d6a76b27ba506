package metrics

import "time"

// Alert is a rule for Prometheus with its playbook.
type Alert struct {
	Name     string
	Severity string // critical: samples are wrong or nobody gets them; warning: look today
	// For is how long it must be so.
	For  time.Duration
	Expr string
	// Summary is one sentence, with what its labels and $value say.
	Summary string
	// Means says what it means, Look how to look, Do what to do: the playbook.
	Means string
	Look  []string
	Do    []string
}

// Shares that are worth an alert.
//
// decided are engagements whose outcome is known: those that are open may still be matched.
const decided = `sum by (stream, kind) (tributary_engagements{outcome!="open"})`

// Alerts are all rules, the gravest first.
var Alerts = []Alert{
	{
		Name: "TributaryAuditFindings", Severity: "critical", Expr: `tributary_audit_findings > 0`,
		Summary: `{{ $value }} samples of {{ $labels.stream }} are {{ $labels.class }} in {{ $labels.sink }} (stage {{ $labels.stage }})`,
		Means:   "A join of the same records, done again, gives other samples than those that were written. Whoever trains on them trains on wrong labels.",
		Look: []string{
			"tributary audit SPEC lists the findings by stage, partition and hour, with examples field by field.",
			"tributary why SPEC VIEW-ID tells the way of one of the examples.",
		},
		Do: []string{
			"Of class hanging: tributary repair SPEC --hanging.",
			"Else stop training on the hours that are named. Was the job started with another build or spec (tributary version, git log)? Go back to the last that audits clean.",
			"Files that somebody removed come back by a join of that range (tributary join --from --to).",
		},
	},
	{
		Name: "TributaryAccountsUnbalanced", Severity: "critical", For: 15 * time.Minute, Expr: `tributary_accounts_balanced == 0`,
		Summary: `The accounts of {{ $labels.stream }} do not balance`,
		Means:   "Not every event that was read is accounted for: a fault of the join itself. While a job reads again after a failure it may be so for a moment, which is why this waits.",
		Look:    []string{"tributary report SPEC says which counts do not add up.", "tributary audit SPEC says whether samples are wrong, too."},
		Do:      []string{"Do not use the samples of the time since it was last balanced. Keep the topic of accounts, and file a bug with the report's JSON."},
	},
	{
		Name: "TributaryTransactionHangs", Severity: "critical", For: time.Minute,
		Expr:    `tributary_transaction_open_seconds - on (stream) group_left () tributary_transaction_timeout_seconds > 60`,
		Summary: `A transaction of {{ $labels.stream }}, stage {{ $labels.stage }}, is open {{ $value | humanizeDuration }} longer than brokers let it`,
		Means:   "The brokers have lost the end of a transaction. No reader of what is committed comes past it: samples are there, and nobody gets them.",
		Look:    []string{"tributary repair SPEC --hanging --dry-run names the transaction, its partitions, and how it ended.", "tributary help streams, Brokers that lose the end of a transaction."},
		Do:      []string{"tributary repair SPEC --hanging ends it as it was decided."},
	},
	{
		Name: "TributaryJobNotRunning", Severity: "critical", For: 5 * time.Minute, Expr: `tributary_flink_job_running == 0`,
		Summary: `Flink does not run all tasks of {{ $labels.stream }}`,
		Means:   "The job has failed, was canceled, or restarts again and again. Nothing is lost: it goes on from its last checkpoint or from the log.",
		Look:    []string{"tributary job status JOB tells the last failure and its cause.", "The workers' logs, and tributary_worker_harnesses on each."},
		Do:      []string{"If it restarts: mend the cause that is told (a worker that is away, a broker, a disk).", "If it has ended: tributary job resume SPEC, or tributary run SPEC --resume log."},
	},
	{
		Name: "TributaryPartitionStalls", Severity: "critical", For: 10 * time.Minute,
		Expr:    `tributary_partition_lag_records > 10 and on (stream, topic, partition) delta(tributary_partition_watermark_timestamp_seconds[10m]) == 0`,
		Summary: `{{ $labels.topic }}/{{ $labels.partition }} of {{ $labels.stream }} is not read: {{ $value }} records wait`,
		Means:   "A partition has records that nobody reads, and its watermark stands still. The watermark of the stream is the smallest of all, so it holds every sample back.",
		Look: []string{
			"tributary top SPEC says in words why each partition is not read: no leader, an open transaction, a reader that stands.",
			"If all partitions are named, the job stands: tributary job status JOB. If one: its broker, or the reader that has it.",
			"The workers' logs say what is waited for (a broker that is away, a registry that does not answer).",
		},
		Do: []string{"Bring the broker of the partition back, or restart the worker. Nothing is lost meanwhile, while the topic's retention lasts."},
	},
	{
		Name: "TributaryWatermarkBehind", Severity: "warning", For: 10 * time.Minute, Expr: `time() - tributary_watermark_timestamp_seconds > 900`,
		Summary: `{{ $labels.stream }} is {{ $value | humanizeDuration }} behind`,
		Means:   "The event time that the stream has come to is a quarter of an hour behind the clock: samples are late by that. It catches up after a stop, is too slow, or one partition holds it back.",
		Look: []string{
			"tributary top SPEC names the partition that holds it back, and why; so does bottomk(3, tributary_partition_watermark_timestamp_seconds), but for idle ones.",
			"sum by (stream) (tributary_partition_lag_records): if it falls, the job catches up; if the lag is 0, the producer is behind or sends old events.",
		},
		Do: []string{
			"One partition without records: stream.idle_timeout says how long it holds the rest back.",
			"Lag that grows: more stream.source_parallelism, TaskManagers and workers.",
		},
	},
	{
		Name: "TributaryStageOverdue", Severity: "warning", For: 10 * time.Minute, Expr: `tributary_stage_overdue_seconds > 300`,
		Summary: `Stage {{ $labels.stage }} of {{ $labels.stream }} has not written to the {{ $labels.sink }} what closed {{ $value | humanizeDuration }} ago`,
		Means:   "The records are read, and the watermark has passed, but buckets that are closed are not complete in the sink: writing is slow or stands still.",
		Look:    []string{"tributary_transactions_total{result=\"abort\"} and the workers' logs for producers that are fenced or time out.", "Another sink of the stage: is it overdue, too?"},
		Do: []string{
			"A topic: are its brokers in sync, is its disk full, does another job of the same stream.name run?",
			"A folder: may the job write there, and does it answer?",
		},
	},
	{
		Name: "TributaryCommitsLate", Severity: "warning", For: 15 * time.Minute,
		Expr:    `histogram_quantile(0.99, sum by (stream, stage, le) (rate(tributary_commit_delay_seconds_bucket[15m]))) > 300`,
		Summary: `One in a hundred groups of stage {{ $labels.stage }} of {{ $labels.stream }} is committed more than {{ $value | humanizeDuration }} after it closed`,
		Means:   "Samples come minutes after they could. Of a job that catches up with a log of the past this is as it must be.",
		Look:    []string{"tributary_watermark_timestamp_seconds against the clock: if it is behind as much, reading is late, see TributaryWatermarkBehind; else writing is, see TributaryStageOverdue."},
		Do:      []string{"What those two say. A stage of seconds needs checkpoints as often: each commits what it has."},
	},
	{
		Name: "TributaryTransactionAborts", Severity: "warning", Expr: `increase(tributary_transactions_total{result="abort"}[15m]) > 5`,
		Summary: `{{ $value }} transactions of {{ $labels.stream }}, stage {{ $labels.stage }}, were aborted in 15 minutes`,
		Means:   "Writers begin anew: brokers restart, writing takes longer than stream.transaction_timeout, or two jobs of one name fence each other off. Samples stay exactly once.",
		Look:    []string{"The workers' logs: `does another job of the name run`, or timeouts of a broker."},
		Do:      []string{"Cancel the second job. A longer stream.transaction_timeout, within the brokers' transaction.max.timeout.ms, if writing is slow."},
	},
	{
		Name: "TributaryDeadRecords", Severity: "warning", For: 5 * time.Minute,
		Expr:    `sum by (stream, input) (delta(tributary_input_records{outcome="dead"}[15m])) / sum by (stream, input) (delta(tributary_input_records{outcome=~"taken|late|dead"}[15m])) > 0.01`,
		Summary: `{{ $value | humanizePercentage }} of {{ $labels.input }} of {{ $labels.stream }} cannot be used`,
		Means:   "Records lack a field, a time or a schema that the spec asks for: they are dead letters, and in no sample. Mostly a producer was released with another form.",
		Look:    []string{"tributary report SPEC has the reasons with an example of each.", "tributary show on the topic of dead letters has the records."},
		Do:      []string{"Have the producer go back, or change the spec. What is dead stays in the topic of dead letters: mended, it can be joined as a range in batch."},
	},
	{
		Name: "TributaryLateRecords", Severity: "warning", For: 5 * time.Minute,
		Expr:    `sum by (stream, input) (delta(tributary_input_records{outcome="late"}[15m])) / sum by (stream, input) (delta(tributary_input_records{outcome=~"taken|late|dead"}[15m])) > 0.01`,
		Summary: `{{ $value | humanizePercentage }} of {{ $labels.input }} of {{ $labels.stream }} is late`,
		Means:   "Records come later than out_of_orderness allows, by the largest event time before them in their partition. A late view has no sample, a late engagement may leave a negative that is none.",
		Look:    []string{"tributary report SPEC: is it late only after idleness? Then stream.idle_timeout is short for that partition.", "tributary why SPEC ID says late by how much."},
		Do:      []string{"A larger out_of_orderness takes them in; samples come later by as much. One producer with a wrong clock: stream.max_future_skew."},
	},
	{
		Name: "TributaryJoinRateFell", Severity: "warning", For: 15 * time.Minute,
		Expr: `sum by (stream, kind) (delta(tributary_engagements{outcome="matched"}[1h])) / sum by (stream, kind) (delta(tributary_engagements{outcome!="open"}[1h]))` +
			` < 0.5 * sum by (stream, kind) (tributary_engagements{outcome="matched"}) / ` + decided,
		Summary: `Only {{ $value | humanizePercentage }} of the {{ $labels.kind }} engagements of {{ $labels.stream }} found their view in the last hour`,
		Means:   "Less than half as many engagements as ever find a view in whose window they lie. Samples turn negative that are positive.",
		Look: []string{
			"tributary_engagements by outcome: orphans (views are missing, or ids were changed), outside_window (times or windows), late, dead, duplicates.",
			"tributary why SPEC ID with the id of an orphan (topic of orphans, if there is one).",
		},
		Do: []string{"Orphans: is the topic of views complete, and are ids written alike on both sides? outside_window: are times in the unit that the spec says?"},
	},
	{
		Name: "TributaryCheckpointsFail", Severity: "warning", For: 10 * time.Minute,
		Expr:    `increase(tributary_checkpoints_total{result="failed"}[15m]) > 0 and on (stream) increase(tributary_checkpoints_total{result="completed"}[15m]) == 0`,
		Summary: `No checkpoint of {{ $labels.stream }} has been completed for 15 minutes, and {{ $value }} have failed`,
		Means:   "The job runs and writes, but a restart would go back further with each minute.",
		Look:    []string{"tributary job status JOB says why the last one failed.", "tributary_checkpoint_last_size_bytes and _duration_seconds before it began."},
		Do:      []string{"Checkpoints that take too long: the disk or bucket for them, or state that grows (tributary help streams). Room on the disk."},
	},
	{
		Name: "TributaryWorkerFails", Severity: "warning", Expr: `increase(tributary_worker_harnesses_failed_total[15m]) > 3`,
		Summary: `Worker {{ $labels.instance }} has lost its connection to the runner {{ $value }} times in 15 minutes`,
		Means:   "A worker's connections to TaskManagers break, mostly as the job restarts again and again.",
		Look:    []string{"tributary job status JOB, and the worker's log. tributary_worker_refused_total: does another version submit jobs?"},
		Do:      []string{"Mend what fails the job; the same binary on all workers and where jobs are submitted."},
	},
	{
		Name: "TributaryExporterBlind", Severity: "warning", For: 5 * time.Minute, Expr: `tributary_exporter_up == 0`,
		Summary: `The metrics of {{ $labels.stream }} cannot read {{ $labels.source }}`,
		Means:   "What is read from there is not served: alerts about it are silent, and not because all is well.",
		Look:    []string{"The log of tributary metrics says why: a broker that does not answer, a right that is missing, a job that Flink does not know."},
		Do:      []string{"As the log says. tributary check SPEC --online tries brokers and rights."},
	},
	{
		Name: "TributaryExporterStale", Severity: "warning", For: 5 * time.Minute, Expr: `time() - tributary_exporter_read_timestamp_seconds > 300`,
		Summary: `The metrics of {{ $labels.stream }} are {{ $value | humanizeDuration }} old`,
		Means:   "tributary metrics serves, but has not come to read again: figures stand still.",
		Look:    []string{"tributary_exporter_read_duration_seconds by source: which one takes that long?"},
		Do:      []string{"A larger --interval if the accounts are many; else restart it, it keeps nothing."},
	},
}
