// Package sink writes to topics, for kafkaio.Write and kafkaio.WriteAtLeastOnce.
//
// Exactly once: a transactional producer a shard, whose transactions hold groups of records and what the
// commit log says of them. After any error whose outcome is not known the producer is dropped, another
// one fences it off and reads the log, and decides again: that is right whether the transaction was
// committed, aborted, or nobody knows.
//
//	config.go     where and how to write
//	group.go      groups, framed records, digests
//	bundle.go     what a bundle has for a shard; Writers.Write and Finish
//	writers.go    the writers of a job, kept between bundles
//	shard.go      one shard: attempt, plan, commit, try again
//	plan.go       which groups are written, skipped, corrected; split.go cuts large ones
//	producer.go   the transactional producer: fence, then read the log; begin, produce, commit
//	outcome.go    what an error means: again, yield or fail
//	check.go      whether topics are fit, and the log not lost
//	refused.go    records larger than the topic takes
//	recover.go    Begin and Recover: a job that begins anew, beside what another has written
//	rewrite.go    put together what a topic holds, one at a time
//	append.go     records beside those of groups, which no commit log tells of
//
// At least once:
//
//	message.go    messages and their encoding; cut.go makes one small enough
//	delivery.go   the messages of a bundle; sender.go, clients shared by bundles
//	complete.go   notes progress in the commit log
package sink

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
)

// VersionHeader is the header of every record that Write writes: in decimal, 1 for what was
// written first, 2 and up for what corrects it.
const VersionHeader = "version"

// CorrectedHeader is the header of a record that an Appender writes beside them: what it corrects.
const CorrectedHeader = "corrected"

// Defaults of Config.
const (
	// DefaultTransactionTimeout: short, because a writer that died holds up the readers of
	// its partitions that long; a commit log needs no transaction to outlive a restart.
	DefaultTransactionTimeout = 45 * time.Second
	// DefaultKeep: a week of buckets of a minute, Kafka's usual retention; what sources no
	// longer hold cannot be replayed. It takes 0.6 MB a shard.
	DefaultKeep = 10_000
)

// Config says where and how to write.
type Config struct {
	Cluster cluster.Config
	// Topic takes the records.
	Topic string
	// CommitLog says what was written. It has a partition for each shard, is compacted
	// (cleanup.policy=compact), and belongs to this job alone.
	CommitLog string
	// Job is the job's name, the same over restarts. The transactional ids are "<job>-<shard>".
	Job    string
	Shards int32
	// Earlier are the numbers of shards of groups with smaller IDs, in order of Until: see
	// Recover, which is the way to change them.
	Earlier []commitlog.Layout `json:",omitempty"`
	// FencingEpoch is how often the job was recovered before this run of it: see Recover. A
	// writer of an earlier one steps back.
	FencingEpoch int64 `json:",omitempty"`
	// Meaning is what gives the content of groups its meaning, as text by name. The commit log keeps it:
	// Recover goes by whether it is another one than before.
	Meaning map[string]string `json:",omitempty"`
	// State is what else the state of a run depends on that goes on from one, as text by name. The
	// commit log keeps it for ReadProgress.
	State map[string]string `json:",omitempty"`
	// ProvisionalFrom, if set, is the ID from which on groups may be written again with other
	// content: NoteProgress does not note them.
	ProvisionalFrom int64 `json:",omitempty"`
	// Step is the distance between the IDs of successive groups: the length of a bucket, in
	// milliseconds. It stays as it is for as long as the commit log does.
	Step int64 `json:",omitempty"`
	// TransactionTimeout is after how long the broker aborts what a writer left open; 0 is
	// DefaultTransactionTimeout. A transaction that takes longer fails.
	TransactionTimeout time.Duration
	// Compression of batches: none, gzip, snappy, lz4 or zstd; empty is snappy.
	Compression string
	// TransactionBytes is how much is written at once; 0 is DefaultTransactionBytes. A group
	// that takes more is written in several transactions.
	TransactionBytes int64 `json:",omitempty"`
	// Keep is how many groups of a shard, the newest by ID, the commit log remembers at least;
	// 0 is DefaultKeep. It must cover all that a replay may bring: (how far a replay goes
	// back) / (bucket length). An older group is ErrExpired.
	Keep int
	// Cut makes WriteAtLeastOnce cut values that are too large for the topic, and mark them
	// (see TruncatedHeader), instead of refusing their records.
	Cut bool
	// NewCommitLog accepts a Topic with samples beside an empty commit log, else ErrCommitLogLost.
	NewCommitLog bool
}

// Header is the one that is written where there is none.
func (w *Config) Header() *commitlog.Header {
	since := int64(commitlog.NoID)
	return &commitlog.Header{
		Job: w.Job, FencingEpoch: w.FencingEpoch, Step: w.Step, Shards: w.Shards, Earlier: w.Earlier, CommittedBefore: commitlog.NoID,
		Meaning: w.Meaning, MeaningSince: &since, State: w.State,
	}
}

// ShardsOf returns over how many shards a group is spread.
func (w *Config) ShardsOf(id int64) int32 { return commitlog.ShardsAt(w.Earlier, w.Shards, id) }

// withDefaults fills in what was left out.
func (w Config) withDefaults() Config {
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
func (w Config) Validate() error {
	errs := []error{w.ValidateTopic()}
	if w.CommitLog == "" || w.CommitLog == w.Topic {
		errs = append(errs, fmt.Errorf("commit log topic: must be a topic of its own, got %q", w.CommitLog))
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

// ValidateTopic checks what WriteAtLeastOnce needs too.
func (w Config) ValidateTopic() error {
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

// mostShards is the largest number of shards that groups are spread over.
func (w *Config) mostShards() int32 {
	most := w.Shards
	for _, l := range w.Earlier {
		most = max(most, l.Shards)
	}
	return most
}
