package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// VersionHeader is the header of every record that Write writes: in decimal, 1 for what was
// written first, 2 and up for what corrects it.
const VersionHeader = "version"

// Defaults of Writing.
const (
	// DefaultTransactionTimeout: short, because a writer that died holds up the readers of
	// its partitions that long; a ledger needs no transaction to outlive a restart.
	DefaultTransactionTimeout = 45 * time.Second
	// DefaultKeep: a week of buckets of a minute, Kafka's usual retention; what sources no
	// longer hold cannot be replayed. It takes 0.6 MB a shard.
	DefaultKeep = 10_000
)

// Writing says where and how to write.
type Writing struct {
	Cluster cluster.Config
	// Topic takes the records.
	Topic string
	// LedgerTopic says what was written. It has a partition for each shard, is compacted
	// (cleanup.policy=compact), and belongs to this job alone.
	LedgerTopic string
	// Job is the job's name, the same over restarts. The transactional ids are "<job>-<shard>".
	Job    string
	Shards int32
	// Earlier are the numbers of shards of groups with smaller IDs, in order of Until: see
	// TakeOver, which is the way to change them.
	Earlier []Layout `json:",omitempty"`
	// Generation is how often the job was taken over before this run of it: see TakeOver. A
	// writer of an earlier one steps back.
	Generation int64 `json:",omitempty"`
	// Meaning is what gives the content of groups its meaning, as text by name. The ledger keeps it:
	// TakeOver goes by whether it is another one than before.
	Meaning map[string]string `json:",omitempty"`
	// State is what else the state of a run depends on that goes on from one, as text by name. The
	// ledger keeps it for ReadProgress.
	State map[string]string `json:",omitempty"`
	// ProvisionalFrom, if set, is the ID from which on groups may be written again with other
	// content: NoteProgress does not note them.
	ProvisionalFrom int64 `json:",omitempty"`
	// Step is the distance between the IDs of successive groups: the length of a bucket, in
	// milliseconds. It stays as it is for as long as the ledger does.
	Step int64 `json:",omitempty"`
	// TransactionTimeout is after how long the broker aborts what a writer left open; 0 is
	// DefaultTransactionTimeout. A transaction that takes longer fails.
	TransactionTimeout time.Duration
	// Compression of batches: none, gzip, snappy, lz4 or zstd; empty is snappy.
	Compression string
	// TransactionBytes is how much is written at once; 0 is DefaultTransactionBytes. A group
	// that takes more is written in several transactions.
	TransactionBytes int64 `json:",omitempty"`
	// Keep is how many groups of a shard, the newest by ID, the ledger remembers at least;
	// 0 is DefaultKeep. It must cover all that a replay may bring: (how far a replay goes
	// back) / (bucket length). An older group is ErrExpired.
	Keep int
	// Cut makes WriteAtLeastOnce cut values that are too large for the topic, and mark them
	// (see TruncatedHeader), instead of refusing their records.
	Cut bool
	// NewLedger accepts a Topic with samples beside an empty ledger, else ErrLedgerLost.
	NewLedger bool
}

// withDefaults fills in what was left out.
func (w Writing) withDefaults() Writing {
	if w.TransactionTimeout == 0 {
		w.TransactionTimeout = DefaultTransactionTimeout
	}
	if w.TransactionBytes == 0 {
		w.TransactionBytes = DefaultTransactionBytes
	}
	if w.Keep == 0 {
		w.Keep = DefaultKeep
	}
	return w
}

// Validate returns all that is wrong with w for Write.
func (w Writing) Validate() error {
	errs := []error{w.validateTopic()}
	if w.LedgerTopic == "" || w.LedgerTopic == w.Topic {
		errs = append(errs, fmt.Errorf("ledger topic: must be a topic of its own, got %q", w.LedgerTopic))
	}
	if w.Job == "" {
		errs = append(errs, errors.New("job: must have a name that stays the same over restarts"))
	}
	if w.Shards < 1 {
		errs = append(errs, fmt.Errorf("shards: must be at least 1, got %d", w.Shards))
	}
	for i, l := range w.Earlier {
		if l.Shards < 1 || i > 0 && l.Until <= w.Earlier[i-1].Until {
			errs = append(errs, fmt.Errorf("earlier shards: must be at least 1 and in order, got %d until %d", l.Shards, l.Until))
		}
	}
	if w.Step < 0 {
		errs = append(errs, fmt.Errorf("step: must not be negative, got %d", w.Step))
	}
	if t := w.TransactionTimeout; t != 0 && (t < time.Second || t > 15*time.Minute) {
		errs = append(errs, fmt.Errorf("transaction timeout: must be between 1s and 15m, the most that brokers allow, got %s", t))
	}
	if w.TransactionBytes < 0 {
		errs = append(errs, fmt.Errorf("transaction bytes: must not be negative, got %d", w.TransactionBytes))
	}
	if w.Keep < 0 {
		errs = append(errs, fmt.Errorf("keep: must not be negative, got %d", w.Keep))
	}
	return errors.Join(errs...)
}

