package main

import (
	"fmt"
	"strings"

	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/metrics"
	"tributary/pipelines/promises"
	"tributary/pipelines/reading"
	"tributary/pipelines/spec"
)

// helpTopic is something to explain that is neither a command nor a problem.
type helpTopic struct{ name, short, text string }

// topicsOfHelp are what "tributary help" explains beside commands and codes.
var topicsOfHelp = []helpTopic{
	{name: "alerts", short: "Alerts for Prometheus: what each means, how to look, what to do", text: metrics.Playbooks()},
	{
		name: "exit-codes", short: "What the exit codes of all commands mean",
		text: `Every command ends with one of these exit codes:

  0  all went well
  1  the work failed, a check or a test found something wrong, or "why" found nothing
  2  the command line is wrong: a command, flag or argument; nothing was done
  3  the work is finished and its output written, but a limit was passed
     (join --max-dead and the like), or an input was of no use
  4  an audit was done, and samples are not what they must be

Problems of a spec end a command with 1, whatever it was to do. An interrupt ends
"run" with 0, as a stream has no other end, and every other command with 1.
`,
	},
	{
		name: "fields", short: "How fields are named in a spec",
		text: `A field is named by its path: names with dots between them, user.id for the field
id of the record user. It is the same for Avro, JSON and CSV; in CSV, which has no
records in records, a dot without quotes is part of the column's name.

A name may hold anything. In double quotes stand names with a dot or a double quote in
them, each quote written twice, and the name of no letters. YAML wants its own quotes
around them:

  id: view_id
  id: user.id
  id: Created (UTC)
  id: view/id
  id: " ts"                 # YAML keeps the space
  id: '"event.id"'          # one name with a dot
  id: '"event.id".part'     # and a field inside
  id: '"5"" screen"'        # 5" screen
  id: '""'                  # the column without a name

Records of topics also have $key, $timestamp, $partition, $offset and $headers.NAME, those
of files $file: see "tributary help values".

What other tools write for a path, a list or a pattern needs quotes as well if it is
meant as a name: /user/id, $.user.id, user->id, items[0], "a,b", user.*. So does, in a
path of several names, a name with a space at an end.
`,
	},
	{name: "files", short: "Joins of files, and of topics that end: what is read, written and kept", text: job.FilesPage},
	{name: "metrics", short: "Every metric for Prometheus: type, labels and meaning", text: metrics.Page()},
	{name: "outputs", short: "Every record of every file and topic: names, keys, fields, headers, and how to tell a repeated one", text: job.OutputsPage},
	{name: "promises", short: "What holds when: each promise, its condition, its limits, and the tests that show it", text: promises.Page()},
	{name: "reading", short: "How Python, Spark and DuckDB read samples", text: reading.Page()},
	{
		name: "signing-in", short: "How brokers and registries learn who a job is",
		text: `A cluster of a spec says how its brokers are signed in to (sasl) and its registry (user and
password, or token). A secret never stands in the spec: it says where each is found, and
the place must exist wherever the job runs, on every worker too.

  sasl: {mechanism: plain, user: joiner, password: {env: KAFKA_PASSWORD}}
  sasl: {mechanism: scram-sha-512, user: {file: /run/secrets/user}, password: {file: /run/secrets/password}}
  sasl: {mechanism: oauthbearer, token: {file: /var/run/secrets/kafka/token}}
  sasl:
    mechanism: oauthbearer
    token: {command: [get-token, --audience, kafka]}
    extensions: {logicalCluster: lkc-1, identityPoolId: pool-1}    # as Confluent Cloud wants them
  sasl: {mechanism: aws_msk_iam}
  sasl: {mechanism: aws_msk_iam, credentials: {command: [aws, configure, export-credentials, --format, process]}}
  registry: {url: "https://registry:8081", tls: {ca: ca.pem}, token: {file: /var/run/secrets/registry/token}}

What is secret is read again for each connection, and each time that a broker asks for it
anew, so passwords, tokens and certificates may change while a job runs.

A command is a program with its arguments, without a shell. It prints the token, or what a
credential_process of AWS prints, and ends within 30 seconds. A JSON Web Token is used for
four fifths of its time, or for half if less than 30 seconds would be left; anything else
for ten seconds. If the command fails, the last token is used as long as it is good.

aws_msk_iam without a command looks at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN, then at the file ~/.aws/credentials (AWS_SHARED_CREDENTIALS_FILE,
AWS_PROFILE). The region is in the broker's name, or in AWS_REGION. Roles of machines and
pods are taken by the command only.

plain, oauthbearer and aws_msk_iam want tls: true beside them, or insecure: true.
`,
	},
	{name: "spec", short: "Every key of a spec, with its values, default and meaning", text: spec.Reference()},
	{name: "streams", short: "Streams: lateness, exactly once, accounts, restart and recovery, a changed spec", text: job.StreamsPage},
	{
		name: "times", short: "Which times are read, and in which units",
		text: timesPage,
	},
	{name: "values", short: "What ids, numbers and conditions are equal to", text: job.ValuesPage},
	{name: "way", short: "The way of a record from its source to its sample, with its encodings drawn", text: job.WayPage},
	{name: "weights", short: "Training on samples of stages: recipes of weights, their formulas and papers, and what is biased without", text: job.WeightsPage},
}

