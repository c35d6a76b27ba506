package problem

// fileCodes are about what is found when inputs are opened and outputs are written;
// the spec by itself is fine.
var fileCodes = []Code{
	{
		ID: "T2001", Severity: SeverityError, Title: "no file matches",
		Cause: `Nothing matches the path of an input. Relative paths begin at the folder of the
spec, not where the command is run; * does not reach into folders, ** does.`,
		Bad:  "views: {inputs: views/*.avro, id: view_id, time: ts}      # files are in views/dt=.../",
		Good: "views: {inputs: views/dt=*/*.avro, id: view_id, time: ts}",
	},
	{
		ID: "T2002", Severity: SeverityError, Title: "file cannot be opened",
		Cause: `The file may not be read, has gone, is a link that leads nowhere, a named pipe or a
device, is cut off within its compression, or the storage did not answer after several
tries. For gs://, s3:// and az:// look at the credentials of the environment and at the
bucket's permissions: listing and reading objects.`,
		Bad:  "views: {inputs: /data/private/*.avro, id: view_id, time: ts}",
		Good: "views: {inputs: /data/views/*.avro, id: view_id, time: ts}",
	},
	{
		ID: "T2003", Severity: SeverityError, Title: "field that the files do not have",
		Cause: `The schema of the files, or the header of a CSV file, has no such field. The fields
that it does have are listed.`,
		Bad:  "views: {inputs: views/*.avro, id: viewid, time: ts}      # the files have view_id",
		Good: "views: {inputs: views/*.avro, id: view_id, time: ts}",
	},
	{
		ID: "T2004", Severity: SeverityError, Title: "field of a type that does not serve",
		Cause: `An id is text, bytes or a whole number; a time is a number or RFC 3339 text; sum,
min and max need numbers. A record, a list or a map serves for none of these. The list
of each is an array, or null, in the schema.`,
		Bad:  "views: {inputs: views/*.avro, id: user, time: ts}         # user is a record",
		Good: "views: {inputs: views/*.avro, id: user.id, time: ts}",
	},
	{
		ID: "T2005", Severity: SeverityError, Title: "schemas that do not go together",
		Cause: `Files of one input were written with schemas that cannot be read as one, by Avro's
rules of schema resolution: a field changed to a type that the old one cannot become,
or a new field has no default. Give the input a schema that all can be read with.`,
		Bad: `
views:
  inputs: [views/*.avro]             # item is a long in some files, a string in others
  id: view_id
  time: ts`,
		Good: `
views:
  inputs: [{path: views/*.avro, schema: view.avsc}]   # item is a string, files with longs rewritten
  id: view_id
  time: ts`,
	},
	{
		ID: "T2006", Severity: SeverityError, Title: "time without a unit",
		Cause: `The time field is a plain number: seconds, milliseconds and microseconds look alike.
Avro's logical types timestamp-millis and -micros, and RFC 3339 text, need no unit.`,
		Bad:  "views: {inputs: views/*.avro, id: view_id, time: ts}      # ts is a long",
		Good: "views: {inputs: views/*.avro, id: view_id, time: {field: ts, unit: epoch-millis}}",
	},
	{
		ID: "T2007", Severity: SeverityError, Title: "order broken",
		Cause: `The input is said to have an order, and its records do not: an offset comes again or
goes back within its partition, or a record names no partition. What is late depends
on the order, so the result would not be repeatable.`,
		Bad: `
views:
  inputs: [{path: views/*.avro, order: {partition: partition, offset: row}}]   # row begins anew in each file
  id: view_id
  time: ts`,
		Good: `
views:
  inputs: [{path: views/*.avro, order: file}]
  id: view_id
  time: ts`,
	},
	{
		ID: "T2008", Severity: SeverityError, Title: "file not in the format of its input",
		Cause: `The file does not begin as one of its format does: an Avro file with Obj and 1, a
compressed one with the mark of gzip, zstd or lz4; or, as Parquet, does not end with a
footer and PAR1. Often the ending lies, or a write was cut off. A CSV file whose header is
one column, with another delimiter in it, wants that delimiter.`,
		Bad:  "views: {inputs: [{path: views/*.gz, format: avro}], id: view_id, time: ts}    # JSON lines",
		Good: "views: {inputs: [{path: views/*.gz, format: json}], id: view_id, time: ts}",
	},
	{
		ID: "T2009", Severity: SeverityError, Title: "schema file that is not an Avro schema",
		Cause: `The file named by schema cannot be read as the Avro schema of a record: JSON is
broken, a type is unknown or a name is used twice.`,
		Bad:  "views: {inputs: [{path: views/*.csv, schema: package.json}], id: view_id, time: ts}",
		Good: "views: {inputs: [{path: views/*.csv, schema: view.avsc}], id: view_id, time: ts}",
	},
	{
		ID: "T2010", Severity: SeverityError, Title: "output cannot be written",
		Cause: `The folder cannot be made or written to, the disk is full, or the bucket's
permissions do not allow creating objects. Files that were begun do not appear.`,
		Bad:  "outputs: {samples: /samples}",
		Good: "outputs: {samples: /data/samples}",
	},
	{
		ID: "T2011", Severity: SeverityError, Title: "files changed between runs",
		Cause: `Intervals that are finished were made from other files, or with another spec, than the
ones to come: together they would not be the result of any one join. Join the range
again from its beginning, or write to another folder.`,
		Bad:  "version: 1\noutputs: {samples: out/samples}      # the window was changed after half of the range",
		Good: "version: 2\noutputs: {samples: out/samples-2}",
	},
	{
		ID: "T2012", Severity: SeverityError, Title: "no folder of accounts for a join that ends",
		Cause: `A join that ends keeps the accounts of each finished piece of time in a folder:
they say where it goes on after a stop. A spec that was written for a stream has a
topic of accounts instead; "tributary run" starts it.`,
		Bad:  streamed("# tributary join stream.yaml"),
		Good: "outputs: {samples: out/samples, accounts: out/accounts}",
	},
	{
		ID: "T2013", Severity: SeverityError, Title: "files where a stream needs topics",
		Cause: `A stream reads at least one topic, and files beside it, and writes what is in no
sample to topics: late records, dead letters, orphans and accounts. Samples go to a
folder or a topic. "tributary join" joins files and topics, as far as they go now.`,
		Bad:  streamed("outputs: {samples: {topic: samples, format: json}, late: out/late}"),
		Good: streamed("outputs: {samples: {topic: samples, format: json}, late: {topic: late}}"),
	},
	{
		ID: "T2014", Severity: SeverityError, Title: "files that a stream has read are others now",
		Cause: `A stream that goes on reads the files that it began with, and no others: what came
to the folder since is for another job. One of them is gone or has another content
now, so that samples of now and of before would not be of the same input.`,
		Bad:  streamed("views: {id: id, time: ts, inputs: views/*.avro} # one was written again after the stream began"),
		Good: streamed("stream: {name: clicks-2}                              # a job that begins with the files as they are"),
	},
	{
		ID: "T2015", Severity: SeverityError, Title: "the folder of a stream",
		Cause: `A stream keeps in its folder which of its files are complete, and writes each once. A
join of the same time would remove them for its own, and the stream would write the rest
beside those.`,
		Bad:  "outputs: {samples: out/samples} # to which tributary run writes",
		Good: "outputs: {samples: out/joined}",
	},
	{
		ID: "T2016", Severity: SeverityError, Title: "late engagements of a kind with credit",
		Cause: `An engagement of a kind with credit goes to some of the views of its key. One that is let
in late may go to another view than it went to, or than it will: of two views one sample
would be corrected, and the other is still to come by the rules of lateness, so that the
engagement would count twice, or for nobody.`,
		Bad:  streamed("# tributary repair stream.yaml --late, of a kind with credit: last"),
		Good: streamed("# tributary repair stream.yaml --from 2026-01-01 --to 2026-01-02"),
	},
}
