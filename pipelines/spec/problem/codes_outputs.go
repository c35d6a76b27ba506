package problem

// outputCodes are about what is written, and about keys that only some formats have.
var outputCodes = []Code{
	{
		ID: "T1401", Severity: SeverityError, Title: "two outputs in one folder",
		Cause: `Files of one output would stand among, or replace, those of the other. Outputs that
are not named are put beside the samples: late, dead, and ledger for accounts.`,
		Bad:  "outputs: {samples: out/samples, late: out/samples}",
		Good: "outputs: {samples: out/samples, late: out/late}",
	},
	{
		ID: "T1402", Severity: SeverityError, Title: "an output inside another",
		Cause: `Who reads the outer folder would also find the files of the inner one, and take
late events or dead letters for samples.`,
		Bad:  "outputs: {samples: out, late: out/late}",
		Good: "outputs: {samples: out/samples, late: out/late}",
	},
	{
		ID: "T1403", Severity: SeverityError, Title: "codec that does not go with the format",
		Cause: `Avro files are compressed inside, with zstandard, snappy, deflate, or not at all
(null). JSON lines, CSV and TFRecord are compressed as a whole with gzip, or not at
all (none). Columns of Parquet are compressed with zstd, snappy, or not at all
(uncompressed).`,
		Bad:  "outputs: {samples: {path: out/samples, format: json, codec: snappy}}",
		Good: "outputs: {samples: {path: out/samples, format: json, codec: gzip}}",
	},
	{
		ID: "T1404", Severity: SeverityError, Title: "path of an output cannot be used",
		Cause: `An output is a folder of its own: files are put into it by date, and replaced when
their interval is joined again. A pattern, a file name, or the folder of the spec
itself cannot be used; ~ and $ are not replaced.`,
		Bad:  "outputs: {samples: out/samples.avro}",
		Good: "outputs: {samples: out/samples}",
	},
	{
		ID: "T1405", Severity: SeverityError, Title: "an input reads an output",
		Cause: `The pattern of an input also matches the files that this join writes: the next run
would take samples for views.`,
		Bad: `
views: {inputs: "data/**/*.avro", id: view_id, time: ts}
outputs: {samples: data/samples}`,
		Good: `
views: {inputs: "data/views/**/*.avro", id: view_id, time: ts}
outputs: {samples: data/samples}`,
	},
	{
		ID: "T1406", Severity: SeverityError, Title: "files of samples cut across their folders",
		Cause: `Who reads the folder of an hour or a day expects all samples of that time in it, and
no others. So files are of a time that divides it, and made of whole buckets.`,
		Bad:  "outputs: {samples: {path: out/samples, compact: 7h}}",
		Good: "outputs: {samples: {path: out/samples, compact: 1h}}",
	},
	{
		ID: "T1407", Severity: SeverityError, Title: "final samples that are not all written",
		Cause: `An output of final samples is for readers that want one sample of each view. The last
stage writes those samples that say something new unless it is told to write all: of a
view that an early stage was right about, the output would hold nothing.`,
		Bad: `
stages: [10s, 30m]
outputs: {samples: {path: out/samples, stages: final}}`,
		Good: `
stages: [10s, {after: 30m, emit: all}]
outputs: {samples: {path: out/samples, stages: final}}`,
	},
	{
		ID: "T1408", Severity: SeverityError, Title: "stages of an output without any in the spec",
		Cause: `The key stages of the spec says when views get samples; that of an output chooses
among them. Without the former each view has one sample.`,
		Bad: "outputs: {samples: {path: out/samples, stages: all}}",
		Good: `
stages: [10s]
outputs: {samples: {path: out/samples, stages: all}}`,
	},
	{
		ID: "T1410", Severity: SeverityError, Title: "two columns of samples with one name",
		Cause: `A field of the view is a column beside those that samples have: view_id, view_time,
positive, labels, delay_ms, maturity_ms, sampling_rate, weight, spec_version, stage,
version, final and view. Each column has a name of its own. With view: flat a field
view_id is no second column if it is the id of the views (id: view_id).`,
		Bad:  "sample: {fields: [user.id, item.id]}",
		Good: "sample: {fields: [{user_id: user.id}, {item_id: item.id}]}",
	},
	{
		ID: "T1411", Severity: SeverityError, Title: "name that no column can have",
		Cause: `A column is called like the last name of its field, or as the spec says: with
letters, digits and _, and no digit first, as Avro wants it.`,
		Bad:  "sample: {fields: [ctx.page-url]}",
		Good: "sample: {fields: [{page_url: ctx.page-url}]}",
	},
	{
		ID: "T1412", Severity: SeverityError, Title: "flat views without a schema",
		Cause: `The columns of samples are the same for all of them, and known before any view is
read. JSON and CSV say only record by record which fields there are. Avro, or a schema
for the input, says it before; or name the fields.`,
		Bad: `
views: {inputs: views/*.json, id: view_id, time: {field: ts, unit: epoch-millis}}
sample: {view: flat}`,
		Good: `
views: {inputs: views/*.json, id: view_id, time: {field: ts, unit: epoch-millis}}
sample: {fields: [user.id, item], view: none}`,
	},
	{
		ID: "T1420", Severity: SeverityError, Title: "column of a Parquet file that is not read",
		Cause: `A column that the join reads is of a type that Avro has nothing for: whole numbers of
64 bits without a sign (UBIGINT, uint64), times of day in nanoseconds, INTERVAL, FLOAT16,
VARIANT, maps whose keys are not text; or two columns have one name. Cast it where the
file is written. Where samples hold the view all its columns are read, else those that the
spec names; a column that is not read may be of any type.`,
		Bad:  "views: {inputs: views/*.parquet, id: view_id, time: ts}    # copy (select hash(id) as view_id, ...",
		Good: "views: {inputs: views/*.parquet, id: view_id, time: ts}    # copy (select hash(id)::varchar as view_id, ...",
	},
	{
		ID: "T1425", Severity: SeverityError, Title: "delimiter without cells",
		Cause: `A delimiter stands between the cells of CSV. Records of other formats have no cells.`,
		Bad: `
views: {inputs: [{path: views/*.jsonl, delimiter: semicolon}], id: view_id, time: ts}`,
		Good: `
views: {inputs: [{path: views/*.csv, delimiter: semicolon}], id: view_id, time: ts}`,
	},
}

