package problem

// syntaxCodes are about the file as YAML, its keys and plain values.
var syntaxCodes = []Code{
	{
		ID: "T1000", Severity: SeverityError, Title: "the spec cannot be read",
		Cause: `There is no file of this name, it is a folder, or it may not be read. Specs that
do stand in the folder are listed.`,
		Bad:  "tributary check fed.yaml",
		Good: "tributary check feed.yaml",
	},
	{
		ID: "T1001", Severity: SeverityError, Title: "this is not YAML",
		Cause: `The file breaks the rules of YAML: brackets or quotes that are not closed, lines
whose indentation fits nothing above, a colon and a space inside an unquoted
value. Only the first such place is reported, because what follows it cannot be
told apart.`,
		Bad: `
engagements:
  like:
    inputs: [likes/*.avro
    view: view_id
    time: ts
    window: 30m`,
		Good: `
engagements:
  like:
    inputs: [likes/*.avro]
    view: view_id
    time: ts
    window: 30m`,
	},
	{
		ID: "T1002", Severity: SeverityError, Title: "a tab in the indentation",
		Cause: `YAML indents with spaces only. Most editors can be told to write spaces for
tabs in files that end in .yaml.`,
		Bad:  "outputs:\n\tsamples: out/samples",
		Good: "outputs:\n  samples: out/samples",
	},
	{
		ID: "T1003", Severity: SeverityError, Title: "not plain text in UTF-8",
		Cause: `The file holds bytes that are not UTF-8, or control characters. Such text looks
different from one program to the next, and may steer a terminal.`,
		Bad:  "outputs: {samples: out/caf\xe9}",
		Good: "outputs: {samples: out/café}",
	},
	{
		ID: "T1004", Severity: SeverityError, Title: "too large or too deep",
		Cause: `A spec has at most 256 KiB and 8,192 lines of at most 4,096 bytes, and its mappings
and lists nest at most 32 deep. What is larger is another file given by mistake, or
was made to exhaust memory.`,
		Bad:  "tests: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ # and so on",
		Good: "tests: []",
	},
	{
		ID: "T1005", Severity: SeverityError, Title: "several documents in one file",
		Cause: `A line of three dashes begins another YAML document. A spec is one document, so
that it is clear which join a file means.`,
		Bad:  "shards: 8\n---\nbucket: 5m",
		Good: "shards: 8\nbucket: 5m",
	},
	{
		ID: "T1006", Severity: SeverityError, Title: "a part of YAML that specs do not take",
		Cause: `Anchors (&name), aliases (*name), merge keys (<<), tags (!name), directives (%name)
and keys that are not plain are not taken: a spec says what it says where it says
it. A path that begins with * is an alias to YAML, and needs quotes.`,
		Bad: `
views:
  inputs: [*.avro]
  id: view_id
  time: ts`,
		Good: `
views:
  inputs: ["*.avro"]
  id: view_id
  time: ts`,
	},
	{
		ID: "T1007", Severity: SeverityError, Title: "unknown key",
		Cause: `The mapping does not take this key. A key that nobody reads would be a setting
that silently has no effect.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, windw: 30m}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1008", Severity: SeverityError, Title: "key in the wrong place",
		Cause: `The key belongs to a mapping further out or further in. Mostly it is indented too
much or too little.`,
		Bad: `
engagements:
  like:
    inputs: likes/*.avro
    view: view_id
    time: ts
  window: 30m`,
		Good: `
engagements:
  like:
    inputs: likes/*.avro
    view: view_id
    time: ts
    window: 30m`,
	},
	{
		ID: "T1009", Severity: SeverityError, Title: "key given twice",
		Cause: `A mapping has each key once. Some readers of YAML take the first, some the last:
either way one of the two lines would have no effect.`,
		Bad:  "shards: 8\nshards: 16",
		Good: "shards: 16",
	},
	{
		ID: "T1010", Severity: SeverityError, Title: "wrong type of value",
		Cause: `Text stands where a number must, a list where a mapping must, and the like. An
unquoted true, 12 or null is not text in YAML: put it in quotes if text is meant.`,
		Bad:  "shards: many",
		Good: "shards: 16",
	},
	{
		ID: "T1011", Severity: SeverityError, Title: "required key missing",
		Cause: "The key has no default that would be right for everyone.",
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1012", Severity: SeverityError, Title: "empty value",
		Cause: `The key is there and its value is not: nothing after the colon, an empty text, an
empty list. To take the default leave the key out.`,
		Bad:  "views:\n  inputs: views/*.avro\n  id:\n  time: ts",
		Good: "views:\n  inputs: views/*.avro\n  id: view_id\n  time: ts",
	},
	{
		ID: "T1013", Severity: SeverityError, Title: "not one of the allowed values",
		Cause: "Only a few words may stand here; they are listed with the problem.",
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m, label: binry}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m, label: binary}`,
	},
	{
		ID: "T1014", Severity: SeverityError, Title: "number out of range",
		Cause: `The number is too small or too large. A rate is a share between 0 and 1, not a
percentage.`,
		Bad:  "negatives: {keep: 10}",
		Good: "negatives: {keep: 0.1}",
	},
	{
		ID: "T1015", Severity: SeverityError, Title: "number that can be read in several ways",
		Cause: `010 is eight to some readers of YAML and ten to others, and 1_000 is text to some;
a number beyond 64 bits loses digits. Write plain decimal numbers, and put ids that
look like numbers in quotes.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, where: {site: 007}, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, where: {site: "007"}, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1016", Severity: SeverityWarning, Title: "old name of a key",
		Cause: `The key has another name now. It is read all the same, and means what it meant. Write
the new name: messages and "tributary help KEY" say that one.`,
		Bad:  streamed("stream: {on_truncation: skip}"),
		Good: streamed("stream: {on_offset_out_of_range: skip}"),
	},
}
