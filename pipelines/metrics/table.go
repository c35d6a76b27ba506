package metrics

// Words that several helps share.
const (
	exact   = "A gauge, as tributary report has it: a bucket that is corrected, or a job that reads again after a failure, takes back what it had counted. Use delta(), not rate()."
	byLog   = "Counted from the first record that the commit log held when the exporter began."
	asNoted = "As the time index and the accounts have it, which readers note while they read: the reader itself may be further."
)

// delays are bounds of delays of labels, from a click at once to a conversion after weeks.
var delays = []float64{0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 259200, 604800, 2592000}

// commitDelays are bounds of delays of commits: a stage of seconds is late after one, a job that was down for a day by a day.
var commitDelays = []float64{0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400}

// What the accounts say: see package account for the outcomes and counts.
var (
	InputRecords = define(Metric{
		Name: "tributary_input_records", Type: Gauge, Source: Exporter, Labels: []string{"stream", "input", "kind", "outcome"},
		Help: "Records of an input by what became of them when they were read: taken, late, dead, filtered (by where), tombstones. kind is views or that of the engagements. " + exact,
	})
	ViewsRead = define(Metric{
		Name: "tributary_views_read", Type: Gauge, Source: Exporter, Labels: []string{"stream"},
		Help: "Views read: the sum of tributary_views. " + exact,
	})
	Views = define(Metric{
		Name: "tributary_views", Type: Gauge, Source: Exporter, Labels: []string{"stream", "outcome"},
		Help: "Views by what became of them: samples, sampled_out, duplicates, late, dead, and open, which wait for the end of their window. " + exact,
	})
	ViewCounts = define(Metric{
		Name: "tributary_view_counts", Type: Gauge, Source: Exporter, Labels: []string{"stream", "count"},
		Help: "Counts of views that are part of outcomes or beside them, like positives (samples with a label) and immature. They do not add up. " + exact,
	})
	EngagementsRead = define(Metric{
		Name: "tributary_engagements_read", Type: Gauge, Source: Exporter, Labels: []string{"stream", "kind"},
		Help: "Engagements read: the sum of tributary_engagements. " + exact,
	})
	Engagements = define(Metric{
		Name: "tributary_engagements", Type: Gauge, Source: Exporter, Labels: []string{"stream", "kind", "outcome"},
		Help: "Engagements by what became of them: matched (credited to a view), outside_window, orphans, duplicates, late, dead, and open. The join rate is matched / the sum of all but open. " + exact,
	})
	EngagementCounts = define(Metric{
		Name: "tributary_engagement_counts", Type: Gauge, Source: Exporter, Labels: []string{"stream", "kind", "count"},
		Help: "Counts of engagements that are part of outcomes or beside them, like positives and partly_late. They do not add up. " + exact,
	})
	LabelDelay = define(Metric{
		Name: "tributary_label_delay_seconds", Type: Histogram, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "kind"}, Buckets: delays,
		Help: "Time from a view to its first engagement that counts, in event time, one for each positive: within 1 % of the bounds. It may take back what it had counted, as the gauges do. No exemplars: they would need ids of records in labels.",
	})
	Window = define(Metric{
		Name: "tributary_window_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "kind"},
		Help: "Attribution window of a kind, as the spec has it.",
	})
	StageViewsRead = define(Metric{
		Name: "tributary_stage_views_read", Type: Gauge, Source: Exporter, Labels: []string{"stream", "stage"},
		Help: "Views read for a stage: the sum of tributary_stage_views. " + exact,
	})
	StageViews = define(Metric{
		Name: "tributary_stage_views", Type: Gauge, Source: Exporter, Labels: []string{"stream", "stage", "outcome"},
		Help: "Views of a stage by what became of them: samples, sampled_out, duplicates, late (they count in a later stage), open. " + exact,
	})
	StageCounts = define(Metric{
		Name: "tributary_stage_counts", Type: Gauge, Source: Exporter, Labels: []string{"stream", "stage", "count"},
		Help: "Counts of a stage that are part of outcomes: positives, given (written, and not as it was said before), withdrawn. They do not add up. " + exact,
	})
	StageCorrected = define(Metric{
		Name: "tributary_stage_corrected_labels", Type: Gauge, Source: Exporter, Labels: []string{"stream", "stage", "kind"},
		Help: "Labels of a kind that a stage gave otherwise than the stage before it. " + exact,
	})
	Balanced = define(Metric{
		Name: "tributary_accounts_balanced", Type: Gauge, Source: Exporter, Labels: []string{"stream"},
		Help: "1 if every event that was read is accounted for, 0 if not: a fault of the join itself.",
	})
	Held = define(Metric{
		Name: "tributary_accounts_held", Type: Gauge, Source: Exporter, Labels: []string{"stream"},
		Help: "1 if accounts lie behind a transaction that is open, so that the figures of accounts are older than they should be; else 0.",
	})
	Notes = define(Metric{
		Name: "tributary_report_notes", Type: Gauge, Source: Exporter, Labels: []string{"stream", "severity"},
		Help: "What tributary report remarks on, by severity: error, warning, info.",
	})
)

