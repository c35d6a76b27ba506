// Package source reads the partitions of topics as batches of raw records, for kafkaio.Read.
//
//	Config -> Initial: where each reader begins and ends -> Restriction
//	Reader.Poll: fetch, cut into batches, claim, emit, look around, advance the watermark
//
//	config.go         what to read and how
//	offsets.go        where reading begins and ends; resolve.go decides that once
//	restriction.go    what a reader still has to read, and its encoding; tracker.go claims it
//	reader.go         clients, seeking, polling; failure.go, what an error of a fetch means
//	batcher.go        records of a partition to batches, rejected records, clocks
//	topic.go          from a value to a record; timeof.go, from a record to its event time; own.go: what Kafka has beside it;
//	                  union.go: records of Avro unions
//	watch.go          new partitions, idleness, outages; watchlog.go says what is waited for
//	gap.go, bomb.go   batches without records, and those that unpack to too much
//	notes.go          offsets for a consumer group; notetimeindex.go, entries for a restart
//	fromlog.go        where to begin for a restart from the log
//	extent.go         how far the log has come where a bounded read ends; range.go, reading a run of it
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/registry"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

// Config says what to read and how. It travels with the job as JSON.
type Config struct {
	// Job tells the jobs of a process apart, since readers keep their clients between
	// bundles: an id that no other running job has.
	Job      string
	Clusters []cluster.Config
	Topics   []Topic

	// Readers is over how many readers partitions are spread, DefaultReaders if 0: reader
	// i reads the partitions p of every topic with p mod Readers = i. It must stay the
	// same for as long as a runner's state of the source is used.
	Readers int
	// MaxAhead is how far a record's event time may lie ahead of its timestamp in Kafka, and,
	// where producers set that, of the reader's clock; 0 for any distance. Those further ahead
	// are rejected. It is also how far ahead of all others in its partition one record still
	// moves the watermark: see record.Clock.
	MaxAhead time.Duration
	// OutOfOrderness is how far a record's event time may lie behind the clock before it.
	OutOfOrderness time.Duration
	// IdleAfter is after how long without a record that has an event time a partition at the
	// end of its log, or an empty one, stops holding the watermark back; 0 for never, which
	// keeps what is late a function of the logs. Only time counts in which the cluster told
	// where the log ends.
	IdleAfter time.Duration

	Start Start
	Stop  Stop
	// Group, if set, is the consumer group that positions are committed to, best effort,
	// for tools that show lag. Start reads it only for AtCommitted.
	Group string `json:",omitempty"`
	// OnTruncation is what to do about records that were deleted before they were read.
	OnTruncation Truncation `json:",omitempty"`
	// TimeIndex, if set, is where readers note what a restart from the log needs.
	TimeIndex *timeindex.Topic `json:",omitempty"`

	// RanksAfter is how many slots of ranks come before those of the topics, each of which has one: other
	// sources of the same pipeline have them. See Ranks.
	RanksAfter int32 `json:",omitempty"`

	// PollBudget is how long one call reads at most, 2 s if 0; it is shared by the readers
	// that wait for each other on a processor.
	PollBudget time.Duration
	// Rest is the pause between two calls. 0 rests for whole seconds so that every call
	// begins in an even second of the clock: all readers breathe together, and the runner
	// gets to emit a watermark between their bundles. A reading that does not stop is called at
	// multiples of it, of 200 ms if it is 0, and reads for no more than a part of that.
	Rest time.Duration

	// reach are options for clients beyond those of the clusters.
	reach []kgo.Opt
}

// Defaults of a Config.
const (
	DefaultReaders    = 4
	defaultPollBudget = 2 * time.Second
)

// Format is how the values of a topic's records are encoded.
type Format string

// Formats of values.
const (
	// Avro: the bare binary encoding, all with the topic's one schema.
	Avro Format = "avro"
	// RegistryAvro: a zero byte, the schema's id in a registry in four bytes, then Avro; or Avro, and the id in a header.
	RegistryAvro Format = "registry-avro"
	// RegistryJSON: the same with the text of one object.
	RegistryJSON Format = "registry-json"
	// RegistryProtobuf: the same with a message of Protobuf, and which message it is of its schema behind the id. Batches have
	// them as JSON.
	RegistryProtobuf Format = "registry-protobuf"
	// JSON: the text of one object. So may others be, to which their packages make it (format.Values).
	JSON Format = "json"
)

