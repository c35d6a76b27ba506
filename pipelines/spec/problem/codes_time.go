package problem

// timeCodes are about durations, windows and the watermark.
var timeCodes = []Code{
	{
		ID: "T1201", Severity: SeverityError, Title: "not a duration",
		Cause: `A duration is numbers with units: d (24 hours), h, m (minutes), s, ms, like 30m,
1d12h or 1.5h. A number without a unit means nothing.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30 minutes}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1202", Severity: SeverityError, Title: "duration too short",
		Cause: `Windows and buckets are at least a millisecond long, and no duration is negative.
An engagement counts from its view on until the window ends, so with a window of
nothing none would.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 0s}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1203", Severity: SeverityError, Title: "duration too long or too fine",
		Cause: `Durations are at most 366 days, and whole milliseconds: event times are in
milliseconds, so a finer duration could not be kept.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 700d}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 70d}`,
	},
	{
		ID: "T1204", Severity: SeverityError, Title: "bucket that is too long",
		Cause: `A bucket is joined in memory, and its samples wait until all of it has closed. Six
buckets to the longest window are a good start; a day is the most. Where credit chooses
between views of a key, longer ones cost less, up to the longest window.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 14d}
bucket: 7d`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 14d}
bucket: 1d`,
	},
	{
		ID: "T1205", Severity: SeverityError, Title: "too many buckets in a window",
		Cause: `An engagement that does not carry its view's time is copied to every bucket that
