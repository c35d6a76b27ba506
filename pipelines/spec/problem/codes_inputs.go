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
		Cause: `Paths are local, in a bucket of Google Cloud Storage or S3, gs://bucket/name or
s3://bucket/name, or in a container of Azure Blob Storage, az://container/name, of the
account that the environment names. Relative paths begin at the folder of the spec.`,
		Bad:  "views: {inputs: \"hdfs://shop/views/*.avro\", id: view_id, time: ts}",
		Good: "views: {inputs: \"gs://shop/views/*.avro\", id: view_id, time: ts}",
	},
	{
		ID: "T1103", Severity: SeverityError, Title: "secret in a URL",
		Cause: `The URL holds a user, a key or a signature. Specs are kept in repositories, printed
and logged. Access to gs://, s3:// and az:// comes from the environment (Application
Default Credentials, the settings of the AWS SDK, AZURE_STORAGE_ACCOUNT and the like).
If this secret was ever shared, replace it.`,
		Bad:  "views: {inputs: \"gs://me:hunter2@shop/views/*.avro\", id: view_id, time: ts}",
		Good: "views: {inputs: \"gs://shop/views/*.avro\", id: view_id, time: ts}",
	},
	{
		ID: "T1104", Severity: SeverityError, Title: "format of an input unknown",
		Cause: `The format is told by the ending of the path: .avro, .parquet, .json, .jsonl, .ndjson
or .csv, the text forms also followed by .gz, .zst, .zstd or .lz4. Any other ending needs
a format. Avro and Parquet files are compressed inside, so .avro.gz is not one of them.
ORC, Excel, archives, and compression other than gzip, zstd and lz4 around text are not
read. Text with tabs is csv with a delimiter.`,
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
	{
		ID: "T1114", Severity: SeverityError, Title: "ids of other fields",
		Cause: `A view's id may be several fields together, and an engagement names its view by as many:
the first field of the one is held against the first of the other, and so on. With more or
fewer fields, or the same ones in another order, no engagement would find its view.`,
		Bad: `
views: {inputs: views/*.avro, id: [request_id, item.id], time: ts}
engagements:
  like: {inputs: likes/*.avro, view: request_id, time: ts, window: 30m}`,
		Good: `
views: {inputs: views/*.avro, id: [request_id, item.id], time: ts}
engagements:
  like: {inputs: likes/*.avro, view: [request_id, item_id], time: ts, window: 30m}`,
	},
	{
		ID: "T1115", Severity: SeverityError, Title: "expression that cannot be read",
		Cause: `An expression is CEL (cel.dev): literals, names of fields, operators and functions. Text
is in quotes, equal is ==, and is &&, or is ||. There are no macros but has(FIELD), and
it has at most 4096 bytes and 1000 parts.`,
		Bad: `
engagements:
  like: {inputs: log/*.json, where: kind = "like" and price > 3, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: log/*.json, where: kind == "like" && price > 3.0, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1116", Severity: SeverityError, Title: "expression whose parts do not go together",
		Cause: `The whole has to be true or false, a function has to be there, and what an operator or a
function is given has to be of a type that it takes: a number is not added to text.`,
		Bad: `
engagements:
  like: {inputs: log/*.json, where: size(kind), view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: log/*.json, where: size(kind) > 0, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1117", Severity: SeverityError, Title: "expression that does not go with the schema",
		Cause: `The fields have types by the schema of the records, and columns of CSV are text: an
operator or a function in the expression does not take them. int(), double() and
string() turn one type into another.`,
		Bad: `
engagements:
  like: {inputs: log/*.csv, where: price > 3.0, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: log/*.csv, where: double(price) > 3.0, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1118", Severity: SeverityError, Title: "name that no computed field can have",
		Cause: `A computed field is called by one name, of letters, digits and _, and no digit first. It
stands beside the fields of the record, and hides one of the same name.`,
		Bad:  "views: {inputs: views/*.jsonl, fields: {user.key: 'user.id + item'}, id: user.key, time: ts}",
		Good: "views: {inputs: views/*.jsonl, fields: {user_key: 'user.id + item'}, id: user_key, time: ts}",
	},
	{
		ID: "T1119", Severity: SeverityError, Title: "computed field where a record's own is wanted",
		Cause: `Partitions, offsets and the lists of each are read before anything is computed: they say
which record comes before which, and how many events it holds.`,
		Bad:  "views: {inputs: [{path: views/*.csv, order: {partition: part, offset: n}}], fields: {part: 'int(shard)'}, id: view_id, time: ts}",
		Good: "views: {inputs: [{path: views/*.csv, order: {partition: shard, offset: n}}], id: view_id, time: ts}",
	},
	{
		ID: "T1120", Severity: SeverityError, Title: "not a pattern of times",
		Cause: `A pattern says how times are written in text, in the directives of strptime, like %d for
the day: "tributary help times" has all. Each part of a time is named once, a year,
month and day at least, and nothing finer without what it is of. All else stands for
itself.`,
		Bad: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, pattern: "dd/MM/yyyy HH:mm:ss", zone: UTC}`,
		Good: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, pattern: "%d/%m/%Y %H:%M:%S", zone: UTC}`,
	},
	{
		ID: "T1121", Severity: SeverityError, Title: "not a time zone",
		Cause: `A zone is a name of the IANA database, like Europe/Berlin, an offset like +02:00, or
UTC. Names have their capitals. The zone of the machine is not one: another machine has
another.`,
		Bad: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, zone: Berlin}`,
		Good: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, zone: Europe/Berlin}`,
	},
	{
		ID: "T1122", Severity: SeverityError, Title: "times of a pattern without a zone",
		Cause: `10:00 in Berlin is not 10:00 in New York. Where the text of times has no zone, the spec
says which it is; nothing is assumed.`,
		Bad: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, pattern: "%Y-%m-%d %H:%M:%S"}`,
		Good: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, pattern: "%Y-%m-%d %H:%M:%S", zone: Europe/Berlin}`,
	},
	{
		ID: "T1123", Severity: SeverityError, Title: "more said of a time than one thing",
		Cause: `A pattern says how text is written, and a unit how numbers are: a field has one of them.
Numbers count from 1970 in UTC, and with %z in the pattern the text has a zone. One
beside these would change nothing, and so is probably a mistake about the data.`,
		Bad: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, unit: epoch-seconds, zone: Europe/Berlin}`,
		Good: `
views:
  inputs: views/*.csv
  id: view_id
  time: {field: at, unit: epoch-seconds}`,
	},
	{
		ID: "T1124", Severity: SeverityError, Title: "not a field that the input's records have beside their values",
		Cause: `$key, $timestamp, $partition, $offset and $headers.NAME are what Kafka has beside the
value of a record, and $type is what its schema in a registry is called: topics have them.
$file is the path of a record's file, and is neither a time nor a place in a log. They are
values, so that none has fields. A timestamp is in milliseconds, and has no unit, pattern
or zone. Columns of samples are fields of the view itself.`,
		Bad: `
clusters: {main: {brokers: ["localhost:9092"]}}
views: {inputs: [{topic: views, format: json}], id: $key, time: {field: $timestamp, unit: epoch-seconds}}`,
		Good: `
clusters: {main: {brokers: ["localhost:9092"]}}
views: {inputs: [{topic: views, format: json}], id: $key, time: $timestamp}`,
	},
	{
		ID: "T1125", Severity: SeverityError, Title: "events of a list in a format without",
		Cause: `With each, every element of a list in a record is an event. Rows of CSV have no lists;
JSON, Avro and Parquet have, and Protobuf in topics.`,
		Bad:  "views: {inputs: feeds/*.csv, each: items, id: items.id, time: ts}",
		Good: "views: {inputs: feeds/*.jsonl, each: items, id: items.id, time: ts}",
	},
	{
		ID: "T1126", Severity: SeverityError, Title: "an element's field for the whole record",
		Cause: `All events of a record have one time, and one place in its log: what is late is decided
before its list is read. So the time, and the partition and the offset of an order, are
fields of the record itself. And a list is named by its path, not by $index.`,
		Bad:  "views: {inputs: feeds/*.jsonl, each: items, id: items.id, time: items.shown_at}",
		Good: "views: {inputs: feeds/*.jsonl, each: items, id: items.id, time: ts}",
	},
	{
		ID: "T1127", Severity: SeverityError, Title: "elements that are all the same event",
		Cause: `With each, every element of a list is an event. If no field of the id is the element's,
all of them have one id, and all but the first are duplicates. An engagement needs an
element's field among those that name its view or itself, in its label or in where.
$index, the position in the list, is one too.`,
		Bad:  "views: {inputs: feeds/*.jsonl, each: items, id: request_id, time: ts}",
		Good: "views: {inputs: feeds/*.jsonl, each: items, id: items.id, time: ts}",
	},
	{
		ID: "T1128", Severity: SeverityError, Title: "engagements that name no view, or in two ways",
		Cause: `An engagement either holds the id of its view (view), or what it has in common with the
views that it may be for, like a user and an item (key, on both sides). With neither
nothing can be joined, and with both it would not be clear which of them counts.`,
		Bad: `
engagements:
  click: {inputs: clicks/*.avro, time: ts, window: 30m}`,
		Good: `
engagements:
  click: {inputs: clicks/*.avro, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1129", Severity: SeverityError, Title: "key on one side only",
		Cause: `The key of views is held against the key of engagements: both sides name its fields. All
kinds of a spec name views in the same way: by id or by key.`,
		Bad: `
views: {inputs: views/*.avro, id: view_id, time: ts}
engagements:
  order: {inputs: orders/*.avro, key: [user_id, item_id], time: ts, window: 7d}`,
		Good: `
views: {inputs: views/*.avro, id: view_id, key: [user_id, item_id], time: ts}
engagements:
  order: {inputs: orders/*.avro, key: [user_id, item_id], time: ts, window: 7d}`,
	},
	{
		ID: "T1130", Severity: SeverityError, Title: "credit where the view is named",
		Cause: `credit says which of the views with one key an engagement counts for. Where it names the
view by its id there is one only. Which of the engagements of a view count is another
question, and count answers it.`,
		Bad: `
engagements:
  click: {inputs: clicks/*.avro, view: view_id, time: ts, window: 30m, credit: last}`,
		Good: `
engagements:
  click: {inputs: clicks/*.avro, view: view_id, time: ts, window: 30m, count: last}`,
	},
	{
		ID: "T1131", Severity: SeverityError, Title: "label that cannot be shared out",
		Cause: `With credit: even, each of n views has 1/n of an engagement. binary, count and sum are
then of parts: 0.5 of a click, half of the price. What is the first or the largest of
values, or a time, has no parts.`,
		Bad: `
views: {inputs: views/*.avro, id: view_id, key: user_id, time: ts}
engagements:
  order: {inputs: orders/*.avro, key: user_id, time: ts, window: 1d, label: {max: price}, credit: even}`,
		Good: `
views: {inputs: views/*.avro, id: view_id, key: user_id, time: ts}
engagements:
  order: {inputs: orders/*.avro, key: user_id, time: ts, window: 1d, label: {sum: price}, credit: even}`,
	},
	{
		ID: "T1132", Severity: SeverityError, Title: "credit after a kind that is not there",
		Cause: `With credit: {after: KIND} an engagement counts only for a view that has had one of that
kind, which is another kind of engagement of this spec.`,
		Bad: `
views: {inputs: views/*.avro, id: view_id, key: user_id, time: ts}
engagements:
  click: {inputs: clicks/*.avro, key: user_id, time: ts, window: 30m}
  order: {inputs: orders/*.avro, key: user_id, time: ts, window: 1d, credit: {after: clicks}}`,
		Good: `
views: {inputs: views/*.avro, id: view_id, key: user_id, time: ts}
engagements:
  click: {inputs: clicks/*.avro, key: user_id, time: ts, window: 30m}
  order: {inputs: orders/*.avro, key: user_id, time: ts, window: 1d, credit: {after: click}}`,
	},
}