// Topic is one topic to read.
type Topic struct {
	// Cluster is the name of its cluster.
	Cluster string `json:",omitempty"`
	Name    string
	Format  Format
	// Schema is the writer's schema of format Avro, as JSON.
	Schema string `json:",omitempty"`
	// Registry holds the schemas of formats whose values name theirs. Each topic may have its own.
	Registry *registry.Config `json:",omitempty"`
	// Time is the field with the event time.
	Time Field
	// Own are the fields that batches have beside the values of records (record.IsOwn).
	Own []string `json:",omitempty"`
	// Inputs are the inputs that the records belong to: each gets every batch.
	Inputs []int32
}

// Field is a time field of a record. Unit says how it is written, if a schema does not.
type Field struct {
	Path string
	Unit record.Unit `json:",omitempty"`
	// Pattern and Zone are those of record.TimeForm.
	Pattern string `json:",omitempty"`
	Zone    string `json:",omitempty"`
	// Others are the paths that it has in records of other ages; see avro.Others.
	Others []string `json:",omitempty"`
	// Expression is what the time is computed by, of other fields; Path is a name then. Empty for a field of the record.
	Expression string `json:",omitempty"`
	// OthersOf are what Others is, of the fields in the expression.
	OthersOf map[string][]string `json:",omitempty"`
}

// Truncation is what to do when records that are wanted are no longer there.
type Truncation string

// Answers to a truncated log.
const (
	// FailOnTruncation stops with an error that says what is missing.
	FailOnTruncation Truncation = ""
	// SkipTruncated counts the missing offsets and goes on with the first that is there.
	SkipTruncated Truncation = "skip"
)

// rankBits is how many bits of a partition's rank are the partition's own number.
const rankBits = 20

// Normal returns r with defaults set and topics in the order that ranks follow: by
// cluster and name, so that the order in which they are listed does not matter.
func (r Config) Normal() Config {
	r.Readers = cmp.Or(r.Readers, DefaultReaders)
	r.PollBudget = cmp.Or(r.PollBudget, defaultPollBudget)
	r.Topics = slices.Clone(r.Topics)
	slices.SortFunc(r.Topics, func(a, b Topic) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Name, b.Name))
	})
	return r
}

// cluster returns the cluster of that name.
func (r *Config) cluster(name string) (cluster.Config, bool) {
	i := slices.IndexFunc(r.Clusters, func(c cluster.Config) bool { return c.Name == name })
	if i < 0 {
		return cluster.Config{}, false
	}
	return r.Clusters[i], true
}

// connect returns a client of a cluster.
func (r *Config) connect(ctx context.Context, c cluster.Config, opts ...kgo.Opt) (*kgo.Client, error) {
	return c.Connect(ctx, append(opts, r.reach...)...)
}

// topicsOf returns the names of the topics of a cluster.
func (r *Config) topicsOf(of string) (names []string) {
	for _, t := range r.Topics {
		if t.Cluster == of {
			names = append(names, t.Name)
		}
	}
	return names
}