// testCodes are about the tests of a spec.
var testCodes = []Code{
	{
		ID: "T1501", Severity: SeverityError, Title: "kind that the spec does not have",
		Cause: "Engagements, labels and delays of a test are given by kind, as the spec names them.",
		Bad: `
tests:
  - name: a like
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    engagements: {lik: [{view_id: v1, ts: 2026-01-01T10:05:00Z}]}
    samples: [{view_id: v1, labels: {like: 1}}]`,
		Good: `
tests:
  - name: a like
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    engagements: {like: [{view_id: v1, ts: 2026-01-01T10:05:00Z}]}
    samples: [{view_id: v1, labels: {like: 1}}]`,
	},
	{
		ID: "T1502", Severity: SeverityError, Title: "record of a test without id or time",
		Cause: `Each record needs the fields by which the spec joins it: the view's id and time, the
engagement's view and time, and its view's time if the spec names that field. A path
like user.id is written {user: {id: u1}}.`,
		Bad: `
tests:
  - name: nothing happened
    views: [{id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}]`,
		Good: `
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}]`,
	},
	{
		ID: "T1503", Severity: SeverityError, Title: "time that cannot be read",
		Cause: `Times are RFC 3339, with a zone, or numbers in the unit that the spec gives the
field. A number for a field without a unit could be seconds or milliseconds.`,
		Bad: `
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01 10 o'clock}]
    samples: [{view_id: v1}]`,
		Good: `
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}]`,
	},
	{
		ID: "T1504", Severity: SeverityError, Title: "two tests of one name",
		Cause: "The name is how a test is run alone and how its failure is reported.",
		Bad: `
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}]
  - name: nothing happened
    views: [{view_id: v2, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v2}]`,
		Good: `
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}]
  - name: nothing happened later
    views: [{view_id: v2, ts: 2026-01-02T10:00:00Z}]
    samples: [{view_id: v2}]`,
	},
	{
		ID: "T1505", Severity: SeverityError, Title: "sample of a view that the test does not have",
		Cause: "Each sample comes from one view, and has its id.",
		Bad: `
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v2}]`,
		Good: `
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}]`,
	},
	{
		ID: "T1506", Severity: SeverityError, Title: "value that a sample cannot have",
		Cause: `The test could never pass: a binary label is 0 or 1, a count a whole number, min and
max a number or null, a delay whole milliseconds or null.`,
		Bad: `
tests:
  - name: a like
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    engagements: {like: [{view_id: v1, ts: 2026-01-01T10:05:00Z}]}
    samples: [{view_id: v1, labels: {like: true}}]`,
		Good: `
tests:
  - name: a like
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    engagements: {like: [{view_id: v1, ts: 2026-01-01T10:05:00Z}]}
    samples: [{view_id: v1, labels: {like: 1}}]`,
	},
	{
		ID: "T1507", Severity: SeverityError, Title: "stage of a sample that the spec does not have",
		Cause: `An expected sample is of one of the stages, the longest window among them, and of the
last one if it names none. Without stages a sample has no stage, version or final.`,
		Bad: `
stages: [10s]
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}, {view_id: v1, stage: 1m}]`,
		Good: `
stages: [10s]
tests:
  - name: nothing happened
    views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]
    samples: [{view_id: v1}, {view_id: v1, stage: 10s}]`,
	},
}