// What the time index, the accounts and the brokers say of partitions.
var (
	PartitionLag = define(Metric{
		Name: "tributary_partition_lag_records", Type: Gauge, Source: Exporter, Labels: []string{"stream", "topic", "partition"},
		Help: "Records of a partition of an input that the job has not read, by the end of its log. " + asNoted + " The markers of transactions count as records.",
	})
	PartitionWatermark = define(Metric{
		Name: "tributary_partition_watermark_timestamp_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "topic", "partition"},
		Help: "Watermark of a partition: the event time that its log has come to where it is read, less out_of_orderness. " + asNoted + " Absent before its first record.",
	})
	PartitionIdle = define(Metric{
		Name: "tributary_partition_idle", Type: Gauge, Source: Exporter, Labels: []string{"stream", "topic", "partition"},
		Help: "1 if a partition is read to its end, but for a marker at most, and has brought nothing for idle_timeout, so that it holds no watermark back; else 0.",
	})
	Watermark = define(Metric{
		Name: "tributary_watermark_timestamp_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream"},
		Help: "Watermark of the stream: the smallest of its partitions that are not idle, or the largest if all are. Absent while one that is not idle has none.",
	})
)

// StableGap is what the brokers say of all topics of the spec.
var StableGap = define(Metric{
	Name: "tributary_topic_stable_gap_records", Type: Gauge, Source: Exporter, Labels: []string{"stream", "topic"},
	Help: "Records of a topic, input or output, behind its last stable offset: an open transaction hides them from readers of what is committed. Summed over its partitions; 0 where nothing is open.",
})

// What the commit logs say.
var (
	StageComplete = define(Metric{
		Name: "tributary_stage_complete_timestamp_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "stage", "sink"},
		Help: "Views before this event time have all their samples of the stage (last where there are none) in the sink, topic or folder. Absent before the first, and for delivery at_least_once.",
	})
	StageOverdue = define(Metric{
		Name: "tributary_stage_overdue_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "stage", "sink"},
		Help: "How long ago, in event time, the first bucket closed that the sink does not have whole: 0 while it keeps up with the watermark.",
	})
	StageOpen = define(Metric{
		Name: "tributary_stage_open_buckets", Type: Gauge, Source: Exporter, Labels: []string{"stream", "stage", "sink"},
		Help: "Buckets of a stage that the sink does not have whole, up to that of the newest event: those that wait for their windows, and those that are overdue.",
	})
	CommitDelay = define(Metric{
		Name: "tributary_commit_delay_seconds", Type: Histogram, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "stage"}, Buckets: commitDelays,
		Help: "Time from the closing of a bucket (its end, the window or stage, and out_of_orderness: event time) to the writing of its line in the commit log (the clock of who wrote it), one for each shard of it. What is read from a log of the past has the delays of the past. No exemplars. " + byLog,
	})
	Commits = define(Metric{
		Name: "tributary_commits_total", Type: Counter, Source: Exporter, Labels: []string{"stream", "stage"},
		Help: "Groups (a bucket of a shard) that a topic of samples has got, corrected ones again. " + byLog,
	})
	Transactions = define(Metric{
		Name: "tributary_transactions_total", Type: Counter, Source: Exporter, Labels: []string{"stream", "stage", "result"},
		Help: "Transactions of a topic of samples that had come as far as the commit log, by result: commit, abort. " + byLog,
	})
	TransactionOpen = define(Metric{
		Name: "tributary_transaction_open_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "stage"},
		Help: "Age of the oldest transaction that is open in the commit log, 0 for none: no reader of what is committed comes past it.",
	})
	TransactionTimeout = define(Metric{
		Name: "tributary_transaction_timeout_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream"},
		Help: "stream.transaction_timeout of the spec, after which brokers abort a transaction; 0 with delivery at_least_once.",
	})
)

