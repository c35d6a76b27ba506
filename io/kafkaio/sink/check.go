package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
)

// ErrCommitLogLost is returned when there are samples in the output topic and nothing in the
// commit log topic: what was written is not known, and writing on would double it.
var ErrCommitLogLost = errors.New("the commit log is lost")

// errMissing is worth some attempts: brokers learn of a new topic one after another.
var errMissing = errors.New("topic does not exist")

// checkTopics sees whether the topics are fit: both there, the commit log with a partition for
// each shard and compacted and nothing else. It may have more: of shards that were given up.
func checkTopics(ctx context.Context, client *kgo.Client, opts []kgo.Opt, w *Config) (cluster.Limits, error) {
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx, w.Topic, w.CommitLog)
	if err != nil {
		return nil, fmt.Errorf("look at topics %s and %s: %w", w.Topic, w.CommitLog, err)
	}
	if !topics.Has(w.Topic) {
		return nil, fmt.Errorf("%w: %s: create it first", errMissing, w.Topic)
	}
	if !topics.Has(w.CommitLog) {
		written, err := holdsSamples(ctx, client, opts, w)
		if err != nil {
			return nil, err
		}
		if written {
			return nil, fmt.Errorf("%w: commit log topic %s does not exist, but %s has samples: restore the one or empty the other", ErrCommitLogLost, w.CommitLog, w.Topic)
		}
		return nil, fmt.Errorf("%w: commit log %s: create it first, with %d partitions and cleanup.policy=compact", errMissing, w.CommitLog, w.mostShards())
	}
	for _, t := range topics {
		if t.Err != nil {
			return nil, fmt.Errorf("look at topic %s: %w", t.Topic, t.Err)
		}
	}
	if got := len(topics[w.CommitLog].Partitions); got < int(w.mostShards()) {
		return nil, fmt.Errorf("%w: commit log %s has %d partitions, want %d, one for each shard", commitlog.ErrUnfit, w.CommitLog, got, w.mostShards())
	}
	largest, policies, err := cluster.TopicSettings(ctx, admin, w.Topic, w.CommitLog)
	if err != nil {
		return nil, err
	}
	if p := policies[w.CommitLog]; p != "compact" {
		return nil, fmt.Errorf("%w: commit log %s has cleanup.policy=%s, want compact: a log that forgets lets samples double", commitlog.ErrUnfit, w.CommitLog, p)
	}
	return largest, nil
}

// checkNotLost is called when a shard's commit log is empty. It returns ErrCommitLogLost if the
// whole commit log topic is, while samples were committed.
func checkNotLost(ctx context.Context, client *kgo.Client, opts []kgo.Opt, w *Config) error {
	entries, err := cluster.Ends(ctx, client, w.CommitLog)
	if err != nil || len(entries) > 0 {
		return err
	}
	written, err := holdsSamples(ctx, client, opts, w)
	if err != nil || !written {
		return err
	}
	// The first transaction of another shard may have ended in between. Its record
	// of the commit log is there before the samples can be read.
	entries, err = cluster.Ends(ctx, client, w.CommitLog)
	if err != nil || len(entries) > 0 {
		return err
	}
	return fmt.Errorf("%w: topic %s is empty, but %s has samples: restore it, or set NewCommitLog to accept that groups written before may be written again",
		ErrCommitLogLost, w.CommitLog, w.Topic)
}

// soughtRecords bounds how many records are looked at for a sample. Usually the first one
// is; only a topic into which others write too has more.
const soughtRecords = 100_000

// holdsSamples says whether a committed record in the output topic has a version header,
// as all those of this sink have.
func holdsSamples(ctx context.Context, client *kgo.Client, opts []kgo.Opt, w *Config) (bool, error) {
	due, err := cluster.StableEnds(ctx, client, w.Topic)
	if err != nil {
		return false, err
	}
	found, looked := false, 0
	err = cluster.ReadTo(ctx, opts, w.Topic, due, func(r *kgo.Record) (bool, error) {
		looked++
		found = slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == VersionHeader })
		return found || looked >= soughtRecords, nil
	})
	return found, err
}
