package problem

var computedCodes = []Code{
	{
		ID: "T1456", Severity: SeverityError, Title: "computed field of a type that its use does not take",
		Cause: `What an expression gives is of one type, whatever the record: true or false is neither an
id nor a time, and a number is no time before a unit says what it counts.
Functions make one of another: string(), int(), double().`,
		Bad:  "views: {inputs: views/*.jsonl, fields: {at: 'int(seconds) * 1000'}, id: view_id, time: at}",
		Good: "views: {inputs: views/*.jsonl, fields: {at: 'int(seconds) * 1000'}, id: view_id, time: {field: at, unit: epoch-millis}}",
	},
	{
		ID: "T1457", Severity: SeverityError, Title: "computed column of no known type",
		Cause: `Where views have a schema, each column of samples has a type: that of the expression, as
it follows from the fields that it names. It does not where a field may be of several
types, is a list or bytes, or where an expression chooses between values of two types.`,
		Bad: `
views: {inputs: views/*.avro, fields: {size: 'big ? "big" : width'}, id: view_id, time: ts}
sample: {fields: [size]}`,
		Good: `
views: {inputs: views/*.avro, fields: {size: 'big ? "big" : width'}, id: view_id, time: ts}
sample: {fields: [{size: {field: size, type: string}}]}`,
	},
	{
		ID: "T1458", Severity: SeverityError, Title: "type of records that name no schema",
		Cause: `$type is what the schema of a record is called, which values with the number of a schema
in a registry tell. Other values are all of one type, or of none.`,
		Bad: streamed("views: {inputs: [{topic: log, format: json}], where: {$type: View}, id: view_id, time: ts}"),
		Good: streamed(`
clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "https://registry:8081"}}}
views: {inputs: [{topic: log, format: json, registry: true}], where: {$type: View}, id: view_id, time: ts}`),
	},
	{
		ID: "T1459", Severity: SeverityError, Title: "one topic read by two times",
		Cause: `A topic that several inputs read is read once, and moves the watermark by one time: that
of the first of them. Records that lack it do not move it, and how late the others are
depends on where it stood, so a stream and a batch would differ. A computed time may be
the same for all.`,
		Bad: streamed(`
views: {inputs: [{topic: log, format: json}], where: {event: view}, id: view_id, time: seen}
engagements:
  like: {inputs: [{topic: log, format: json}], where: {event: like}, view: view_id, time: liked, window: 30m}`),
		Good: streamed(`
views: {inputs: [{topic: log, format: json}], fields: {at: 'has(seen) ? seen : liked'}, where: {event: view}, id: view_id, time: at}
engagements:
  like: {inputs: [{topic: log, format: json}], fields: {at: 'has(seen) ? seen : liked'}, where: {event: like}, view: view_id, time: at, window: 30m}`),
	},
	{
		ID: "T1460", Severity: SeverityError, Title: "type that records of the subject are not of",
		Cause: `No version of the subject's schema, which fields are held against, has the name that $type
is to be: it is misspelt, or the subject is that of other records. Every record of the
topic would be filtered.`,
		Bad: streamed(`
clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "https://registry:8081"}}}
views: {inputs: [{topic: log, subject: shop.View}], where: {$type: shop.Veiw}, id: view_id, time: ts}`),
		Good: streamed(`
clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "https://registry:8081"}}}
views: {inputs: [{topic: log, subject: shop.View}], where: {$type: shop.View}, id: view_id, time: ts}`),
	},
	{
		ID: "T1461", Severity: SeverityError, Title: "time in another unit than its field",
		Cause: `The schema says in which unit a field is, timestamp-micros say, and the spec names
another: every time would be wrong by a factor of a thousand. So it is for a computed
time that is one of several fields. What is computed with a time, like ts / 1000, is in
whatever unit the spec names.`,
		Bad:  "views: {inputs: views/*.avro, fields: {at: 'has(ts) ? ts : seen'}, id: view_id, time: {field: at, unit: epoch-millis}} # ts is timestamp-micros",
		Good: "views: {inputs: views/*.avro, fields: {at: 'has(ts) ? ts : seen'}, id: view_id, time: {field: at, unit: epoch-micros}}",
	},
}