// validateTopic checks what WriteAtLeastOnce needs too.
func (w Writing) validateTopic() error {
	var errs []error
	if _, err := w.Cluster.Options(); err != nil {
		errs = append(errs, fmt.Errorf("cluster: %w", err))
	}
	if w.Topic == "" {
		errs = append(errs, errors.New("topic: must have a name"))
	}
	if _, ok := codecs[w.Compression]; !ok {
		errs = append(errs, fmt.Errorf("compression: must be one of %q, got %q", slices.Sorted(maps.Keys(codecs))[1:], w.Compression))
	}
	return errors.Join(errs...)
}

// codecs by name; the first one is the default.
var codecs = map[string]kgo.CompressionCodec{
	"":       kgo.SnappyCompression(),
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

// Committed acknowledges a group.
type Committed struct {
	Shard int32
	ID    int64
	// Version is the one that is in the topic now: 1, or more if it was corrected.
	Version int32
	Records int64
	// Skipped says that it was found there already.
	Skipped bool
}

// mostShards is the largest number of shards that groups are spread over.
func (w *Writing) mostShards() int32 {
	most := w.Shards
	for _, l := range w.Earlier {
		most = max(most, l.Shards)
	}
	return most
}

// Write writes groups of records to a topic, each exactly once, and acknowledges them.
//
// Input: a PCollection<Group> in the global window. The groups of a shard must come
// from one place at a time, as they do behind a GroupByKey on the shard; the parts of a
// group come in order in one bundle. Anything else is an error. Records with a
// key go to the partition that Java clients choose for it (murmur2).
// Output: committed, a PCollection<Committed> with the event time of the group's last part,
// one for each group, after it was committed or found to be; refused, a PCollection<Refused>
// of the records that were left out of their groups because the topic does not take any as
// large, at least once each.
//
// Delivery: the groups that a bundle has for a shard are written in one transaction
// (several, if they are large), and with them a record each in the ledger topic. A group
// that the ledger has with the same content is skipped, so replays are harmless; with other
// content it is written anew as the next version (see VersionHeader). A consumer that
// reads committed records sees each version of a group whole or not at all, and once. A
// writer that was left behind somewhere is fenced off when the shard's next one opens.
//
// A group of more than TransactionBytes, or 200,000 records, is written in several transactions,
// each with a record in the ledger of how far it has come, so that whoever goes on writes the
// rest. A consumer sees such a group grow, each record still once, and whole when its last
// transaction is committed. If its content changes in between, the next version begins with its
// first record, and the one before stays as far as it came.
//
// Work splits by shard: one transactional producer each, kept over bundles and closed after
// five minutes of rest. Memory, for each shard: the groups of a bundle, or 32 MiB of complete
// ones plus those at hand, whichever is less, some 300 bytes for each record of a transaction,
// and the ledger, about 60 bytes a group kept.
//
// Abort: a bundle whose context has ended begins no transaction. So a runner that must not have
// anything committed after a failure ends the contexts of all bundles.
//
// Failure: what may pass is tried up to five times, each time from the ledger. Then, or if
// the writer is fenced (ErrFenced), the ledger is lost (ErrLedgerLost), a group is too old
// for it (ErrExpired) or a record is refused for another reason, the bundle fails; trying it
// again is safe.
//
// Write panics while the pipeline is built if w is invalid.
func Write(s beam.Scope, w Writing, groups beam.PCollection) (committed, refused beam.PCollection) {
	if err := w.Validate(); err != nil {
		panic(fmt.Errorf("kafkaio.Write: %w", err))
	}
	return beam.ParDo2(s.Scope("kafkaio.Write"), &writeFn{Writing: w.withDefaults()}, groups)
}

// ShardCommits is what one shard has committed, by its ledger.
type ShardCommits struct {
	// Groups by ascending ID, each with its newest version. Begun are those whose newest version
	// is written in part: their Records are as many as that.
	Groups, Begun []Committed
	// Floor: groups with smaller IDs were committed or never came, and can no longer be
	// told apart. It is math.MinInt64 if nothing has been let go.
	Floor int64
}

// ReadLedger returns what each shard has committed. Every partition of the ledger topic is a
// shard and is in the result, empty if nothing was committed. It reads up to the end
// as it is when it is called, waiting until transactions that are open then have ended
// or ctx does. A topic that is not there, or not reachable, is an error.
func ReadLedger(ctx context.Context, c cluster.Config, ledgerTopic string) (map[int32]ShardCommits, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, fmt.Errorf("read ledger %s: %w", ledgerTopic, err)
	}
	return readCommits(ctx, opts, ledgerTopic)
}