// timesPage says which times are read.
var timesPage = `Numbers need a unit (time: {field: ts, unit: epoch-millis}), unless their Avro type has
one: epoch-seconds, epoch-millis, epoch-micros, epoch-nanos, or timestamp-millis, -micros
and -nanos, which are the same as the last three. They may stand in text.

Text without a unit, or with the unit rfc3339, is a time in RFC 3339, or as ISO 8601 and
databases have it. These are all the same time:

  2026-01-02T15:04:05Z        2026-01-02t15:04:05z       2026-01-02 15:04:05 UTC
  2026-01-02 15:04:05+00      2026-01-02 16:04:05 +0100  20260102T150405Z
  2026-01-02T15:04:05,000Z    2026-01-02T15:04:05Z[UTC]  2026-01-02T16:04:05.0+01:00

It must have a zone, Z, UTC, GMT or an offset, or the spec gives it one. Times are rounded
down to milliseconds. A leap second, 23:59:60, is the second after it; 24:00 is the end of
the day. Times lie between 1970 and 2199.

Text of another form has a pattern, in the directives of strptime:

  time: {field: at, pattern: "%d/%m/%Y %H:%M:%S", zone: Europe/Berlin}

` + patternTable() + `
All else in a pattern stands for itself, letters in any case; a space is one or more. Numbers
of two digits may have one, unless another number follows at once. What a pattern does not
have of a clock is 0. Without %z there must be a zone.

A zone is for times that have none: text, with a pattern or without, and Avro's
local-timestamp-millis, -micros and -nanos, which are in UTC if no zone is named. It is a
name of the IANA database (Europe/Berlin), an offset (+02:00) or UTC; a time with a zone
of its own keeps it. The rules of zones are the machine's, or where it has none those in
this program: have the same on all machines of a job.

When clocks are set back, an hour comes twice: a time in it is the first of the two. When
they are set forward, one is left out: a time in it is as much later as they are set. In
Berlin 02:30 is 00:30 UTC on 2026-10-25, and 01:30 UTC (03:30) on 2026-03-29. With an
offset or UTC all hours are there once. As the second of the two is read an hour back, in
topics and files with an order it needs an out_of_orderness of an hour, or is late.

On the command line a zone may be missing and means UTC: --from 2026-01-02T15:04, or the
time of day: --from 2026-01-02.
`

// patternTable lists the directives of patterns.
func patternTable() string {
	var b strings.Builder
	for _, l := range record.PatternLetters {
		fmt.Fprintf(&b, "  %s  %s\n", l.Directive, l.Means)
	}
	return b.String()
}
