package problem

// pipeCodes are about standard input and standard output.
var pipeCodes = []Code{
	{
		ID: "T1426", Severity: SeverityError, Title: "more than one stdin or stdout",
		Cause: `There is one stdin, and it is read once for all inputs that name it: they say the same
of its format and delimiter, and tell its records apart by conditions. Samples that go to
stdout go nowhere else.`,
		Bad: `
outputs: {samples: ["-", out/samples]}`,
		Good: `
outputs: {samples: "-"}`,
	},
	{
		ID: "T1427", Severity: SeverityError, Title: "what cannot be written to stdout",
		Cause: `Stdout takes one thing: the samples, one after another, as one file of their format.
Late records, dead letters, orphans and accounts go to folders, and so do samples that
have several: of hours, of the files of a stream, of stages.`,
		Bad:  `outputs: {samples: {path: "-", format: json, folders: hour}}`,
		Good: `outputs: {samples: {path: "-", format: json}}`,
	},
	{
		ID: "T1428", Severity: SeverityError, Title: "stdin or stdout where there is none",
		Cause: `Stdin and stdout are those of the command, and are read and written once. A join in
the process of the command can use them: tributary join, or run with the direct runner.
A stream and a job on Flink cannot, nor a second spec that is checked in one command.`,
		Bad:  `outputs: {samples: {path: "-", format: json}}         # tributary join feed.yaml --runner flink`,
		Good: `outputs: {samples: {path: out/samples, format: json}}`,
	},
	{
		ID: "T1429", Severity: SeverityError, Title: "stdin or stdout is a terminal",
		Cause: `Nothing is piped into stdin, and nobody types records; or samples of a format that is
no text would go to a terminal.`,
		Bad:  `outputs: {samples: "-"}                                # tributary join feed.yaml`,
		Good: `outputs: {samples: {path: "-", format: json}}`,
	},
}