// Validate reports everything that is wrong with r at once, without reaching for the network.
func (r *Config) Validate() error {
	var errs []error
	if r.Job == "" {
		errs = append(errs, errors.New("job: needs an id"))
	}
	names := map[string]bool{}
	for i, c := range r.Clusters {
		if err := c.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("cluster %d: %w", i, err))
		}
		if names[c.Name] {
			errs = append(errs, fmt.Errorf("cluster %d: the name %q is taken", i, c.Name))
		}
		names[c.Name] = true
	}
	if len(r.Topics) == 0 || len(r.Topics)+int(r.RanksAfter) >= 1<<(31-rankBits) {
		errs = append(errs, fmt.Errorf("topics: must be 1 to %d, got %d", 1<<(31-rankBits)-1, len(r.Topics)))
	}
	taken := map[cluster.Partition]bool{}
	for _, t := range r.Topics {
		if err := r.validateTopic(t); err != nil {
			errs = append(errs, fmt.Errorf("topic %s: %w", t.Name, err))
		}
		key := cluster.Partition{Cluster: t.Cluster, Topic: t.Name}
		if taken[key] {
			errs = append(errs, fmt.Errorf("topic %s: listed twice; give it several inputs instead", t.Name))
		}
		taken[key] = true
	}
	if r.Readers < 0 || r.MaxAhead < 0 || r.OutOfOrderness < 0 || r.IdleAfter < 0 || r.PollBudget < 0 || r.Rest < 0 {
		errs = append(errs, errors.New("readers and times must not be negative"))
	}
	if r.OnTruncation != FailOnTruncation && r.OnTruncation != SkipTruncated {
		errs = append(errs, fmt.Errorf("on truncation: must be empty or %q, got %q", SkipTruncated, r.OnTruncation))
	}
	if r.TimeIndex != nil {
		if _, ok := r.cluster(r.TimeIndex.Cluster); !ok {
			errs = append(errs, fmt.Errorf("time index: no cluster %q", r.TimeIndex.Cluster))
		}
	}
	return errors.Join(append(errs, r.Start.validate(r), r.Stop.validate(r))...)
}

func (r *Config) validateTopic(t Topic) error {
	var errs []error
	if _, ok := r.cluster(t.Cluster); !ok {
		errs = append(errs, fmt.Errorf("no cluster %q", t.Cluster))
	}
	if t.Name == "" || t.Time.Path == "" || len(t.Inputs) == 0 {
		errs = append(errs, fmt.Errorf("needs a name, a time field and inputs, got %q, %q and %d", t.Name, t.Time.Path, len(t.Inputs)))
	}
	switch t.Format {
	case Avro:
		if _, err := compileAvro(t.Schema, t.Time); err != nil {
			errs = append(errs, err)
		}
	case RegistryAvro, RegistryJSON, RegistryProtobuf:
		if t.Registry == nil {
			errs = append(errs, errors.New("its schemas are in a registry, and none is given"))
		} else if err := t.Registry.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("registry: %w", err))
		}
	default:
		if values, err := format.Get[format.Values](string(t.Format)); err != nil || values.Schemas() {
			errs = append(errs, fmt.Errorf("format must be %s, %s, %s or one of %s, got %q", RegistryAvro, RegistryJSON, RegistryProtobuf, strings.Join(format.Names[format.Values](), ", "), t.Format))
		}
	}
	return errors.Join(errs...)
}

// compileAvro makes what reads event times of records with that schema.
func compileAvro(text string, time Field) (*timeOf, error) {
	schema, err := avro.ParseSchema(text)
	if err != nil {
		return nil, err
	}
	return newTimeOf(schema, time)
}

// Ranks names the topics of a Config by the upper part of the ranks of their partitions
// (record.Batch.Partition), their slot; those before RanksAfter have no name.
type Ranks []cluster.Partition

// Rank is the rank of the n-th partition in a slot.
func Rank(slot, n int32) int32 { return slot<<rankBits | n }

// Slot takes a rank apart.
func Slot(rank int32) (slot, n int32) { return rank >> rankBits, rank & (1<<rankBits - 1) }

// Ranked returns the ranks that batches of r have.
func (r Config) Ranked() Ranks {
	out := make(Ranks, r.RanksAfter, int(r.RanksAfter)+len(r.Topics))
	for _, t := range r.Normal().Topics {
		out = append(out, cluster.Partition{Cluster: t.Cluster, Topic: t.Name})
	}
	return out
}

// Partition returns the partition of a rank; the zero Partition if there is none.
func (r Ranks) Partition(rank int32) cluster.Partition {
	slot, n := Slot(rank)
	if rank < 0 || int(slot) >= len(r) || r[slot].Topic == "" {
		return cluster.Partition{}
	}
	p := r[slot]
	p.Partition = n
	return p
}

// RestFrom is how long to rest from now on: to the next even second that is at least a second
// away, in whole seconds, which is all that runners read.
func (r *Config) RestFrom(now time.Time) time.Duration {
	if r.Rest > 0 {
		return r.Rest
	}
	return time.Duration(2-now.Unix()%2) * time.Second
}
