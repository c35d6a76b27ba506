package spec

import (
	"slices"
	"time"
)

// Cluster is a Kafka cluster and how to reach it. It holds no secret: only where each
// one is to be found when a client is made.
type Cluster struct {
	Name string
	// Brokers are host:port, at least one.
	Brokers []string
	// TLS is nil for plain connections, SASL for clients without a name.
	TLS  *TLS
	SASL *SASL
	// Registry is nil if the cluster has none.
	Registry *Registry
}

// TLS says how connections are encrypted. The zero value trusts the system's authorities.
type TLS struct {
	// CA, Cert and Key are PEM files; Cert and Key are set both or neither.
	CA, Cert, Key string
	// ServerName is what the certificate must be for; empty for the server's host.
	ServerName string
}

// SASL says who the client is.
type SASL struct {
	Mechanism Mechanism
	// User and Password are for plain and scram, Token and Extensions for oauthbearer.
	User, Password Secret
	Token          Token
	Extensions     map[string]string
	// Credentials is a command for aws_msk_iam; nil for the usual places of AWS.
	Credentials []string
	// Insecure allows a secret that travels without encryption.
	Insecure bool
}

// Mechanism is how a client proves who it is.
type Mechanism string

// Mechanisms lists those that clients know.
var Mechanisms = []Mechanism{"plain", "scram-sha-256", "scram-sha-512", OAuthBearer, AWSMSKIAM}

// Mechanisms without a password.
const (
	OAuthBearer Mechanism = "oauthbearer"
	AWSMSKIAM   Mechanism = "aws_msk_iam"
)

// Secret is a place where a value is found at run time: the environment variable Env or
// the file File, one of them. Text is a value in the spec itself; only names of users may
// stand there, so it is empty for passwords.
type Secret struct {
	Text, Env, File string
}

// Token is a place where a token is found at run time: like a secret, or what Command prints.
type Token struct {
	Secret
	Command []string
}

// IsSet tells whether a place is named.
func (t Token) IsSet() bool { return t.Secret != (Secret{}) || t.Command != nil }

// Registry is a schema registry with Confluent's interface.
type Registry struct {
	// URLs lead to the same registry, at least one. They are asked in turn.
	URLs []string
	// TLS is nil for https as it is.
	TLS *TLS
	// User and Password, or Token, say who the client is; zero for nobody.
	User, Password Secret
	Token          Token
	// Insecure allows a secret that travels without encryption.
	Insecure bool
}

// Stream holds what matters only when topics are read.
type Stream struct {
	// Name is the job's own, which must stay: transactions are named after it.
	Name string
	// Group is the consumer group that offsets are committed to, for tools that show lag.
	Group string
	Start Start
	// IdleTimeout is how long a partition without records holds the watermark back; 0 for ever.
	IdleTimeout time.Duration
	// MaxFutureSkew is how far a record's event time may lie ahead of its timestamp in Kafka, and of
	// all others in its partition; 0 for any distance.
	MaxFutureSkew time.Duration
	// SourceParallelism divide the partitions among them.
	SourceParallelism  int
	OnOffsetOutOfRange OnOffsetOutOfRange
	Delivery           Delivery
	// TransactionTimeout is how long the broker keeps an open transaction; 0 with
	// AtLeastOnce, which has none.
	TransactionTimeout time.Duration
}

// Start is where reading begins in partitions that no checkpoint knows.
type Start struct {
	From StartFrom
	// Time is set for StartAtTime only: the first record whose timestamp is not before it.
	Time time.Time
}

// StartFrom is a way to choose the first offset.
type StartFrom string

// Ways to choose the first offset. In a spec, a time stands for StartAtTime.
const (
	StartEarliest  StartFrom = "earliest"
	StartLatest    StartFrom = "latest"
	StartCommitted StartFrom = "committed"
	StartAtTime    StartFrom = "time"
)

// OnOffsetOutOfRange is what happens when offsets that were to be read are gone.
type OnOffsetOutOfRange string

// What a truncated log does: fail the job, or be counted and read on.
const (
	OutOfRangeFails OnOffsetOutOfRange = "fail"
	OutOfRangeSkips OnOffsetOutOfRange = "skip"
)

// Delivery is how often a sample may be in its topic.
type Delivery string

// Deliveries.
const (
	ExactlyOnce Delivery = "exactly_once"
	AtLeastOnce Delivery = "at_least_once"
)

// Topics are the topics beside the samples'. Orphans is empty if they are only counted,
// CommitLog with AtLeastOnce and where no samples go to a topic.
type Topics struct {
	Late, DeadLetters, Orphans string
	// CommitLog holds which (shard, bucket) is in the samples, a partition for each shard.
	CommitLog string
	// TimeIndex holds how far partitions are read, by event time.
	TimeIndex string
	// Accounts holds what became of every event, one record for each piece of the work.
	Accounts string
}

// TopicCodecs lists how batches of records may be compressed, the default first.
var TopicCodecs = []Codec{Snappy, Lz4, Zstd, Gzip, NoCodec}

// ReadsTopics tells whether some input is a topic.
func (s *Spec) ReadsTopics() bool {
	return slices.ContainsFunc(s.Inputs(), func(in Input) bool { return in.Topic != "" })
}

// Streams tells whether samples go to a topic.
func (s *Spec) Streams() bool { return s.Outputs.SamplesTopic() != nil }

// ReadsFiles tells whether some input is files.
func (s *Spec) ReadsFiles() bool {
	return slices.ContainsFunc(s.Inputs(), func(in Input) bool { return in.Path != "" })
}

// usesTopics tells whether any input or any samples are in a topic.
func (s *Spec) usesTopics() bool { return s.ReadsTopics() || s.Streams() }

// RunsCommands tells whether clients run a program to sign in.
func (s *Spec) RunsCommands() bool {
	for _, c := range s.Clusters {
		if c.SASL != nil && (c.SASL.Token.Command != nil || c.SASL.Credentials != nil) || c.Registry != nil && c.Registry.Token.Command != nil {
			return true
		}
	}
	return false
}

// Cluster returns a cluster by its name, nil if there is none.
func (s *Spec) Cluster(name string) *Cluster {
	for i := range s.Clusters {
		if s.Clusters[i].Name == name {
			return &s.Clusters[i]
		}
	}
	return nil
}

// Inputs lists the inputs of views and of every kind, in that order.
func (s *Spec) Inputs() []Input {
	all := append([]Input(nil), s.Views.Inputs...)
	for _, e := range s.Engagements {
		all = append(all, e.Inputs...)
	}
	return all
}

// Ordered tells whether records of the input can be late.
func (in Input) Ordered() bool {
	return in.Topic != "" || in.Order != OrderNone
}

// name tells inputs apart: no path holds a NUL.
func (in Input) name() string {
	if in.Topic != "" {
		return in.Cluster + "\x00" + in.Topic
	}
	return in.Path
}