// What Flink says, with --flink.
var (
	JobRunning = define(Metric{
		Name: "tributary_flink_job_running", Type: Gauge, Source: Exporter, Labels: []string{"stream"},
		Help: "1 if Flink runs the job and all of its tasks, else 0. With --flink.",
	})
	Checkpoints = define(Metric{
		Name: "tributary_checkpoints_total", Type: Counter, Source: Exporter, Labels: []string{"stream", "result"},
		Help: "Checkpoints of the job on Flink since it was submitted, by result: completed, failed. With --flink.",
	})
	Restores = define(Metric{
		Name: "tributary_checkpoint_restores_total", Type: Counter, Source: Exporter, Labels: []string{"stream"},
		Help: "How often the job on Flink went back to a checkpoint since it was submitted. With --flink.",
	})
	CheckpointTime = define(Metric{
		Name: "tributary_checkpoint_last_timestamp_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream"},
		Help: "When the last checkpoint that was completed was taken. With --flink.",
	})
	CheckpointDuration = define(Metric{
		Name: "tributary_checkpoint_last_duration_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream"},
		Help: "How long the last checkpoint that was completed took. With --flink.",
	})
	CheckpointSize = define(Metric{
		Name: "tributary_checkpoint_last_size_bytes", Type: Gauge, Unit: "bytes", Source: Exporter, Labels: []string{"stream"},
		Help: "Size of the state in the last checkpoint that was completed. With --flink.",
	})
)

// What the last audit found, with --audit-every.
var (
	AuditFindings = define(Metric{
		Name: "tributary_audit_findings", Type: Gauge, Source: Exporter, Labels: []string{"stream", "sink", "stage", "class"},
		Help: "Findings of the last audit by class (missing, extra, different, doubled, ...): of the sinks topic and folder, and of accounts. With --audit-every.",
	})
	AuditCompared = define(Metric{
		Name: "tributary_audit_samples", Type: Gauge, Source: Exporter, Labels: []string{"stream", "sink", "stage"},
		Help: "Samples that the last audit expected in a sink: what it has compared. With --audit-every.",
	})
	AuditTime = define(Metric{
		Name: "tributary_audit_last_timestamp_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream"},
		Help: "When the last audit ended that could be done. With --audit-every.",
	})
	AuditInterval = define(Metric{
		Name: "tributary_audit_interval_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream"},
		Help: "How often it is audited: --audit-every.",
	})
)

// The exporter itself.
var (
	Up = define(Metric{
		Name: "tributary_exporter_up", Type: Gauge, Source: Exporter, Labels: []string{"stream", "source"},
		Help: "1 if the exporter could read a source the last time, else 0, and then the metrics of that source are absent: accounts, partitions, commits, flink, audit.",
	})
	ReadTime = define(Metric{
		Name: "tributary_exporter_read_timestamp_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream"},
		Help: "When the exporter began to read what it serves now. It reads every --interval, not at each scrape.",
	})
	ReadDuration = define(Metric{
		Name: "tributary_exporter_read_duration_seconds", Type: Gauge, Unit: "seconds", Source: Exporter, Labels: []string{"stream", "source"},
		Help: "How long the exporter took to read a source the last time.",
	})
	Info = define(Metric{
		Name: "tributary_exporter_info", Type: Gauge, Source: Exporter, Labels: []string{"stream", "version"},
		Help: "1, labelled with what runs here.",
	})
)