may hold its view: window / bucket of them, at most 10,000.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}
bucket: 100ms`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}
bucket: 5m`,
	},
	{
		ID: "T1206", Severity: SeverityError, Title: "clock skew as long as a window",
		Cause: `An engagement may be stamped up to clock_skew before its view, because the clocks
of two machines differ. With a skew as long as the window, engagements that have
nothing to do with the view would count.`,
		Bad:  "clock_skew: 30m",
		Good: "clock_skew: 2s",
	},
	{
		ID: "T1207", Severity: SeverityWarning, Title: "bucket does not divide the longest window",
		Cause: `Engagements are needed until the longest window after the end of a bucket. If the
bucket does not divide the window, a bucket waits for a part of another one, and its
samples come later than they could. The result is the same.`,
		Bad:  "bucket: 7m",
		Good: "bucket: 5m",
	},
	{
		ID: "T1208", Severity: SeverityWarning, Title: "duplicates looked for longer than the longest window",
		Cause: `To find duplicates, views are copied to every bucket within dedup_window. Far
apart ones are rare, and the copies cost memory.`,
		Bad:  "views: {inputs: views/*.avro, id: view_id, time: ts, dedup_window: 2h}",
		Good: "views: {inputs: views/*.avro, id: view_id, time: ts, dedup_window: 10s}",
	},
	{
		ID: "T1209", Severity: SeverityWarning, Title: "no disorder allowed in ordered inputs",
		Cause: `In an input with an order, the watermark of a partition follows its latest record
at a distance of out_of_orderness. With 0s one record with a time in the future
makes those after it late: they go to the late output instead of to samples.`,
		Bad: `
views: {inputs: [{path: views/*.avro, order: file}], id: view_id, time: ts}
out_of_orderness: 0s`,
		Good: `
views: {inputs: [{path: views/*.avro, order: file}], id: view_id, time: ts}
out_of_orderness: 1m`,
	},
	{
		ID: "T1210", Severity: SeverityWarning, Title: "out_of_orderness without any order",
		Cause: `Only records of a partition with an order can be late. Plain files have none unless
the spec says so, and then out_of_orderness makes nothing late. All it does is to set
how far beyond the longest window a view is looked for, to tell an engagement outside
its window from an orphan.`,
		Bad: `
views: {inputs: [views/*.avro], id: view_id, time: ts}
out_of_orderness: 5m`,
		Good: `
views: {inputs: [{path: views/*.avro, order: file}], id: view_id, time: ts}
out_of_orderness: 5m`,
	},
	{
		ID: "T1211", Severity: SeverityWarning, Title: "view_time too coarse for the clock skew",
		Cause: `An engagement with a view_time refers only to views within clock_skew of it. A
view_time in whole seconds is up to a second before the view's own time, so with a
shorter clock_skew the engagement becomes an orphan. If views have whole seconds as
well, give their time the same unit.`,
		Bad: `
engagements:
  like:
    inputs: likes/*.avro
    view: view_id
    view_time: {field: view_ts, unit: epoch-seconds}
    time: ts
    window: 30m`,
		Good: `
engagements:
  like:
    inputs: likes/*.avro
    view: view_id
    view_time: {field: view_ts, unit: epoch-seconds}
    time: ts
    window: 30m
clock_skew: 1s`,
	},
	{
		ID: "T1212", Severity: SeverityWarning, Title: "engagements that cannot be told apart",
		Cause: `Without an own id, engagements of one kind with the same view, time and value are
taken for one sent twice. With times in whole seconds that may be two real ones, and
the count or sum comes out too low.`,
		Bad: `
engagements:
  click:
    inputs: clicks/*.csv
    view: view_id
    time: {field: ts, unit: epoch-seconds}
    window: 30m
    label: count`,
		Good: `
engagements:
  click:
    inputs: clicks/*.csv
    view: view_id
    time: {field: ts, unit: epoch-seconds}
    id: event_id
    window: 30m
    label: count`,
	},
	{
		ID: "T1213", Severity: SeverityWarning, Title: "window finer than the times",
		Cause: `Times in whole seconds are cut off: two events in one second look simultaneous. A
window shorter than that depends on where the second happened to end.`,
		Bad: `
engagements:
  click:
    inputs: clicks/*.csv
    view: view_id
    time: {field: ts, unit: epoch-seconds}
    window: 500ms`,
		Good: `
engagements:
  click:
    inputs: clicks/*.csv
    view: view_id
    time: {field: ts_ms, unit: epoch-millis}
    window: 500ms`,
	},
	{
		ID: "T1214", Severity: SeverityWarning, Title: "buckets shorter than duplicates are apart",
		Cause: `To find duplicates, views are copied to every bucket within dedup_window. With
buckets much shorter than that most of the work and of the state are copies: a join
with buckets of 1s and duplicates within 10s took more than twice the processor time.
The result is the same.`,
		Bad:  "bucket: 1s",
		Good: "bucket: 5s",
	},
	{
		ID: "T1215", Severity: SeverityWarning, Title: "engagements that are views as well",
		Cause: `A kind reads the inputs of the views, and records of these can be both: in a log of
views and likes, each like is a view too, and makes itself positive with a delay of 0.
Without a condition each view is an engagement as well.

Say with a condition each which records are views and which are engagements. Where one
record holds the view and what became of it, name the engagement's own time.`,
		Bad: `
views: {inputs: log/*.avro, id: view_id, time: ts}
engagements:
  like: {inputs: log/*.avro, where: {kind: like}, view: view_id, time: ts, window: 30m}`,
		Good: `
views: {inputs: log/*.avro, where: {kind: view}, id: view_id, time: ts}
engagements:
  like: {inputs: log/*.avro, where: {kind: like}, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1216", Severity: SeverityError, Title: "stages that do not ascend",
		Cause: `Each stage says more of a view than the one before it, and the samples of a view are
numbered in this order. A stage listed twice would say the same twice.`,
		Bad:  "stages: [1m, 10s]",
		Good: "stages: [10s, 1m]",
	},
	{
		ID: "T1217", Severity: SeverityError, Title: "stage beyond the longest window",
		Cause: `When the longest window has ended nothing more can count, so the sample of a later
stage would be that of the last one once more. The longest window is always a stage.`,
		Bad:  "stages: [10s, 1h]",
		Good: "stages: [10s, 30m]",
	},
	{
		ID: "T1218", Severity: SeverityError, Title: "stage that waits longer than the join",
		Cause: `A stage comes earlier than the join because it waits for less: an engagement that is
late for it counts in the next one. What is later than out_of_orderness of the join is
late for all.`,
		Bad:  "stages: [{after: 10s, out_of_orderness: 2m}]",
		Good: "stages: [{after: 10s, out_of_orderness: 2s}]",
	},
	{
		ID: "T1219", Severity: SeverityError, Title: "last stage with an out_of_orderness of its own",
		Cause: `The samples of the last stage are those of the join, and it is the join's
out_of_orderness that says which events are late for them.`,
		Bad: "stages: [10s, {after: 30m, out_of_orderness: 10s}]",
		Good: `
stages: [10s, 30m]
views: {inputs: [{path: views/*.avro, order: file}], id: view_id, time: ts}
out_of_orderness: 10s`,
	},
	{
		ID: "T1220", Severity: SeverityError, Title: "stage that comes before the one before it",
		Cause: `A stage comes when its time after the view and its out_of_orderness have passed. One
that waits longer than the next one has to would come after it, and say less.`,
		Bad:  "stages: [{after: 10s, out_of_orderness: 30s}, 20s]",
		Good: "stages: [{after: 10s, out_of_orderness: 12s}, 20s]",
	},
	{
		ID: "T1221", Severity: SeverityError, Title: "last stage that writes positives only",
		Cause: `A sample that an earlier stage wrote may be taken back by a later one: a label can
change until the longest window ends. After the last stage there is none to do that, so
it writes all changes, or all samples.`,
		Bad:  "stages: [10s, {after: 30m, emit: positives}]",
		Good: "stages: [{after: 10s, emit: positives}, {after: 30m, emit: changed}]",
	},
	{
		ID: "T1222", Severity: SeverityError, Title: "too many stages",
		Cause: `Each stage joins each view once more, and keeps a state of its own. Eight are the
most, with the longest window; two or three, each some times longer than the one before
it, say nearly all that many would.`,
		Bad:  "stages: [1s, 2s, 5s, 10s, 20s, 30s, 1m, 2m, 5m]",
		Good: "stages: [1s, 10s, 2m]",
	},
	{
		ID: "T1223", Severity: SeverityError, Title: "buckets of stages that do not nest",
		Cause: `Each stage has buckets of its own, about a tenth of its time long, and each divides
that of the next stage, up to the bucket of the spec: so a bucket of one stage lies in
one bucket of the next. A bucket with few divisors leaves none of such a length; most
round lengths do.`,
		Bad: `
stages: [10s]
bucket: 299993ms`,
		Good: `
stages: [10s]
bucket: 5m`,
	},
	{
		ID: "T1224", Severity: SeverityError, Title: "clock skew as long as a stage",
		Cause: `An engagement may be stamped up to clock_skew before its view, because the clocks
of two machines differ. With a skew as long as a stage, what the stage says would
mostly be of the time before the view.`,
		Bad: `
stages: [10s]
clock_skew: 10s`,
		Good: `
stages: [10s]
clock_skew: 1s`,
	},
}
