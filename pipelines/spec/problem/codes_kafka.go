package problem

// kafkaCodes are about topics, the clusters they are in, and how they are read.
var kafkaCodes = []Code{
	{
		ID: "T1601", Severity: SeverityError, Title: "files and a topic at once",
		Cause: `An input or output is either files (path) or a topic (topic). To read both, list two
entries in two specs.`,
		Bad:  streamed(`views: {inputs: [{path: views/*.avro, topic: views}], id: view_id, time: ts}`),
		Good: streamed(`views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}`),
	},
	{
		ID: "T1602", Severity: SeverityError, Title: "files and topics in a way that is not built",
		Cause: `Inputs and outputs are files or topics, each by itself. Samples go to one folder,
to one topic, or to both; a topic needs a cluster to be in.`,
		Bad:  "outputs: {samples: [out/samples, {path: out/json, format: json}]}",
		Good: "outputs: {samples: [out/samples]}",
	},
	{
		ID: "T1603", Severity: SeverityError, Title: "name of a cluster cannot be used",
		Cause: `Clusters are named with small letters, digits, _ and -, beginning with a letter. The
name is only used in this spec.`,
		Bad:  streamed(`clusters: {Main: {brokers: ["kafka-1:9092"]}}`),
		Good: streamed(`clusters: {main: {brokers: ["kafka-1:9092"]}}`),
	},
	{
		ID: "T1604", Severity: SeverityError, Title: "cluster that the spec does not have",
		Cause: `A topic is in a cluster that clusters describes. It need not name it if there is only
one, or if one is called default.`,
		Bad:  streamed(`views: {inputs: [{topic: views, cluster: mian, format: json}], id: view_id, time: ts}`),
		Good: streamed(`views: {inputs: [{topic: views, cluster: main, format: json}], id: view_id, time: ts}`),
	},
	{
		ID: "T1605", Severity: SeverityError, Title: "name of a topic cannot be used",
		Cause: `Kafka names topics with letters, digits, ., _ and -, up to 249 characters; a topic of
samples has at most 240, so that those beside it can be named after it. There are no
patterns: list each topic.`,
		Bad:  streamed(`views: {inputs: [{topic: views-*, format: json}], id: view_id, time: ts}`),
		Good: streamed(`views: {inputs: [{topic: views-eu, format: json}, {topic: views-us, format: json}], id: view_id, time: ts}`),
	},
	{
		ID: "T1606", Severity: SeverityError, Title: "not the address of a broker",
		Cause: `A broker is named by host and port, without a scheme or a path. Name some of the
brokers of a cluster; the others are learnt from them.`,
		Bad:  streamed(`clusters: {main: {brokers: ["kafka://kafka-1"]}}`),
		Good: streamed(`clusters: {main: {brokers: ["kafka-1:9092", "kafka-2:9092"]}}`),
	},
	{
		ID: "T1607", Severity: SeverityError, Title: "password sent without encryption",
		Cause: `SASL's plain mechanism and HTTP's basic authentication send the password as it is, and
a bearer token is one: everybody on the way can read it. Use tls or https, or scram, which
proves the password without sending it. Say insecure: true where the network is your own.`,
		Bad: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    sasl: {mechanism: plain, user: tributary, password: {env: KAFKA_PASSWORD}}`),
		Good: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9093"]
    tls: true
    sasl: {mechanism: plain, user: tributary, password: {env: KAFKA_PASSWORD}}`),
	},
	{
		ID: "T1608", Severity: SeverityError, Title: "secret written into the spec",
		Cause: `Specs are kept in repositories, printed, logged and submitted with jobs. A spec says
only where a secret is: in an environment variable of the process, or in a file beside
it. If this secret was ever shared, replace it.`,
		Bad: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    sasl: {mechanism: scram-sha-512, user: tributary, password: hunter2}`),
		Good: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    sasl: {mechanism: scram-sha-512, user: tributary, password: {env: KAFKA_PASSWORD}}`),
	},
	{
		ID: "T1609", Severity: SeverityError, Title: "place of a secret cannot be used",
		Cause: `A secret is in one place: an environment variable (env, by its name without $), or a
file, whose content without the newline at its end is the secret; a token may also be what
a command prints. In a cluster the place must exist for every worker, not only where the
job is submitted.`,
		Bad: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    sasl: {mechanism: scram-sha-512, user: tributary, password: {env: "${KAFKA_PASSWORD}"}}`),
		Good: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    sasl: {mechanism: scram-sha-512, user: tributary, password: {env: KAFKA_PASSWORD}}`),
	},
	{
		ID: "T1610", Severity: SeverityError, Title: "not the address of a registry",
		Cause: `A registry is named by the http or https URL that its interface stands under, up to
before /subjects, without a query.`,
		Bad:  streamed(`clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "registry:8081"}}}`),
		Good: streamed(`clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "http://registry:8081"}}}`),
	},
	{
		ID: "T1611", Severity: SeverityError, Title: "topic in Avro without a schema",
		Cause: `A record of a topic, unlike an Avro file, does not carry the schema it was written
with. Either a registry has it, and each value begins with its number, or all values
of the topic were written with the one schema that the input names.`,
		Bad:  streamed(`views: {inputs: [{topic: views}], id: view_id, time: ts}`),
		Good: streamed(`views: {inputs: [{topic: views, schema: view.avsc}], id: view_id, time: ts}`),
	},
	{
		ID: "T1612", Severity: SeverityError, Title: "cluster without a registry",
		Cause: `Values are said to name their schema in a registry, and the cluster of the topic has
none. A registry belongs to a cluster, since its numbers are valid there.`,
		Bad: streamed(`views: {inputs: [{topic: views, registry: true}], id: view_id, time: ts}`),
		Good: streamed(`
views: {inputs: [{topic: views, registry: true}], id: view_id, time: ts}
clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "http://registry:8081"}}}`),
	},
	{
		ID: "T1613", Severity: SeverityError, Title: "registry for values in JSON",
		Cause: `Samples name a schema in a registry if they are Avro: JSON says itself what its fields
are. Of what is read, Avro may name one, and JSON that producers of JSON Schema wrote.`,
		Bad:  streamed(`outputs: {samples: {topic: samples, format: json, registry: true}}`),
		Good: streamed(`outputs: {samples: {topic: samples, format: json}}`),
	},
	{
		ID: "T1614", Severity: SeverityError, Title: "start that cannot be read",
		Cause: `Reading starts at earliest, latest or committed offsets, or at the first record of
each partition that is not older than a time: RFC 3339, or a shorter form in UTC, like
2026-01-02 or 2026-01-02T15:04. A job that resumes goes on where it was instead.`,
		Bad:  streamed(`stream: {start: yesterday}`),
		Good: streamed(`stream: {start: 2026-01-02T15:04:05Z}`),
	},
	{
		ID: "T1615", Severity: SeverityError, Title: "topic read in two ways",
		Cause: `The records of a topic are read once for all that need them, so views and kinds that
share it must agree on format, schema and registry.`,
		Bad: streamed(`
engagements:
  like: {inputs: [{topic: clicks, format: json}], where: {kind: like}, view: view_id, time: ts, window: 30m}
  share: {inputs: [{topic: clicks, schema: click.avsc}], where: {kind: share}, view: view_id, time: ts, window: 1h}`),
		Good: streamed(`
engagements:
  like: {inputs: [{topic: clicks, schema: click.avsc}], where: {kind: like}, view: view_id, time: ts, window: 30m}
  share: {inputs: [{topic: clicks, schema: click.avsc}], where: {kind: share}, view: view_id, time: ts, window: 1h}`),
	},
	{
		ID: "T1616", Severity: SeverityError, Title: "an output is an input",
		Cause: `The join would read what it writes, for ever: samples would be taken for views.
Clusters that share a broker are one cluster, whatever they are called.`,
		Bad:  streamed(`outputs: {samples: {topic: views, format: json}}`),
		Good: streamed(`outputs: {samples: {topic: samples, format: json}}`),
	},
	{
		ID: "T1617", Severity: SeverityError, Title: "two outputs in one topic",
		Cause: `Who reads the topic would take late events or entries of the commit log for samples,
and a compacted topic would lose some of them. Outputs that are not named are called
after the samples: SAMPLES.late, .dead, .accounts, .ledger (the commit log) and .marks
(the time index).`,
		Bad:  streamed(`outputs: {samples: {topic: samples, format: json}, late: {topic: samples}}`),
		Good: streamed(`outputs: {samples: {topic: samples, format: json}, late: {topic: late-events}}`),
	},
	{
		ID: "T1618", Severity: SeverityWarning, Title: "partitions given up too early",
		Cause: `A partition without records for idle_timeout no longer holds the watermark back. What
it brings afterwards may be late, and a rerun may decide otherwise. It should be at
least as long as records of one partition are out of order; never waits for ever.`,
		Bad:  streamed("out_of_orderness: 5m\nstream: {idle_timeout: 1m}"),
		Good: streamed("out_of_orderness: 5m\nstream: {idle_timeout: 10m}"),
	},
	{
		ID: "T1619", Severity: SeverityWarning, Title: "without effect at least once",
		Cause: `Only exactly-once delivery has transactions and a commit log of what they wrote. At
least once, samples may be in their topic several times after a restart, each with the
same id.`,
		Bad:  streamed("stream: {delivery: at_least_once, transaction_timeout: 2m}"),
		Good: streamed("stream: {delivery: at_least_once}"),
	},
	{
		ID: "T1620", Severity: SeverityWarning, Title: "nothing is in this cluster",
		Cause: `A cluster that no topic is in is never connected to, and a spec of files needs neither
clusters nor stream. Often an input or output names another cluster than was meant.`,
		Bad:  `stream: {source_parallelism: 8}`,
		Good: streamed(`stream: {source_parallelism: 8}`),
	},
	{
		ID: "T1621", Severity: SeverityError, Title: "name of a job or group cannot be used",
		Cause: `The name becomes part of the names of transactions and of files: letters, digits, .,
_ and -, up to 200 of them.`,
		Bad:  streamed(`stream: {name: feed samples}`),
		Good: streamed(`stream: {name: feed-samples}`),
	},
	{
		ID: "T1622", Severity: SeverityError, Title: "transaction timeout out of range",
		Cause: `A transaction lasts as long as one bundle is written, seconds. If it times out sooner
than a slow broker answers, the job fails again and again; while one of a dead worker
is open, readers of the samples wait for it. Brokers take 15m at most by default.`,
		Bad:  streamed(`stream: {transaction_timeout: 1h}`),
		Good: streamed(`stream: {transaction_timeout: 2m}`),
	},
	{
		ID: "T1623", Severity: SeverityWarning, Title: "many producers",
		Cause: `Exactly once takes a transactional producer for each shard, and each holds several
connections to each broker and an entry in its coordinator.`,
		Bad:  streamed(`shards: 1024`),
		Good: streamed(`shards: 64`),
	},
	{
		ID: "T1624", Severity: SeverityWarning, Title: "start at committed offsets",
		Cause: `Offsets are committed for tools that show lag: they tell how far records were read.
Views and engagements before them whose windows were still open are not joined, and
not counted. A job resumes from its checkpoint, or from the log, without them.`,
		Bad:  streamed(`stream: {start: committed}`),
		Good: streamed(`stream: {start: earliest}`),
	},
	{
		ID: "T1625", Severity: SeverityError, Title: "path of a certificate or secret cannot be used",
		Cause: `Certificates, keys and secrets are local files of the machine that connects. ~ and
variables are not replaced, and URLs are not fetched. Relative paths begin at the
folder of the spec.`,
		Bad:  streamed(`clusters: {main: {brokers: ["kafka-1:9093"], tls: {ca: ~/ca.pem}}}`),
		Good: streamed(`clusters: {main: {brokers: ["kafka-1:9093"], tls: {ca: /etc/kafka/ca.pem}}}`),
	},
	{
		ID: "T1626", Severity: SeverityError, Title: "key of another way to sign in",
		Cause: `A client says who it is in one way. For brokers that is the mechanism: plain and scram
take a user and a password, oauthbearer a token, and aws_msk_iam the credentials of AWS. A
registry takes a user and a password, or a token; one that is shown both takes either.`,
		Bad: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    tls: true
    sasl: {mechanism: oauthbearer, user: tributary, token: {file: /run/secrets/token}}`),
		Good: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    tls: true
    sasl: {mechanism: oauthbearer, token: {file: /run/secrets/token}}`),
	},
	{
		ID: "T1627", Severity: SeverityError, Title: "tls for an address without encryption",
		Cause: `An address that begins with http is not encrypted, so nothing is looked at that tls
names: no authority, no certificate. Use the https address, or leave tls out.`,
		Bad: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    registry: {url: "http://registry:8081", tls: {ca: ca.pem}}`),
		Good: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    registry: {url: "https://registry:8081", tls: {ca: ca.pem}}`),
	},
	{
		ID: "T1628", Severity: SeverityError, Title: "extension that cannot be sent",
		Cause: `What goes with a token of oauthbearer (extensions) has names of letters, of which auth
is Kafka's own, and values of printable ASCII characters.`,
		Bad: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    tls: true
    sasl: {mechanism: oauthbearer, token: {env: TOKEN}, extensions: {logical-cluster: lkc-1}}`),
		Good: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    tls: true
    sasl: {mechanism: oauthbearer, token: {env: TOKEN}, extensions: {logicalCluster: lkc-1}}`),
	},
	{
		ID: "T1629", Severity: SeverityError, Title: "command that is no list",
		Cause: `A command is a program and its arguments, each an item of a list. No shell is between,
so there are no variables, pipes or quotes in it; name a script if it takes more.`,
		Bad: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    tls: true
    sasl: {mechanism: oauthbearer, token: {command: "get-token --audience kafka"}}`),
		Good: streamed(`
clusters:
  main:
    brokers: ["kafka-1:9092"]
    tls: true
    sasl: {mechanism: oauthbearer, token: {command: [get-token, --audience, kafka]}}`),
	},
	{
		ID: "T1630", Severity: SeverityError, Title: "stages at least once",
		Cause: `With stages a view has a sample for each, numbered by its version, and who reads the
topic counts on versions that rise. Transactions keep that after a restart. Without
them an early version is written again after a late one, and a compacted topic may end
on it.`,
		Bad: streamed(`
stages: [10s]
stream: {delivery: at_least_once}`),
		Good: streamed(`
stages: [10s]
stream: {delivery: exactly_once}`),
	},
	{
		ID: "T1631", Severity: SeverityError, Title: "schema of another format",
		Cause: `The subject of the registry has a schema of another type than the format of the input
takes: avro takes Avro, json a JSON Schema, protobuf takes Protobuf. Every record of the
topic would be a dead letter.`,
		Bad:  registered("{topic: views}", "    # views-value is a JSON Schema"),
		Good: registered("{topic: views, format: json, registry: true}", ""),
	},
	{
		ID: "T1632", Severity: SeverityError, Title: "no such subject in the registry",
		Cause: `Fields of the spec are held against the newest schema of the subject TOPIC-value. Where
producers name subjects by records (RecordNameStrategy, TopicRecordNameStrategy) it is
another, which the input names. Or the values are not written with the registry.`,
		Bad:  registered("{topic: views}", "    # and producers name subjects by records"),
		Good: registered("{topic: views, subject: com.example.View}", ""),
	},
	{
		ID: "T1633", Severity: SeverityError, Title: "schema in the registry that cannot be used",
		Cause: `The newest schema of the subject is none by which records can be read: it refers to
schemas that the registry does not have, or it is not Avro by the specification. A schema
file beside registry: true says what to read records as; those that were written with a
schema that cannot be used are dead letters all the same.`,
		Bad:  registered("{topic: views}", "    # views-value refers to a subject that was deleted for good"),
		Good: registered("{topic: views, subject: views-v2-value}", ""),
	},
	{
		ID: "T1634", Severity: SeverityError, Title: "subject that is not asked for",
		Cause: `A subject says where the registry has the schema of a topic's values. Without the
registry, or with a schema file, it is not asked for.`,
		Bad:  registered("{topic: views, subject: com.example.View, registry: true, schema: view.avsc}", ""),
		Good: registered("{topic: views, subject: com.example.View}", ""),
	},
	{
		ID: "T1635", Severity: SeverityError, Title: "Protobuf without a registry",
		Cause: `A message of Protobuf says nothing of its fields. The registry has the .proto file that it
was written with, by the number that precedes it, and which message of the file it is.`,
		Bad:  streamed("views: {inputs: [{topic: views, format: protobuf}], id: view_id, time: ts}"),
		Good: registered("{topic: views, format: protobuf}", ""),
	},
	{
		ID: "T1636", Severity: SeverityError, Title: "records of several types in one schema",
		Cause: `An Avro schema may be a union at its top, whose values are records of several types. An
input takes those of one, by whose fields it is checked: $type says which. What is no
record at all cannot be read.`,
		Bad: registered("{topic: views}", "    # views-value is [shop.View, shop.Page]"),
		Good: `
clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "https://registry:8081"}}}
views: {inputs: [{topic: views}], where: {$type: shop.View}, id: view_id, time: ts}
engagements: {like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}}
outputs: {samples: {topic: samples}}
stream: {name: feed}`,
	},
}
