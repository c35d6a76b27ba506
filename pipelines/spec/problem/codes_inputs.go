package problem

// inputCodes are about inputs and the fields that are read from them.
var inputCodes = []Code{
	{
		ID: "T1101", Severity: SeverityError, Title: "path of an input cannot be used",
		Cause: `The path is a folder, a pattern with an open bracket, or holds ~ or $, which are
not replaced in a spec. An input names files: one, or a pattern in which * stands
for part of a name, ** for any folders, ? for a character, [ab] and {a,b} for
alternatives.`,
		Bad:  "views: {inputs: views/, id: view_id, time: ts}",
		Good: "views: {inputs: views/*.avro, id: view_id, time: ts}",
	},
	{
		ID: "T1102", Severity: SeverityError, Title: "place that files cannot be read from or written to",
		Cause: `Paths are local, or in a Google Cloud Storage bucket: gs://bucket/name. Relative
paths begin at the folder of the spec.`,
		Bad:  "views: {inputs: \"s3://shop/views/*.avro\", id: view_id, time: ts}",
		Good: "views: {inputs: \"gs://shop/views/*.avro\", id: view_id, time: ts}",
	},
	{
		ID: "T1103", Severity: SeverityError, Title: "secret in a URL",
		Cause: `The URL holds a user, a key or a signature. Specs are kept in repositories, printed
and logged. Access to gs:// comes from the environment (Application Default
Credentials). If this secret was ever shared, replace it.`,
		Bad:  "views: {inputs: \"gs://me:hunter2@shop/views/*.avro\", id: view_id, time: ts}",
		Good: "views: {inputs: \"gs://shop/views/*.avro\", id: view_id, time: ts}",
	},
	{
		ID: "T1104", Severity: SeverityError, Title: "format of an input unknown",
		Cause: `The format is told by the ending of the path: .avro, .json, .jsonl, .ndjson or
.csv, the text forms also followed by .gz. Any other ending needs a format. Avro
files are compressed inside, so .avro.gz is not one of them. Parquet, ORC, Excel, text
with tabs, archives, and compression other than gzip around text are not read.`,
		Bad: `
views: {inputs: [views/part-*], id: view_id, time: ts}`,
		Good: `
views: {inputs: [{path: views/part-*, format: avro}], id: view_id, time: ts}`,
	},
	{
		ID: "T1105", Severity: SeverityError, Title: "schema is not a schema file",
		Cause: `A schema names one file with an Avro schema in JSON, ending in .avsc or .json.
Records of json and csv inputs are converted to it; avro inputs are read with it.`,
		Bad: `
views:
  inputs: [{path: views/*.csv, schema: views.avro}]
  id: view_id
  time: ts`,
		Good: `
views:
  inputs: [{path: views/*.csv, schema: view.avsc}]
  id: view_id
  time: ts`,
	},
	{
		ID: "T1106", Severity: SeverityError, Title: "order without partition or offset",
		Cause: `The order of records is told by two fields: the partition of the log they were
copied from, and the offset in it. One without the other orders nothing.`,
		Bad: `
views:
  inputs: [{path: views/*.avro, order: {offset: kafka_offset}}]
  id: view_id
  time: ts`,
		Good: `
views:
  inputs: [{path: views/*.avro, order: {partition: kafka_partition, offset: kafka_offset}}]
  id: view_id
  time: ts`,
	},
	{
		ID: "T1107", Severity: SeverityError, Title: "not the path of a field",
		Cause: `A field is named by its path: names with dots between them, user.id for the id of
the user. A name may hold anything: Created (UTC), view/id. One that holds a dot or a
double quote stands in double quotes, with each quote in it twice, and so may any
other; the quotes of YAML stand around the whole path: '"event.id".x', '"5"" screen"',
'""' for the empty name. In a path of several names a name with a space at an end needs
them too, and everywhere one that looks like the path of another tool (/view/id,
$.view.id, user->id, items[0], a,b, *): items of lists cannot be named, and a path names
one field.`,
		Bad:  "views: {inputs: views/*.avro, id: \"user[id]\", time: ts}",
		Good: "views: {inputs: views/*.avro, id: user.id, time: ts}",
	},
	{
		ID: "T1108", Severity: SeverityError, Title: "one field for two purposes",
		Cause: `Two settings name the same field and cannot both mean it. If an engagement's own id
were its view's id, all engagements with a view would be duplicates of the first;
if its view's time were its own time, it would find no view.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, id: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, id: event_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1109", Severity: SeverityError, Title: "input listed twice",
		Cause: "Its records would be read twice, and half of them be counted as duplicates.",
		Bad:   "views: {inputs: [views/*.avro, views/*.avro], id: view_id, time: ts}",
		Good:  "views: {inputs: [views/*.avro], id: view_id, time: ts}",
	},
	{
		ID: "T1110", Severity: SeverityError, Title: "condition that no record meets",
		Cause: `A field without a value equals nothing, and neither does a number that is not finite:
the kind would silently be empty. Put the value in quotes where the field holds that text.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, where: {version: null}, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, where: {version: 2}, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1111", Severity: SeverityError, Title: "field inside a field that is a value",
		Cause: `A field is either a value or a record with fields of its own, so user and user.id
cannot both be read from one record.`,
		Bad:  "views: {inputs: views/*.avro, id: view, time: view.ts}",
		Good: "views: {inputs: views/*.avro, id: view.id, time: view.ts}",
	},
	{
		ID: "T1112", Severity: SeverityError, Title: "every view would be an engagement",
		Cause: `A kind reads the files of the views, with the same id and time and without a
condition: every view would engage with itself, and every sample be positive.`,
		Bad: `
engagements:
  like: {inputs: views/*.avro, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: views/*.avro, where: {liked: true}, view: view_id, time: liked_at, window: 30m}`,
	},
	{
		ID: "T1113", Severity: SeverityWarning, Title: "two kinds are the same",
		Cause: `Two kinds read the same records in the same way and make the same label of them.
Probably a condition is missing that should tell them apart.`,
		Bad: `
engagements:
  like: {inputs: events/*.avro, view: view_id, time: ts, window: 30m}
  share: {inputs: events/*.avro, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: events/*.avro, where: {kind: like}, view: view_id, time: ts, window: 30m}
  share: {inputs: events/*.avro, where: {kind: share}, view: view_id, time: ts, window: 30m}`,
	},
}
